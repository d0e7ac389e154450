"""Functions of two operands that are the halves of one array, as a fused projection leaves them.

The halves are views, and every backend computes on them in place. Gradients are written into the halves
of one array, by torch's backward pass too; they are joined afterwards where arrays are immutable, or if
the gradient itself will be differentiated.
"""

from math import isnan
from typing import Any

import numpy as np

from gpu_sigmoid.backends.made import EMPTY_LIKE, empty_like, is_masked, joined, part
from gpu_sigmoid.dispatch import module_of
from gpu_sigmoid.dtypes import numpy_dtype, result_name
from gpu_sigmoid.errors import rename, unknown_keyword, with_known_keywords
from gpu_sigmoid.kinds import HOST, SEQUENCE, kind_of
from gpu_sigmoid.modes import label

ACCEPTED = (*EMPTY_LIKE, "numba_cuda", "jax", "dask")


class Packed:
    """A function of the first and the second half of an array along an axis.

    `glu.packed(x)` is torch.nn.functional.glu(x). In `swiglu.packed(x)` the first half is the gate:
    `silu(x[..., :n]) * x[..., n:]`.

    Parameters
    ----------
    x : array
        An array of NumPy, CuPy, Numba, torch, JAX or Dask.
    axis : int
        The axis to halve; its length must be even.
    out : array or None
        Array for the result.

    Returns
    -------
    array
        The value, with half the length of x along the axis.

    Raises
    ------
    TypeError
        If x is not such an array, and as for the function of two operands.
    ValueError
        If there is no such axis, if its length is odd, and as for the function of two operands.

    Examples
    --------
    >>> import numpy as np
    >>> import gpu_sigmoid as gs
    >>> x = np.ones((3, 8), dtype=np.float32)
    >>> gs.swiglu.packed(x).shape
    (3, 4)
    >>> gs.swiglu.packed.vjp(x, np.ones((3, 4), dtype=np.float32)).shape
    (3, 8)
    """

    keywords = ("axis", "out")
    accepted = "arrays of NumPy, CuPy, Numba, torch, JAX and Dask"

    def __init__(self, function: Any) -> None:
        self.function, self.label = function, f"{function.label}.packed"

    @with_known_keywords
    def __call__(self, x: Any, axis: int = -1, out: Any = None, **unknown: Any) -> Any:
        """Return the value, with half the length of x along the axis."""
        if unknown:
            raise unknown_keyword(self.label, unknown, self.keywords)
        if out is None and kind_of(self, x) == "torch":
            return module_of("torch").of_halves(self, x, axis)
        return self.of_both("value", *self.halves(x, axis), out=out)

    @with_known_keywords
    def value_and_grad(self, x: Any, axis: int = -1, out: Any = None, **unknown: Any) -> Any:
        """Return the value, and both derivatives in the halves of one array, in one pass.

        Parameters
        ----------
        x : array
            As for `packed` itself.
        axis : int
            The axis to halve.
        out : tuple of two arrays or None
            Arrays for the results; either may be None.

        Returns
        -------
        value : array
            Half as long as x along the axis.
        grad : array
            With the shape of x: each half is the derivative with respect to that half.

        Examples
        --------
        >>> import numpy as np
        >>> import gpu_sigmoid as gs
        >>> value, grad = gs.glu.packed.value_and_grad(np.ones((3, 8), dtype=np.float32))
        >>> value.shape, grad.shape
        ((3, 4), (3, 8))
        """
        if unknown:
            raise unknown_keyword(f"{self.label}.value_and_grad", unknown, self.keywords)
        if out is not None and not (isinstance(out, tuple) and len(out) == 2):
            raise TypeError(f"{self.label}.value_and_grad: out must be a tuple (value, gradient)")
        value, gradient = out or (None, None)
        a, b = self.halves(x, axis)
        if out is None and not self.writes(x):
            value, *gradients = self.of_both("value_and_grad", a, b)
            return value, joined(kind_of(self, value), gradients, axis)
        gradient, (by_a, by_b) = self.places(x, axis, gradient, (x,))
        # torch's operators write into tensors but do not create them
        if value is None and kind_of(self, x) == "torch":
            value = empty_like("torch", by_a, by_a.dtype)
        value, *_ = self.of_both("value_and_grad", a, b, out=(value, by_a, by_b))
        return value, gradient

    @with_known_keywords
    def vjp(self, x: Any, cotangent: Any, axis: int = -1, out: Any = None, **unknown: Any) -> Any:
        """Return the gradient with respect to x, given that with respect to the value, in one pass.

        Parameters
        ----------
        x : array
            As for `packed` itself.
        cotangent : array
            The gradient with respect to the value; broadcast against it.
        axis : int
            The axis to halve.
        out : array or None
            Array for the result.

        Returns
        -------
        array
            Of the shape of x.

        Examples
        --------
        >>> import numpy as np
        >>> import gpu_sigmoid as gs
        >>> x = np.ones((3, 8), dtype=np.float32)
        >>> gs.glu.packed.vjp(x, gs.glu.packed(x)).shape
        (3, 8)
        """
        if unknown:
            raise unknown_keyword(f"{self.label}.vjp", unknown, self.keywords)
        a, b = self.halves(x, axis)
        if out is None and not self.writes(x, cotangent):
            gradients = self.of_both("vjp", a, b, cotangent)
            return joined(kind_of(self, gradients[0]), list(gradients), axis)
        gradient, places = self.places(x, axis, out, (x, cotangent))
        self.of_both("vjp", a, b, cotangent, out=places)
        return gradient

    def of_both(self, mode: str, *operands: Any, out: Any = None) -> Any:
        """Call a method of the function of two operands."""
        method = self.function.methods[mode]
        try:
            return method(*operands, out=out)
        except Exception as error:
            rename(error, method.label, label(self.label, mode))
            raise

    def writes(self, *arrays: Any) -> bool:
        """Return whether gradients are written into a new array like the first one."""
        kind, dtype = kind_of(self, arrays[0]), arrays[0].dtype
        if kind == "numba_cuda":
            return True
        # the results may have another dtype, and a mask set on a half does not reach the array
        if kind not in EMPTY_LIKE or any(getattr(a, "dtype", dtype) != dtype or is_masked(a) for a in arrays):
            return False
        # the results of a list, or of the other byte order, have another dtype too
        if kind == HOST and (not dtype.isnative or any([kind_of(self, a) == SEQUENCE for a in arrays])):
            return False
        return module_of("torch").fills(*arrays) if kind == "torch" else dtype.kind not in "biu"

    def places(self, x: Any, axis: int, out: Any, operands: tuple) -> tuple[Any, tuple[Any, Any]]:
        """Return the array for gradients of operands, `out` or a new one like x, and its halves.

        Raises
        ------
        TypeError
            If it is no array, or a masked one.
        ValueError
            If it has another shape than x.
        """
        if out is None:
            kind = kind_of(self, x)
            dtype = numpy_dtype(result_name(self, operands)) if kind == "numba_cuda" else x.dtype
            out = empty_like(kind, x, dtype)
        elif not isinstance(getattr(out, "shape", None), tuple):
            raise TypeError(f"{self.label}: out must be an array for the gradient, not {type(out).__name__}")
        elif tuple(out.shape) != tuple(x.shape):
            raise ValueError(
                f"{self.label}: out has shape {tuple(out.shape)}, the gradient has {tuple(x.shape)}"
            )
        if is_masked(out):
            raise TypeError(
                f"{self.label}: out is not accepted with masked arrays: a mask set on a half of one is lost"
            )
        return out, self.halves(out, axis)

    def halves(self, x: Any, axis: int) -> tuple[Any, Any]:
        """Return views of both halves.

        Raises
        ------
        TypeError
            If it is no array, or the axis no integer.
        ValueError
            If there is no such axis, or its length is odd or unknown.
        """
        kind = kind_of(self, x)
        # torch's symbolic numbers, for one, have no layout
        if kind == "torch" and hasattr(x, "is_nested"):
            module_of("torch").refuse_layouts(self, (x,))
        # Dask's Series and delayed values have a shape too, which is lazy
        lazy = kind == "dask" and not module_of("dask").is_array(x)
        if kind not in ACCEPTED or lazy or not hasattr(x, "shape"):
            raise TypeError(
                f"{self.label} takes an array of NumPy, CuPy, Numba, torch, JAX or Dask, not "
                f"{type(x).__name__}"
            )
        if not isinstance(axis, int | np.integer):
            raise TypeError(f"{self.label}: axis must be an integer, not {type(axis).__name__}")
        shape = tuple(x.shape)
        if not -len(shape) <= axis < len(shape):
            raise ValueError(f"{self.label}: an array of shape {shape} has no axis {axis}")
        # not by divmod, which a tensor does not have: torch.jit.trace gives one for a length
        length = shape[axis] // 2
        if shape[axis] % 2:
            # Dask's lengths may be nan
            why = "unknown (x.compute_chunk_sizes() computes it)" if isnan(shape[axis]) else "odd"
            raise ValueError(
                f"{self.label}: axis {axis} cannot be halved, since its length is {why}: {shape}"
            )
        axis %= len(shape)
        return part(kind, x, axis, 0, length), part(kind, x, axis, length, 2 * length)

    def __repr__(self) -> str:
        return f"<gpu_sigmoid.{self.label}>"

    def __reduce__(self) -> Any:
        return getattr, (self.function, "packed")
