"""How much of memory the CPU's caches hold."""

import re
from functools import cache
from pathlib import Path

from gpu_sigmoid.processors import text

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
UNKNOWN = 32 << 20
"""The bytes that are assumed if the system does not tell."""

MOST = 128 << 20
"""The most bytes that a process can expect: many cores, and often several virtual machines, share a larger
cache."""


@cache
def last_cache() -> int:
    """Return the bytes that can be expected to stay in the last cache before the memory."""
    sizes = [found for path in CACHES.glob("index*/size") if (found := re.match(r"(\d+)K", text(path)))]
    return min(max((int(found[1]) << 10 for found in sizes), default=UNKNOWN), MOST)
