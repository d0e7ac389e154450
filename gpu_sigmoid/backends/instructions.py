"""Which instructions the CPU has that Numba compiles for.

For a missing instruction LLVM calls a function, which either cannot be linked or takes a hundred
times as long.
"""

from llvmlite import binding
from numba.core import config

# That of this process. `platform.machine` names the computer's, and Windows for ARM runs x86 programs too.
ARCHITECTURE = binding.get_process_triple().partition("-")[0]
ON_X86, ON_ARM = ARCHITECTURE == "x86_64", ARCHITECTURE in ("aarch64", "arm64", "arm64e")


def converts_half() -> bool:
    """Return whether the CPU converts float16 to float32 and back."""
    return has("f16c") if ON_X86 else ON_ARM


def fuses_multiply_add() -> bool:
    """Return whether the CPU computes a * b + c with one rounding."""
    return not ON_X86 or has("fma") or has("fma4")


def has(feature: str) -> bool:
    # unless the environment variable NUMBA_CPU_FEATURES sets it
    chosen = vars(config).get("CPU_FEATURES")
    if chosen is not None:
        return f"+{feature}" in chosen.split(",")
    return bool(binding.get_host_cpu_features().get(feature))
