"""The number of CPUs that this process may use: those it may run on, or fewer with a container's quota."""

import os
from collections.abc import Iterator
from functools import cache
from math import ceil
from pathlib import Path


def usable() -> int:
    """Return the number of CPUs; a fraction is rounded up."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = own_quota()
    return allowed if quota is None else max(1, min(allowed, ceil(quota)))


@cache
def own_quota() -> float | None:
    return cpu_quota(Path("/"))


def cpu_quota(root: Path) -> float | None:
    """Return how many CPUs' time control groups grant to this process, None without a limit."""
    return min(quotas(root), default=None)


def quotas(root: Path) -> Iterator[float]:
    """Yield the limits of this process' control group and the enclosing ones, of both versions."""
    mounted = root / "sys/fs/cgroup"
    for line in text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        inner = [part for part in path.split("/") if part not in ("", "..")]
        if not controllers:
            bases = [mounted, mounted / "unified"]
        elif "cpu" in controllers.split(","):
            bases = [mounted / "cpu", mounted / controllers]
        else:
            continue
        # a container sees its own group at the top, whatever its name outside
        for folder in (base.joinpath(*inner[:depth]) for base in bases for depth in range(len(inner) + 1)):
            limit = text(folder / "cpu.max").split() or [
                text(folder / "cpu.cfs_quota_us").strip(),
                text(folder / "cpu.cfs_period_us").strip(),
            ]
            # no limit is "max" or -1
            if len(limit) == 2 and limit[0].isdecimal() and limit[1].isdecimal() and int(limit[1]):
                yield int(limit[0]) / int(limit[1])


def text(path: Path) -> str:
    """Return what a file of the system says, nothing if there is none."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
