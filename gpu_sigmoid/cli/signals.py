"""Signals that end a command, between its steps."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def interruptible() -> Iterator[Callable[[], None]]:
    """Give a function to call between steps: it ends the program if a signal asked for that.

    Signals wait for it. An exception raised by a handler may be raised inside a
    destructor, where Python drops it, and the program would go on.
    """
    received: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        received.append(number)

    def checkpoint() -> None:
        if received:
            click.echo("\ninterrupted", err=True)
            raise SystemExit(128 + received[0])

    # what `nohup` or a shell has set to be ignored stays ignored
    heard = [number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, remember) for number in heard}
    try:
        yield checkpoint
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
