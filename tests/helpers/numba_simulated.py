"""Run in a process of its own: the Numba CUDA backend in Numba's simulator.

The simulator runs kernels as Python. Loads and stores go to the host's memory and the
arithmetic to the CPU backend: what is tested is which elements are read and written.
"""

import ctypes
from contextlib import nullcontext
from typing import Any

import numpy as np
from numba import cuda

import gpu_sigmoid as gs
from gpu_sigmoid.backends.numba_cuda import kernels, memory
from gpu_sigmoid.backends.placed import Placed

KERNELS = {
    f"{f.__name__}_{name}": f if name == "value" else getattr(f, name)
    for f in gs.FUNCTIONS.values()
    for name in ("value", "grad", "value_and_grad", "vjp")
} | {"identity_value": lambda x: x}
compiled: list[tuple] = []


def at(address: int, dtype: Any) -> np.ndarray:
    dtype = np.dtype(dtype)
    return np.frombuffer((ctypes.c_char * dtype.itemsize).from_address(address), dtype)


def scope(program: Any, dtype: str, kinds: tuple[str, ...]) -> dict[str, Any]:
    compiled.append((program.name, dtype, kinds))
    loads = {
        f"load_{kind}": lambda address, offset, kind=kind: dtype_of(dtype).type(at(address + offset, kind)[0])
        for kind in kinds
        if kind != "number"
    }

    def store(address: int, offset: int, value: Any) -> None:
        at(address + offset, dtype)[0] = value

    return {**loads, "store": store, "scalar": KERNELS[program.name]}


def dtype_of(name: str) -> np.dtype:
    return np.dtype(name)


def placed(array: Any) -> Placed:
    host = array._ary
    return Placed(host.ctypes.data, host.shape, host.strides, host.dtype)


def empty(shape: Any, dtype: Any, like: Any, stream: Any) -> Any:
    strides = memory.ordered_strides(shape, dtype.itemsize, like.strides) if like is not None else None
    return cuda.devicearray.FakeCUDAArray(np.ndarray(shape, dtype, strides=strides), stream)


kernels.scope = scope
memory.placed, memory.empty = placed, empty
memory.device_of = lambda function, arrays: nullcontext()


def device(array: np.ndarray) -> Any:
    return cuda.devicearray.FakeCUDAArray(array)


def check(call: Any, *arrays: Any, **options: Any) -> Any:
    got = call(*(device(a) if isinstance(a, np.ndarray) else a for a in arrays), **options)
    want = call(*arrays)
    for g, w in zip(*(r if isinstance(r, tuple) else (r,) for r in (got, want)), strict=True):
        assert type(g) is cuda.devicearray.FakeCUDAArray, (type(g), call)
        assert g.dtype == w.dtype and g.shape == np.shape(w), (g.dtype, w.dtype, g.shape, w.shape)
        np.testing.assert_array_equal(g._ary, w)
    return got


x = np.linspace(-5, 5, 120).astype(np.float32)
cube = x.reshape(4, 5, 6)
layouts = {
    "contiguous": x,
    "over a block": np.linspace(-5, 5, 700).astype(np.float32),
    "0-d": x[7:8].reshape(()),
    "empty": x[:0].reshape(0, 3),
    "one": x[:1],
    "strided": x[::3],
    "reversed": x[::-1],
    "fortran": np.asfortranarray(cube),
    "permuted": cube.transpose(1, 2, 0),
    "holes": cube[:, ::2, 1::3],
    "mixed signs": cube[::-1, :, ::-2],
    "repeated": np.broadcast_to(x[:6], (4, 6)),
}
for name, array in layouts.items():
    result = check(gs.sigmoid, array)
    check(gs.silu.value_and_grad, array)
    check(gs.bce_with_logits, array, 0.25)
    if name in ("fortran", "permuted"):
        assert result._ary.strides == np.empty_like(array).strides, name
check(gs.sigmoid.vjp, cube, x[:6])
check(gs.sigmoid.vjp, x[:5].reshape(5, 1), x[:6])
check(gs.bce_with_logits.vjp, cube, cube[:, :1], x[:6])
for dtype in (np.float16, np.float64, np.int8, np.uint64, np.bool_):
    check(gs.softplus, np.arange(5).astype(dtype))
check(gs.sigmoid.vjp, x, x.astype(np.float64))

# out=: new memory, the input itself, parts of it
out = np.zeros((4, 5, 6), np.float32, order="F")
assert check(gs.sigmoid, cube, out=device(out))._ary is out
check(gs.sigmoid, cube[0], out=device(np.zeros((1, 5, 6), np.float32)[0]))
for read, written in (
    (slice(None), slice(None)),
    (slice(0, 90), slice(30, 120)),
    (slice(30, 120), slice(0, 90)),
    (slice(0, 60), slice(0, 120, 2)),
    (slice(None), slice(None, None, -1)),
):
    buffer = x.copy()
    want = gs.sigmoid(buffer[read])
    before = len(compiled)
    gs.sigmoid(device(buffer[read]), out=device(buffer[written]))
    np.testing.assert_array_equal(buffer[written], want)
    if read == written:
        assert len(compiled) == before  # nothing was copied
first, second = x.copy(), np.zeros_like(x)
check(gs.silu.value_and_grad, x, out=(device(first), None))
np.testing.assert_array_equal(first, gs.silu(x))


def refused(kind: type, words: str, call: Any) -> None:
    try:
        call()
    except kind as error:
        assert words in str(error), error
    else:
        raise AssertionError(f"accepted: {words}")


d = device(x)
refused(TypeError, "cannot be mixed", lambda: gs.sigmoid(d, out=x))
refused(TypeError, "out has dtype float64", lambda: gs.sigmoid(d, out=device(x.astype(float))))
refused(ValueError, "out has shape (3,)", lambda: gs.sigmoid(device(cube[0, :1, :1]), out=device(x[:3])))
refused(
    ValueError, "out has shape (3, 6)", lambda: gs.sigmoid(device(x[:6]), out=device(x[:18].reshape(3, 6)))
)
refused(TypeError, "a tuple of 2 arrays", lambda: gs.sigmoid.value_and_grad(d, out=d))
refused(ValueError, "share memory", lambda: gs.sigmoid.value_and_grad(d, out=(d, d)))
refused(ValueError, "share memory", lambda: gs.sigmoid.value_and_grad(d, out=(device(x), device(x))))
refused(TypeError, "complex64 is not accepted", lambda: gs.sigmoid(device(x.astype(np.complex64))))

# one compilation a layout, whatever the shape
before = len(compiled)
for count in (3, 50, 101):
    check(gs.sigmoid, x[:count])
    check(gs.sigmoid, x[:count:2])
assert len(compiled) == before
print("ok")
