"""The subjects of measurements: a mode of a function on operands of one kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from gpu_sigmoid.dtypes import DTYPES, numpy_dtype
from gpu_sigmoid.environment import get_num_threads
from gpu_sigmoid.functions import FUNCTIONS
from gpu_sigmoid.methods import Method

LAYOUTS = {
    "out": "",
    "new": ", a new array for the result",
    "strided": ", every other element",
    "reversed": ", in reverse",
    "rows": ", half of an array's columns",
    "number": ", a number for the last operand",
    "in-place": ", in the first operand's place",
    "packed": ", both operands in one array",
}
"""Memory layouts, with the words for a heading; `out` writes into an existing array."""

ROWS = (1_000, 4_096)
"""Elements in a row: the first of these that divides the size."""


@dataclass(frozen=True)
class Case:
    """What one measurement times; `threads` is 0 on a GPU."""

    function: str
    mode: str
    dtype: str
    size: int
    layout: str
    threads: int

    @property
    def method(self) -> Method:
        return FUNCTIONS[self.function].methods[self.mode]

    @property
    def outputs(self) -> int:
        return len(self.method.mode.partials)

    @property
    def inputs(self) -> int:
        return len(self.method.operands)

    @property
    def bytes(self) -> int:
        """The bytes that move between memory and the processor."""
        return (self.inputs + self.outputs) * self.size * numpy_dtype(self.dtype).itemsize


@dataclass(frozen=True)
class Grid:
    """All combinations of the listed properties."""

    functions: tuple[str, ...] = tuple(FUNCTIONS)
    modes: tuple[str, ...] = ("value",)
    dtypes: tuple[str, ...] = ("float32",)
    sizes: tuple[int, ...] = (100_000,)
    layouts: tuple[str, ...] = ("out",)
    threads: tuple[int, ...] = (1,)

    def __iter__(self) -> Iterator[Case]:
        axes = (self.threads, self.functions, self.modes, self.dtypes, self.sizes, self.layouts)
        for threads, function, mode, dtype, size, layout in product(*axes):
            if layout != "packed" or function in GATED:
                yield Case(function, mode, dtype, size, layout, threads)


SIGMOID = ("sigmoid",)
GATED = tuple(name for name, function in FUNCTIONS.items() if function.signature.gradients > 1)
"""The functions whose operands, and gradients, may be the halves of one array."""
SIZES = (1, 10, 100, 1_000, 10_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000)


def preset(name: str) -> list[Grid]:
    """Return the grids of a preset: `quick`, or `full`, which bench/results holds."""
    if name == "quick":
        return [Grid(SIGMOID, ("value", "grad"), ("float32", "float64"))]
    both = tuple(dict.fromkeys((1, get_num_threads())))
    return [
        Grid(modes=("value", "grad", "value_and_grad"), dtypes=DTYPES),
        Grid(
            ("sigmoid", "softplus", "silu"), dtypes=("float32", "float64"), sizes=(30_000_000,), threads=both
        ),
        Grid(SIGMOID, dtypes=("float16", "bfloat16"), sizes=(30_000_000,), threads=both),
        Grid(SIGMOID, ("grad", "value_and_grad"), ("float32",), (30_000_000,), threads=both),
        Grid(SIGMOID, sizes=SIZES, threads=both),
        Grid(
            SIGMOID,
            dtypes=("float32", "float64"),
            sizes=(100_000, 10_000_000),
            layouts=("new", "strided", "rows"),
        ),
        Grid(
            ("sigmoid", "bce_with_logits"),
            ("value", "value_and_grad"),
            ("float32", "float64"),
            layouts=("strided", "reversed", "rows", "in-place"),
        ),
        Grid(("bce_with_logits",), ("value", "vjp"), ("float32", "float64"), layouts=("out", "number")),
        Grid(
            GATED,
            ("value", "value_and_grad", "vjp"),
            ("float32", "float64", "bfloat16"),
            layouts=("out", "packed"),
        ),
        Grid(("swiglu",), ("value", "vjp"), sizes=(30_000_000,), layouts=("out", "packed"), threads=both),
    ]


PRESETS = ("quick", "full")
DRAWN = 1_000_003
"""Not a multiple of a vector's length: each repetition puts a number at another place in a vector."""


def operands(case: Case, xp: Any = np, seed: int = 0) -> tuple[tuple, tuple]:
    """Return inputs and outputs for a case, as arrays of module `xp`.

    Logits are normal with a standard deviation of 3, the range that networks produce: a million
    are drawn and repeated.
    """
    rng = np.random.default_rng(seed)
    count = case.size * (2 if case.layout in ("strided", "rows") else 1)
    some = min(count, DRAWN)
    x = rng.normal(scale=3, size=some)
    low, high = case.method.function.domain
    if np.isfinite((low, high)).any():
        x = (
            rng.random(some)
            if np.isfinite((low, high)).all()
            else np.copysign(x, 1 if np.isinf(high) else -1)
        )
    more = [rng.random(some) for _ in range(case.inputs - 1)]
    dtype = numpy_dtype(case.dtype)
    held = [xp.asarray(np.resize(a.astype(dtype), count)) for a in (x, *more)]
    if case.layout == "packed":
        return packed(case, held, xp)
    inputs = [laid_out(a, case) for a in held]
    if case.layout == "number" and len(inputs) > 1:
        inputs[-1] = xp.broadcast_to(held[-1][:1], (case.size,))
    # already written to, so that no timed call has page faults
    outputs = [xp.asarray(np.ones(inputs[0].shape, dtype)) for _ in range(case.outputs)]
    if case.layout == "in-place":
        outputs[0] = inputs[0]
    return tuple(inputs), tuple(outputs)


def packed(case: Case, held: list, xp: Any) -> tuple[tuple, tuple]:
    """Return both operands as halves of an array, and both gradients as halves of another one."""
    rows = [array.reshape(-1, columns_of(case.size)) for array in held]
    join = lambda a, b: xp.array(xp.concatenate([a, b], axis=1))  # noqa: E731
    ones = [xp.ones_like(rows[0]) for _ in range(case.outputs)]
    inputs = (*halves(join(*rows[:2])), *rows[2:])
    return inputs, tuple(ones if case.outputs == 1 else (*ones[:-2], *halves(join(*ones[-2:]))))


def halves(array: Any) -> tuple[Any, Any]:
    """Return views of both halves of the columns, whose `base` is the array."""
    length = array.shape[1] // 2
    return array[:, :length], array[:, length:]


def columns_of(size: int) -> int:
    return next((length for length in ROWS if size % length == 0), size)


def laid_out(array: Any, case: Case) -> Any:
    """Return the part of an array that a case's layout uses."""
    if case.layout == "strided":
        return array[::2]
    if case.layout == "reversed":
        return array[::-1]
    if case.layout == "rows":
        columns = columns_of(case.size)
        return array.reshape(-1, 2 * columns)[:, :columns]
    return array
