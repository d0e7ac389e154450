"""Modules, which the driver calls libraries too, kernels and launches."""

import ctypes

from emulated_gpu import launch
from emulated_gpu.errors import CudaError, Status
from emulated_gpu.numba_api.arguments import INT, POINTER, SIZE, TEXT, UINT, Function, does, gives, put
from emulated_gpu.ptx.types import rounded_up


class LaunchConfiguration(ctypes.Structure):
    """CUlaunchConfig."""

    _fields_ = (
        ("sizes", UINT * 6),
        ("shared_bytes", UINT),
        ("stream", POINTER),
        ("attributes", POINTER),
        ("count", UINT),
    )


def load(pointer: int, image: int, *options: int) -> None:
    put(pointer, launch.load_module(ctypes.string_at(image)))


def kernel(module: int, name: bytes) -> int:
    return launch.function_handle(module, name.decode())


def attribute(pointer: int, number: int, kernel: int, *device: int) -> None:
    put(pointer, launch.function_of(kernel).attribute(number), INT)


def set_attribute(number: int, value: int, kernel: int, *device: int) -> None:
    launch.function_of(kernel).set_attribute(number, value)


def parameter_info(kernel: int, number: int, offset: int, size: int) -> None:
    parameters = launch.function_of(kernel).kernel.parameters
    if number >= len(parameters):
        raise CudaError(Status.INVALID_VALUE, f"the kernel has {len(parameters)} parameters")
    place = 0
    for parameter in parameters[: number + 1]:
        place = rounded_up(place, parameter.align) + parameter.size
    put(offset, place - parameters[number].size, SIZE)
    put(size, parameters[number].size, SIZE)


def launch_kernel(kernel: int, *arguments: int) -> None:
    *sizes, shared_bytes, stream, parameters, _ = arguments
    pointers = ctypes.cast(parameters, ctypes.POINTER(POINTER))
    launch.launch(kernel, tuple(sizes[:3]), tuple(sizes[3:]), shared_bytes, stream or 0, pointers)


def launch_configured(configuration: int, kernel: int, parameters: int, extra: int) -> None:
    given = LaunchConfiguration.from_address(configuration)
    launch_kernel(kernel, *given.sizes, given.shared_bytes, given.stream, parameters, extra)


OPTIONS = (POINTER, POINTER, UINT)

FUNCTIONS: dict[str, Function] = {
    "cuLibraryLoadData": ((POINTER, POINTER, *OPTIONS, *OPTIONS), load),
    "cuLibraryUnload": does(POINTER)(launch.unload_module),
    "cuLibraryGetKernel": gives(POINTER, TEXT)(kernel),
    "cuLibraryGetModule": gives(POINTER)(lambda module: module),
    "cuKernelGetFunction": gives(POINTER)(lambda kernel: kernel),
    "cuKernelGetAttribute": ((POINTER, INT, POINTER, INT), attribute),
    "cuKernelSetAttribute": ((INT, INT, POINTER, INT), set_attribute),
    "cuKernelGetParamInfo": ((POINTER, SIZE, POINTER, POINTER), parameter_info),
    "cuFuncGetAttribute": ((POINTER, INT, POINTER), attribute),
    "cuModuleLoadDataEx": ((POINTER, POINTER, UINT, POINTER, POINTER), load),
    "cuModuleUnload": does(POINTER)(launch.unload_module),
    "cuModuleGetFunction": gives(POINTER, TEXT)(kernel),
    "cuLaunchKernel": ((POINTER, *[UINT] * 7, POINTER, POINTER, POINTER), launch_kernel),
    "cuLaunchKernelEx": ((POINTER, POINTER, POINTER, POINTER), launch_configured),
    "cuOccupancyMaxActiveBlocksPerMultiprocessor": gives(POINTER, INT, SIZE, kind=INT)(lambda *_: 2),
    "cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags": gives(POINTER, INT, SIZE, UINT, kind=INT)(
        lambda *_: 2
    ),
}
