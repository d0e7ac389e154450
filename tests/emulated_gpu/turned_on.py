"""Turns the emulated GPU on when it is imported, where the environment variable GPU_SIGMOID_EMULATE is 1.

To be imported before CuPy and Numba's CUDA target. Processes that this one starts get the
emulated GPU too.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emulated_gpu.requirements import why_not

FOLDER = Path(__file__).parent
VARIABLE = "GPU_SIGMOID_EMULATE"


def under_cupy() -> None:
    from emulated_gpu.cupy_api import capsules

    capsules.install()


def under_cuda_bindings() -> None:
    from emulated_gpu.numba_api import driver

    driver.install()


def under_numba() -> None:
    from emulated_gpu.numba_api import linker

    linker.install()


class Finder:
    """Puts the emulated GPU under a library just before it is imported; finds no module itself."""

    hooks: dict[str, Callable[[], None]]

    def __init__(self) -> None:
        self.hooks = {"cupy": under_cupy, "cuda.bindings": under_cuda_bindings}
        self.hooks["numba.cuda.dispatcher"] = under_numba

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if hook := self.hooks.pop(name, None):
            hook()


def turn_on() -> str | None:
    """Turn the emulated GPU on, or return why it cannot be."""
    if reason := why_not():
        return reason
    if "cupy" in sys.modules:
        return "CuPy was imported before it"
    from emulated_gpu import stub
    from emulated_gpu.files import cache_folder

    os.environ["CUPY_COMPILE_WITH_PTX"] = "1"
    # CUB's and cuTENSOR's kernels come compiled, for a real GPU
    os.environ["CUPY_ACCELERATORS"] = ""
    # what is compiled for the emulated GPU is not what a real one is to find
    os.environ["CUPY_CACHE_DIR"] = str(cache_folder("cupy"))
    site = str(FOLDER / "site")
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join([site, *(p for p in paths if p and p != site)])
    assert stub.library
    sys.meta_path.insert(0, Finder())
    return None


ASKED_FOR = os.environ.get(VARIABLE) == "1"
REASON = turn_on() if ASKED_FOR else None
"""Why there is no emulated GPU although it was asked for."""
ON = ASKED_FOR and REASON is None
