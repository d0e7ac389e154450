"""Keep helping threads off the CPU of the thread that they help.

Linux may wake a thread on the CPU of the one that woke it, and leave it there while another
CPU idles, call after call: two threads then take as long as one. On a machine with two CPUs
that befell 11 of 24 series of calls of 0.4 to 2 ms.
"""

import contextlib
import ctypes
import os
from collections.abc import Callable
from threading import Thread


def no_cpu() -> int:
    return -1


def cpu_getter() -> Callable[[], int]:
    if not hasattr(os, "sched_setaffinity"):
        return no_cpu
    # PyDLL: to give the interpreter's lock away takes longer than the call
    return getattr(ctypes.PyDLL(None), "sched_getcpu", no_cpu)


current_cpu = cpu_getter()


class Helper(Thread):
    """A daemon that can be kept off a CPU."""

    off = -1

    def keep_off(self, cpu: int) -> None:
        """Let it run wherever the calling thread may, but on `cpu`, if there is another."""
        if cpu != self.off and self.native_id is not None:
            self.off = cpu
            # some sandboxes forbid it
            with contextlib.suppress(OSError):
                others = os.sched_getaffinity(0) - {cpu}
                if others:
                    os.sched_setaffinity(self.native_id, others)
