"""Kernels written out, for tests: PTX text to a kernel of CuPy's, and the errors that launches end in."""

from pathlib import Path
from typing import Any

HEAD = """
.version 8.0
.target sm_90
.address_size 64
"""
REGISTERS = """
    .reg .pred %p<8>;
    .reg .b16 %h<16>;
    .reg .b32 %r<16>;
    .reg .f32 %f<16>;
    .reg .b64 %d<16>;
    .reg .f64 %g<16>;
"""


def kernel(cupy: Any, folder: Path, body: str, parameters: str = ".param .u64 out", outside: str = "") -> Any:
    """Return the kernel of a body, which may use registers of each type by the letter p, h, r, f, d or g."""
    path = folder / "kernel.ptx"
    head = f"{HEAD}{outside}\n.visible .entry whole({parameters})\n"
    path.write_text(f"{head}{{{REGISTERS}{body}\n}}\n")
    return cupy.RawModule(path=str(path)).get_function("whole")


def failure(cupy: Any, run: Any, *arguments: Any, **options: Any) -> str:
    """Return the error that a call ends in, or the work that it started, with what the emulated GPU adds."""
    try:
        run(*arguments, **options)
        cupy.cuda.Device().synchronize()
    except (cupy.cuda.runtime.CUDARuntimeError, cupy.cuda.driver.CUDADriverError) as error:
        return "\n".join([str(error), *getattr(error, "__notes__", [])])
    return "no error"
