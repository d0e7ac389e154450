"""C++ compiled for the host by g++; tests are skipped if it is missing."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

FLAGS = ("-std=c++17", "-O2", "-march=native", "-ffp-contract=off", "-shared", "-fPIC")


def library(directory: Path, source: str, *flags: str) -> ctypes.CDLL:
    """Return a source compiled as a library, without contraction, for this CPU with its fma instruction."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    (directory / "library.cpp").write_text(source)
    subprocess.run(["g++", *FLAGS, *flags, "-o", "library.so", "library.cpp"], cwd=directory, check=True)
    return ctypes.CDLL(str(directory / "library.so"))
