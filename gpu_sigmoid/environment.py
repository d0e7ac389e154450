"""The environment of a process: installed libraries, devices, threads."""

import ctypes
import importlib.metadata
import importlib.util
import os
import re
import sys
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from gpu_sigmoid.processors import usable

THREADS_VARIABLE = "GPU_SIGMOID_NUM_THREADS"
REQUIRED = "require_gpu=True asks for a GPU"
_threads: int | None = None

when_threads_are_set: list[Callable[[], None]] = []
"""Callbacks of `set_num_threads`, for native code that cannot call `get_num_threads`."""


@cache
def why_no_gpu() -> str | None:
    """Return why CuPy cannot run here, or None if it can. Imports CuPy only if there is a driver."""
    driver = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        ctypes.CDLL(driver)
    except OSError:
        return (
            f"there is no NVIDIA driver ({driver} does not load): install it for the GPU, or start a "
            "container with docker run --gpus all"
        )
    if importlib.util.find_spec("cupy") is None:
        return 'CuPy is not installed: pip install "gpu-sigmoid[cuda13]" (or [cuda12])'
    import cupy

    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        return f"CUDA does not start: {error}; nvidia-smi says which CUDA the driver is for"
    return None if count else "the driver reports no device; CUDA_VISIBLE_DEVICES may hide them"


def gpu_available() -> bool:
    """Return whether CuPy is installed and finds a usable GPU.

    Returns
    -------
    bool
        The answer is kept from the first call, which imports CuPy if there is an NVIDIA driver.

    Examples
    --------
    >>> import gpu_sigmoid as gs
    >>> gs.gpu_available() == (gs.array_module().__name__ == "cupy")
    True
    """
    return why_no_gpu() is None


def refuse_without_gpu(label: str, wish: str = "an array lies on a GPU") -> None:
    """Raise a RuntimeError if no GPU can be used: what needs one, why there is none, and what would help."""
    if reason := why_no_gpu():
        raise RuntimeError(f"{label}: {wish}, and none can be used: {reason}")


def array_module(*, require_gpu: bool = False) -> ModuleType:
    """Return cupy if a GPU is usable, otherwise numpy.

    Parameters
    ----------
    require_gpu : bool, keyword only
        Whether to raise an error instead of falling back to numpy.

    Returns
    -------
    module
        cupy or numpy.

    Raises
    ------
    RuntimeError
        If a GPU is required and none is usable. The message says why, and what would help.

    Examples
    --------
    >>> import gpu_sigmoid as gs
    >>> xp = gs.array_module()
    >>> x = xp.linspace(-1, 1, 5)
    """
    if require_gpu:
        refuse_without_gpu("array_module", REQUIRED)
    if gpu_available():
        import cupy

        return cupy
    return np


def asarray(x: Any, dtype: Any = None, *, require_gpu: bool = False) -> Any:
    """Return `x` as an array on the GPU if one is usable, otherwise as a NumPy array.

    Parameters
    ----------
    x : array_like
        Host data.
    dtype : dtype, optional
        As for `numpy.asarray`.
    require_gpu : bool, keyword only
        Whether to raise an error instead of falling back to a NumPy array.

    Returns
    -------
    cupy.ndarray or numpy.ndarray
        On the current device.

    Raises
    ------
    RuntimeError
        If a GPU is required and none is usable. The message says why, and what would help.

    Examples
    --------
    >>> import gpu_sigmoid as gs
    >>> x = gs.asarray([-1.0, 0.0, 1.0], dtype="float32")
    >>> gs.sigmoid(x).dtype
    dtype('float32')
    """
    if require_gpu:
        refuse_without_gpu("asarray", REQUIRED)
    return array_module().asarray(x, dtype=dtype)


def set_num_threads(n: int | None) -> None:
    """Set how many CPU threads a call may use, for this process.

    Calls that take 0.1 ms and more are split over at most this many threads, shorter ones only
    in quick succession; others are as fast on one. The results are the same for any number. The
    default is the environment variable GPU_SIGMOID_NUM_THREADS or, if that is unset or empty, the
    number of CPUs that this process may run on or that its container's quota allows. However large
    the number is, arrays of NumPy and torch get at most four threads for each of these CPUs.

    Parameters
    ----------
    n : int or None
        At least 1; with 1, every call runs on the caller's thread only. None returns to the default.

    Raises
    ------
    TypeError
        If n is neither an integer nor None.
    ValueError
        If n is less than 1.

    Examples
    --------
    >>> import gpu_sigmoid as gs
    >>> before = gs.get_num_threads()
    >>> gs.set_num_threads(1)
    >>> gs.get_num_threads()
    1
    >>> gs.set_num_threads(before)
    """
    global _threads
    if n is not None:
        if isinstance(n, bool) or not isinstance(n, int | np.integer):
            raise TypeError(f"set_num_threads: n must be a positive integer or None, not {n!r}")
        if n < 1:
            raise ValueError(f"set_num_threads: n must be a positive integer, not {n}")
        n = int(n)
    _threads = n
    for tell in when_threads_are_set:
        tell()


def get_num_threads() -> int:
    """Return how many CPU threads a call may use.

    Returns
    -------
    int
        At least 1; `set_num_threads` describes the default.

    Raises
    ------
    ValueError
        If the number comes from the environment variable GPU_SIGMOID_NUM_THREADS and is
        not a positive integer. The first call of a function on the CPU raises it too.

    Examples
    --------
    >>> import gpu_sigmoid as gs
    >>> gs.get_num_threads() >= 1
    True
    """
    if _threads is not None:
        return _threads
    variable = os.environ.get(THREADS_VARIABLE)
    if not variable:
        return usable()
    # int() takes more: digits of other scripts, a sign, spaces
    if not re.fullmatch("0*[1-9][0-9]{0,8}", variable):
        raise ValueError(f"{THREADS_VARIABLE} must be a positive integer, not {variable!r}")
    return int(variable)


def installed(distribution: str) -> str | None:
    """Return a distribution's version, or None if it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def gpu_description() -> dict[str, Any]:
    """Return the current GPU's name and capability, its driver and CuPy's version."""
    import cupy

    runtime = cupy.cuda.runtime
    properties = runtime.getDeviceProperties(cupy.cuda.Device().id)
    return {
        "name": properties["name"].decode(),
        "capability": f"{properties['major']}.{properties['minor']}",
        "driver": runtime.driverGetVersion(),
        "runtime": runtime.runtimeGetVersion(),
        "cupy": cupy.__version__,
    }
