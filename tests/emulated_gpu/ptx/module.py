"""A PTX module, ready to be launched; what it was translated to is kept on disk."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from emulated_gpu import settings
from emulated_gpu.files import cache_folder, written
from emulated_gpu.ptx import native
from emulated_gpu.ptx.grid import translated
from emulated_gpu.ptx.parser import Parameter, parse
from emulated_gpu.ptx.prelude import PRELUDE


@dataclass(frozen=True)
class LoadedKernel:
    """What a launch needs to know of a kernel, and its address."""

    name: str
    parameters: list[Parameter]
    most_threads: int
    static_shared_bytes: int
    state_bytes: int
    address: int = 0


def load(text: str) -> dict[str, LoadedKernel]:
    """Return the kernels of a module by name.

    Raises
    ------
    PtxError
        If something in it is not emulated.
    """
    digest = hashlib.sha256(f"{fingerprint()}\n{text}".encode()).hexdigest()
    path = cache_folder("ptx") / digest[:2] / digest[2:]
    if path.exists():
        head, _, code = path.read_bytes().partition(b"\n")
        described = [described_kernel(each) for each in json.loads(head)]
    else:
        described, code = translate(text)
        head = json.dumps([asdict(kernel) for kernel in described]).encode()
        written(path, head + b"\n" + code)
    addresses = native.addresses(code, [f"run.{kernel.name}" for kernel in described])
    return {k.name: LoadedKernel(**vars(k) | {"address": addresses[f"run.{k.name}"]}) for k in described}


def described_kernel(fields: dict) -> LoadedKernel:
    parameters = [Parameter(**parameter) for parameter in fields.pop("parameters")]
    return LoadedKernel(parameters=parameters, **fields)


def translate(text: str) -> tuple[list[LoadedKernel], bytes]:
    """Return the kernels of a module, without addresses, and their machine code."""
    ir, kernels = [PRELUDE], []
    for kernel in parse(text):
        code, state_bytes = translated(kernel)
        ir.append(code)
        kernels.append(
            LoadedKernel(
                kernel.name, kernel.parameters, kernel.most_threads, kernel.shared_bytes, state_bytes
            )
        )
    return kernels, native.object_code("\n".join(ir))


@cache
def fingerprint() -> str:
    """Return what, beside a PTX text, its translation depends on."""
    _, cpu, features = native.host()
    folder = Path(__file__).parent
    sources = [path.read_text() for path in (*sorted(folder.glob("*.py")), folder.parent / "memory.py")]
    return "\n".join([version("llvmlite"), cpu, features, str(settings.RECIPROCAL_ULP), *sources])
