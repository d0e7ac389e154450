"""Limits of launches, shared memory and memory; several devices; settings; each where CUDA refuses."""

from typing import Any

import numpy as np
import pytest
from helpers.processes import python

from emulated_gpu.whole_kernel import failure

NOTHING = 'extern "C" __global__ void nothing() {}'
BOUNDED = 'extern "C" __global__ void __launch_bounds__(64) bounded() {}'
SHARED = """
extern "C" __global__ void sum(int* out) {
    extern __shared__ int words[];
    words[threadIdx.x] = threadIdx.x;
    __syncthreads();
    if (threadIdx.x == 0) {
        int total = 0;
        for (int k = 0; k < blockDim.x; ++k) total += words[k];
        *out = total;
    }
}
"""


@pytest.mark.parametrize(
    ("grid", "block"),
    [
        ((1,), (1025,)),
        ((1,), (1, 1, 65)),
        ((1,), (32, 33)),
        ((1, 65536), (1,)),
        ((1, 1, 65536), (1,)),
    ],
)
def test_sizes_of_launches(gpu: Any, grid: tuple, block: tuple) -> None:
    run = gpu.RawKernel(NOTHING, "nothing")
    assert "CUDA_ERROR_INVALID_VALUE" in failure(gpu, run, grid, block, ())
    run((1,), (1024,), ())


def test_launch_bounds(gpu: Any) -> None:
    run = gpu.RawKernel(BOUNDED, "bounded")
    assert "CUDA_ERROR_INVALID_VALUE" in failure(gpu, run, (1,), (65,), ())
    assert run.max_threads_per_block == 64


def test_more_shared_memory_has_to_be_asked_for(gpu: Any) -> None:
    run = gpu.RawKernel(SHARED, "sum")
    out = gpu.zeros(1, "i4")
    room = gpu.cuda.Device().attributes["MaxSharedMemoryPerBlockOptin"]
    assert "CUDA_ERROR_INVALID_VALUE" in failure(gpu, run, (1,), (32,), (out,), shared_mem=(48 << 10) + 4)
    run((1,), (32,), (out,), shared_mem=48 << 10)
    run.max_dynamic_shared_size_bytes = room
    run((1,), (32,), (out,), shared_mem=room)
    assert int(out[0]) == 31 * 16
    with pytest.raises(gpu.cuda.driver.CUDADriverError, match="CUDA_ERROR_INVALID_VALUE"):
        run.max_dynamic_shared_size_bytes = room + 4


def test_fresh_memory_holds_no_zeros(emulated: Any) -> None:
    address = emulated.cuda.runtime.malloc(5000)
    host = np.zeros(5000, np.uint8)
    emulated.cuda.runtime.memcpy(host.ctypes.data, address, 5000, 2)
    emulated.cuda.runtime.free(address)
    assert host.all()


@pytest.mark.parametrize("offset", [0, 4])
def test_copies_beyond_an_allocation_are_refused(emulated: Any, offset: int) -> None:
    address = emulated.cuda.runtime.malloc(100)
    host = np.zeros(200, np.uint8)
    message = failure(
        emulated, emulated.cuda.runtime.memcpy, host.ctypes.data, address + offset, 101 - offset, 2
    )
    emulated.cuda.runtime.free(address)
    assert "cudaErrorInvalidValue" in message
    assert "are not allocated" in message
    assert "freed before" in failure(emulated, emulated.cuda.runtime.free, address)


def run(code: str, **settings: int) -> str:
    """Return what a process prints that finds an emulated GPU of such settings."""
    variables = {f"EMULATED_GPU_{name}": value for name, value in settings.items()}
    done = python("-c", f"import cupy, numpy as np\n{code}", **variables)
    return f"{done.returncode}\n{done.stdout}{done.stderr}"


def test_the_host_faults_where_it_follows_a_device_address(emulated: Any) -> None:
    printed = run(
        "import ctypes, faulthandler; faulthandler.enable()\n"
        "x = cupy.ones(4)\nprint('before', flush=True)\nctypes.string_at(x.data.ptr, 8)\nprint('after')"
    )
    assert printed.startswith("-11\nbefore\n")
    assert "Segmentation fault" in printed
    assert "after" not in printed


BEYOND = """
cupy.cuda.set_allocator(None)
kernel = cupy.RawKernel('extern "C" __global__ void set(float* x, int n) { x[n + threadIdx.x] = 1; }', "set")
for n in (96, 100):
    x = cupy.zeros(100, "f4")
    kernel((1,), (4,), (x, np.int32(n)))
    try:
        cupy.cuda.Device().synchronize()
        print(n, "no error")
    except cupy.cuda.runtime.CUDARuntimeError as error:
        print(n, error)
"""


def test_what_goes_beyond_an_exact_end_faults(emulated: Any) -> None:
    printed = run(BEYOND, EXACT_ENDS=1)
    assert "96 no error" in printed
    assert "100 cudaErrorIllegalAddress" in printed


DEVICES = """
with cupy.cuda.Device(1):
    y = cupy.arange(5)
    stream = cupy.cuda.Stream(non_blocking=True)
x = cupy.arange(5)
print(cupy.cuda.runtime.getDeviceCount(), x.device.id, y.device.id)
event = cupy.cuda.Event()
for work in (lambda: cupy.cuda.runtime.eventRecord(event.ptr, stream.ptr), lambda: cupy.cuda.Device(2).use()):
    try:
        work()
        print("no error")
    except (cupy.cuda.runtime.CUDARuntimeError, cupy.cuda.driver.CUDADriverError) as error:
        print(error)
"""


def test_two_devices(emulated: Any) -> None:
    printed = run(DEVICES, DEVICES=2)
    assert "0\n2 0 1\n" in printed
    assert "cudaErrorInvalidResourceHandle" in printed
    assert "cudaErrorInvalidDevice" in printed
    assert "no error" not in printed


def test_settings(emulated: Any) -> None:
    code = """
attributes = cupy.cuda.Device().attributes
print(attributes["MaxSharedMemoryPerBlockOptin"], attributes["MultiProcessorCount"])
print(cupy.cuda.Device().compute_capability)
try:
    cupy.empty(2 << 20, "u1")
except cupy.cuda.memory.OutOfMemoryError as error:
    print(error)
code = 'asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x))'
kernel = cupy.ElementwiseKernel("float32 x", "float32 y", code, "reciprocal")
print(int(kernel(cupy.full(1, 3, "f4")).view("i4")[0]) - int(np.float32(1 / np.float32(3)).view("i4")))
"""
    printed = run(
        code, SHARED_BYTES=99 << 10, PROCESSORS=3, CAPABILITY=86, MEMORY_BYTES=1 << 20, RECIPROCAL_ULP=1
    )
    for expected in ("101376 3\n", "86\n", "Out of memory", "\n1\n"):
        assert expected in printed
