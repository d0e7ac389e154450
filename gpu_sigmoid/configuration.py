"""A printed report of what is installed and usable."""

import os
import platform

import numpy as np

from gpu_sigmoid.environment import get_num_threads, installed, why_no_gpu
from gpu_sigmoid.version import __version__

EXTRAS = {
    "numba": "",
    "cupy": "cuda13",
    "numba-cuda": "numba-cuda",
    "torch": "torch",
    "jax": "jax",
    "dask": "dask",
}
"""The extra that installs each library whose arrays are supported."""


def show_config() -> None:
    """Print versions, libraries, devices and threads, and the reason for anything missing.

    Imports Numba, JAX if it is installed, and CuPy if there is an NVIDIA driver.

    Examples
    --------
    >>> import gpu_sigmoid as gs
    >>> gs.show_config()  # doctest: +ELLIPSIS
    gpu_sigmoid ...
    Python ...
    numpy ...
    """
    gpu = why_no_gpu()
    rows = [
        ("gpu_sigmoid", __version__),
        ("Python", platform.python_version()),
        ("numpy", np.__version__),
        *((name, _version(name, extra)) for name, extra in EXTRAS.items()),
        ("CPU", f"{platform.machine()}, {os.cpu_count()} cores, {get_num_threads()} threads allowed"),
        ("", f"fused multiply-add in {_multiply_add()}"),
        ("GPU", "usable through CuPy" if gpu is None else f"not used: {gpu}"),
    ]
    for name, text in rows:
        print(f"{name:12}{text}")


def _multiply_add() -> str:
    """Return how kernels compute a * b + c, rounded once, on the CPU. Imports Numba."""
    from gpu_sigmoid.backends.instructions import fuses_multiply_add

    return "one instruction" if fuses_multiply_add() else "several: a CPU without FMA, and slower for it"


def _version(distribution: str, extra: str) -> str:
    names = ("cupy-cuda13x", "cupy-cuda12x", "cupy") if distribution == "cupy" else (distribution,)
    found = next(filter(None, map(installed, names)), None)
    if found and distribution == "jax":
        return found + _ways_from_jax()
    if found:
        return found
    other = ', or for CUDA 12: pip install "gpu-sigmoid[cuda12]"' if distribution == "cupy" else ""
    wanted = f"gpu-sigmoid[{extra}]" if extra else distribution
    return f'not installed: pip install "{wanted}"{other}'


def _ways_from_jax() -> str:
    """Return how JAX's programs call the kernels. Imports JAX."""
    try:
        from gpu_sigmoid.backends.jax import cuda, native

        reason = native.why_not()
    except (ImportError, AttributeError) as error:
        return f", not served: {error}"
    way = f", by calls back to Python: {reason}" if reason else ", by native calls"
    if why_no_gpu() is None:
        way += f"; not on a GPU: {reason}" if (reason := cuda.why_not()) else "; on a GPU too, experimentally"
    return way
