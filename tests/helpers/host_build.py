"""The kernels' CUDA source compiled for the host, where threads run one after the other."""

import ctypes
from pathlib import Path

import numpy as np

from helpers.host_compiler import library

SHIM = """
#include <cstdint>
#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(n)
struct uint4 { uint32_t x, y, z, w; };
struct Index { long long x, y; };
static Index threadIdx, blockIdx, blockDim, gridDim;
#define __shared__
#include <cmath>
#include <limits>
// A division with the GPU's guarantees: nan where float32 division has none.
template <class A, class F> F divided(A a, F b) {
    const F q = a / b;
    const bool positive_zero = a == 0 && !std::signbit(q);
    const bool promised = sizeof(F) == 8 || (std::isnormal(b) && (std::isnormal(q) || positive_zero));
    return promised ? q : std::numeric_limits<F>::quiet_NaN();
}
static void __syncthreads() {}
static uint64_t __umul64hi(uint64_t a, uint64_t b) {
    return static_cast<unsigned __int128>(a) * b >> 64;
}
"""


def compiled(directory: Path, source: str) -> ctypes.CDLL:
    for division, limited in (("a / b", "divided(a, b)"), ("1 / a", "divided(1, a)")):
        source = source.replace(f"return {division};", f"return {limited};")
    return library(directory, source, "-fno-strict-aliasing", "-w")


def placed(a: np.ndarray, offset: int) -> np.ndarray:
    """Return a copy that begins `offset` elements after a 16-byte boundary."""
    room = np.empty(a.size + 32, a.dtype)
    start = -room.ctypes.data % 16 // a.itemsize + offset
    view = room[start : start + a.size]
    view[...] = a
    return view
