"""What the emulated GPU needs, and the versions whose inner parts it fits."""

import importlib.util
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FITS = {"cupy-cuda13x": "14.2", "numba-cuda": "0.30"}
"""What it replaces parts of: the releases it was written for, that the extra test-cuda pins."""
INSTRUCTIONS = {"f16c", "fma"}


def why_not() -> str | None:
    """Return why there can be no emulated GPU here, None where there can."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return "it runs on Linux on x86-64 alone"
    if missing := INSTRUCTIONS - cpu_flags():
        return f"the CPU has no {' and no '.join(sorted(missing))}"
    if shutil.which("gcc") is None:
        return "gcc is not installed, which compiles its driver"
    for package, release in FITS.items():
        try:
            found = version(package)
        except PackageNotFoundError:
            return f"{package} is not installed: pip install -e '.[test-cuda]'"
        if not found.startswith(f"{release}."):
            return f"it fits {package} {release}, and {found} is installed: pip install -e '.[test-cuda]'"
    if importlib.util.find_spec("nvidia.cu13") is None:
        return "NVRTC is not installed: pip install -e '.[test-cuda]'"
    return None


def cpu_flags() -> set[str]:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return set(next((line for line in lines if line.startswith("flags")), "").split())
