"""Print a digest of each method's results, to compare one CPU's bits with another's.

    python tools/digests.py > digests.txt

The operands come from integers, and from operations that are exact or rounded once, so that they are the
same everywhere. NumPy's exp2 and its random normal numbers may differ between CPUs in the last place.
"""

from hashlib import sha256
from typing import Any

import numpy as np

from gpu_sigmoid.modes import PUBLIC
from gpu_sigmoid.registry import FUNCTIONS
from gpu_sigmoid.verify.inputs import BREAKPOINTS, all_of

COUNT = 1 << 16
SCALES = (1.0, 8.0, 64.0, 2048.0)


def operands(dtype: str) -> np.ndarray:
    """Return all 16-bit numbers, or integers, or random patterns, numbers of all sizes and breakpoints."""
    if dtype in ("float16", "bfloat16"):
        return all_of(dtype)
    if dtype == "int32":
        return np.arange(-800, 800, dtype=np.int32)
    number = np.dtype(dtype)
    rng = np.random.default_rng(19)
    patterns = rng.integers(0, 1 << 8 * number.itemsize, COUNT, dtype=f"u{number.itemsize}").view(number)
    by_size = [((rng.random(COUNT // 4) - 0.5) * scale).astype(number) for scale in SCALES]
    points = np.array([*BREAKPOINTS, 0.0, np.inf, np.nan, *(2.0**k for k in range(-149, 128))], number)
    around = [np.nextafter(points, number.type(to)) for to in (-np.inf, np.inf)]
    return np.concatenate([patterns, *by_size, points, -points, *around])


def digest(results: tuple[np.ndarray, ...]) -> str:
    """Return the digest of the bits, with all nans alike."""
    found = sha256()
    for result in results:
        result[result != result] = np.nan
        found.update(result.tobytes())
    return found.hexdigest()[:16]


def main() -> None:
    methods = [method for function in FUNCTIONS.values() for method in function.methods.values()]
    # public ones first: compiling takes nearly all the time
    for method in sorted(methods, key=lambda method: method.mode.name not in PUBLIC):
        for dtype in ("float32", "float64", "float16", "bfloat16", "int32"):
            results = method(*with_others(method, operands(dtype)))
            found = digest(results if isinstance(results, tuple) else (results,))
            print(method.name, dtype, found, flush=True)


def with_others(method: Any, x: np.ndarray) -> list[np.ndarray]:
    """Return x and a method's other operands: x in another order, and ordinary numbers."""
    rng = np.random.default_rng(0)
    others = [rng.permutation(x) for _ in method.operands[1:]]
    for other in others:
        other[::2] = np.resize(np.array([0.25, 1, 0, -3, 0.75]).astype(x.dtype), len(x[::2]))
    return [x, *others]


if __name__ == "__main__":
    main()
