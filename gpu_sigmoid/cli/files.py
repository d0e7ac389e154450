"""Writing a file whole or not at all."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Give a path beside `target` for a file or a folder that takes its name if all goes well."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise click.ClickException(f"cannot write beside {target}: {error.strerror}") from None
    try:
        temporary = folder / target.name
        yield temporary
        for path in temporary.rglob("*") if temporary.is_dir() else [temporary]:
            synced(path)
        take_place(temporary, target, folder / "replaced")
    finally:
        shutil.rmtree(folder)


def take_place(new: Path, target: Path, aside: Path) -> None:
    """Move `new` to `target`, by way of `aside` if that is a folder, which nothing can replace."""
    if not target.is_dir():
        os.replace(new, target)
        return
    os.replace(target, aside)
    try:
        os.replace(new, target)
    except OSError:
        os.replace(aside, target)
        raise


def synced(path: Path) -> None:
    """Wait until a file is on the disk."""
    if path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())


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
