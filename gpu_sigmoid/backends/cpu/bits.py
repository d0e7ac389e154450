"""bfloat16, which NumPy does not have: its kernels are ufuncs of uint16, the numbers' bits."""

from typing import Any

import numpy as np


class OverBits:
    """A ufunc over bits that is called on arrays of `dtype`, like any ufunc."""

    def __init__(self, ufunc: np.ufunc, dtype: np.dtype) -> None:
        self.ufunc, self.dtype = ufunc, dtype
        self.nin, self.nout = ufunc.nin, ufunc.nout

    def __call__(self, *arrays: np.ndarray, out: Any = None) -> Any:
        operands = arrays[: self.nin]
        outs = out if type(out) is tuple else arrays[self.nin :] or (out,) * self.nout
        bit_outs = tuple([None if o is None else o.view(np.uint16) for o in outs])
        results = self.ufunc(*[o.view(np.uint16) for o in operands], out=bit_outs)
        if self.nout == 1:
            return results.view(self.dtype) if outs[0] is None else outs[0]
        return tuple([r.view(self.dtype) if o is None else o for r, o in zip(results, outs, strict=True)])


def bits_of(ufunc: Any) -> np.ufunc:
    """Return the ufunc of integers behind a ufunc over bits; any other ufunc is returned unchanged."""
    return ufunc.ufunc if type(ufunc) is OverBits else ufunc
