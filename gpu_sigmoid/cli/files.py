"""Writing a file whole or not at all."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click


@contextmanager
def written_whole(target: Path) -> Iterator[str]:
    """Give a temporary path beside `target` that takes its name if all goes well."""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise click.ClickException(f"cannot write beside {target}: {error.strerror}") from None
    try:
        yield temporary
        os.fsync(handle)
        # a temporary file is its owner's alone; what it becomes follows the umask
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    finally:
        os.close(handle)


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

    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield checkpoint
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
