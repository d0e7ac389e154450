"""Signals that end a command, between its steps."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from gpu_sigmoid.signals import ENDING

_received: list[int] = []


class Interrupted(SystemExit):
    """Raised to end the program after a signal."""


def checkpoint() -> None:
    """End the program if a signal was received."""
    if _received:
        raise Interrupted(128 + _received[0])


@contextmanager
def interruptible(at_once: bool = False) -> Iterator[None]:
    """Let signals wait for the next `checkpoint`.

    An exception from a handler may be raised inside a destructor, where Python drops it, and the program
    would continue. If steps are long and need no cleaning up, `at_once` raises it in the handler as well; if
    it is dropped there, it is raised again at the next checkpoint.
    """

    def remember(number: int, frame: FrameType | None) -> None:
        _received.append(number)
        if at_once:
            checkpoint()

    # signals that `nohup` or a shell has set to be ignored stay ignored
    heard = [number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, remember) for number in heard}
    try:
        yield
    finally:
        _received.clear()
        for number, handler in before.items():
            signal.signal(number, handler)
