"""Signals that end a command, between its steps."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_received: list[int] = []


class Interrupted(SystemExit):
    """The end of the program, for a signal asked for it."""


def checkpoint() -> None:
    """End the program if a signal asked for that."""
    if _received:
        raise Interrupted(128 + _received[0])


@contextmanager
def interruptible(at_once: bool = False) -> Iterator[None]:
    """Let signals wait for the next `checkpoint`.

    An exception raised by a handler may be raised inside a destructor, where Python drops
    it, and the program would go on. Where steps are long and nothing has to be tidied up,
    `at_once` raises it there, too; dropped, it is raised again at the next checkpoint.
    """

    def remember(number: int, frame: FrameType | None) -> None:
        _received.append(number)
        if at_once:
            checkpoint()

    # what `nohup` or a shell has set to be ignored stays ignored
    heard = [number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, remember) for number in heard}
    try:
        yield
    finally:
        _received.clear()
        for number, handler in before.items():
            signal.signal(number, handler)
