"""What figures depend on beside the processor's name: its caches, its clock, and what else runs."""

import os
import subprocess
from pathlib import Path

from llvmlite import binding
from numba.core import config

from gpu_sigmoid.processors import text, usable

REPOSITORY = Path(__file__).resolve().parent.parent
CPUS = Path("/sys/devices/system/cpu")
BOOST = {"cpufreq/boost": "1", "intel_pstate/no_turbo": "0"}
"""Where Linux tells whether CPUs may exceed their base clock, and what it says if so."""


def conditions() -> dict[str, str]:
    """Return what a run's document says of them; empty where the system does not tell."""
    return {
        "compiled_for": target(),
        "caches": caches(),
        "clock": clock(),
        "load": load(),
        "revision": revision(),
    }


def target() -> str:
    """Return LLVM's name of the CPU that kernels are compiled for."""
    return str(config.CPU_NAME or binding.get_host_cpu_name())


def caches(root: Path = CPUS) -> str:
    """Return the sizes of the caches that a CPU of this machine uses."""
    found = []
    for folder in sorted((root / "cpu0/cache").glob("index*")):
        level, kind, size = (text(folder / name).strip() for name in ("level", "type", "size"))
        found.append(f"L{level} {kind.lower()} {size.removesuffix('K')} KiB")
    return ", ".join(found)


def clock(root: Path = CPUS) -> str:
    """Return whether the clock is boosted, who governs it, and whether threads share a core."""
    told = {path: text(root / path).strip() for path in BOOST}
    boost = [f"boost {'on' if value == BOOST[path] else 'off'}" for path, value in told.items() if value]
    governor = text(root / "cpu0/cpufreq/scaling_governor").strip()
    smt = {"0": "one thread a core", "1": "several threads a core"}.get(text(root / "smt/active").strip())
    virtual = "hypervisor" in text(Path("/proc/cpuinfo")).split()
    said = [
        "virtual machine" if virtual else None,
        *(boost or ["boost not told"]),
        governor and f"governor {governor}",
        smt,
    ]
    return ", ".join(filter(None, said))


def load() -> str:
    """Return how many processes want to run on how many CPUs."""
    if not hasattr(os, "getloadavg"):
        return ""
    return f"load average {os.getloadavg()[0]:.1f} on {usable()} CPUs"


def revision(folder: Path = REPOSITORY) -> str:
    """Return the commit that a clone of the repository is at, and whether its files differ from it."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=7", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
