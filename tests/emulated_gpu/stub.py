"""The library that stands in for NVIDIA's driver: built once, loaded under the driver's name."""

import ctypes
import hashlib
import subprocess
import tempfile
from pathlib import Path

from emulated_gpu.files import cache_folder, written

NAME = "libcuda.so.1"
SOURCE = Path(__file__).with_name("libcuda.c")
OUT_OF_BOUNDS = -5
"""What `run` returns where a kernel's access faulted."""


def built(source: str, *options: str) -> Path:
    """Return a shared library made of C source, which is compiled where it was not before."""
    digest = hashlib.sha256("\n".join([source, *options]).encode()).hexdigest()
    library = cache_folder("libraries") / f"{digest[:32]}.so"
    if not library.exists():
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder, "made.so")
            flags = ("-O1", "-shared", "-fPIC", "-pthread", "-x", "c")
            command = ["gcc", *flags, "-o", str(made), "-", *options]
            subprocess.run(command, input=source, check=True, text=True)
            written(library, made.read_bytes())
    return library


# whoever loads the driver later, by its name, is given what is loaded already
library = ctypes.CDLL(str(built(SOURCE.read_text(), f"-Wl,-soname,{NAME}")), mode=ctypes.RTLD_GLOBAL)
library.emulated_find.restype, library.emulated_find.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
library.emulated_register.argtypes = [ctypes.c_char_p, ctypes.c_void_p]

run = library.emulated_run
run.argtypes = [
    *[ctypes.c_void_p] * 2,
    *[ctypes.c_uint] * 6,
    ctypes.c_void_p,
    ctypes.c_uint64,
    ctypes.c_void_p,
]
