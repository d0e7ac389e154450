"""What NVRTC makes of a kernel's source, as instructions. No GPU is needed, but CuPy and nvdisasm."""

import importlib.util
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import cupy
from cupy.cuda.compiler import _NVRTCProgram


def cubin(source: str, architecture: int, *more: str) -> bytes:
    """Compile as CuPy does: it adds -ftz=true to everything."""
    options = ("-std=c++17", f"-arch=sm_{architecture}", "-ftz=true", *includes(), *more)
    compiled, _ = _NVRTCProgram(source, "kernel.cu", method="cubin").compile(options)
    # CuPy takes the last byte for the end of a string; the disassembler misses it
    return bytes(compiled) + b"\0"


@cache
def includes() -> tuple[str, ...]:
    """Return the options for CuPy's headers and CUDA's, which those include."""
    own = Path(cupy.__file__).parent / "_core" / "include"
    folders = [own, *(own / "cupy" / "_cccl" / name for name in ("libcudacxx", "thrust", "cub"))]
    if toolkit := cupy._environment.get_cuda_path():
        folders.append(Path(toolkit) / "include")
    return tuple(f"-I{folder}" for folder in folders)


@cache
def nvdisasm() -> str | None:
    """Return the disassembler that comes with a Python package, else the one on the path."""
    spec = importlib.util.find_spec("nvidia")
    folders = spec.submodule_search_locations if spec else None
    places = [str(p) for folder in folders or () for p in Path(folder).rglob("nvdisasm")]
    return places[0] if places else shutil.which("nvdisasm")


@cache
def why_not() -> str | None:
    """Return why nothing can be compiled or disassembled here, None if it can."""
    try:
        cubin('extern "C" __global__ void nothing() {}', 90)
    except Exception as error:
        return f"NVRTC does not compile here: {error}"
    return None if nvdisasm() else "nvdisasm is not installed"


def disassembled(source: str, architecture: int) -> str:
    """Return the code of a kernel's source."""
    return disassembled_cubin(cubin(source, architecture))


def disassembled_cubin(compiled: bytes) -> str:
    """Return a kernel's code.

    The internal functions that follow it are left out: they are the slow paths of divisions, and their .FTZ
    instructions flush no result.
    """
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(compiled)
        file.flush()
        command = [nvdisasm() or "", "-c", file.name]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return text.split("\n$__internal", 1)[0]


def instructions(code: str) -> list[str]:
    """Return the instructions' names, without their predicates."""
    found = re.findall(r"^\s*/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)", code, re.MULTILINE)
    assert len(found) > 20
    return found
