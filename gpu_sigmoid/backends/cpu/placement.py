"""Keeps helping threads off the CPU of the thread that they help.

Linux may wake a thread on the CPU of the thread that woke it, and leave it there while another CPU is
idle, call after call; two threads then take as long as one. On a machine with two CPUs this happened in
11 of 24 series of calls of 0.4 to 2 ms.
"""

import ctypes
import os
from collections.abc import Callable
from typing import Any, Protocol

from gpu_sigmoid.signals import raised_in_c


def no_cpu() -> int:
    return -1


def cpu_getter() -> Callable[[], int]:
    if not hasattr(os, "sched_setaffinity"):
        return no_cpu
    # PyDLL, since releasing the GIL takes longer than the call
    return getattr(ctypes.PyDLL(None), "sched_getcpu", no_cpu)


current_cpu = cpu_getter()


give_way: Any = ctypes.CDLL("kernel32").SwitchToThread if os.name == "nt" else ctypes.CDLL(None).sched_yield
"""The C function that lets other threads have the calling one's CPU."""


class Thread(Protocol):
    """A thread's system identifier, and the CPU that it is kept off."""

    native_id: int | None
    off: int


def keep_off(thread: Thread, cpu: int) -> None:
    """Let a thread run on all CPUs of the calling one except `cpu`, if there is another."""
    if cpu == thread.off or thread.native_id is None:
        return
    thread.off = cpu
    try:
        others = os.sched_getaffinity(0) - {cpu}
        if others:
            os.sched_setaffinity(thread.native_id, others)
    except OSError as error:
        # some sandboxes forbid it
        if not raised_in_c(error):
            raise
