"""Writing files and folders completely or not at all."""

import ctypes
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import click

from gpu_sigmoid.cli.paths import check_file, reason, refusal, resolved
from gpu_sigmoid.cli.signals import checkpoint, interruptible

PREFIX = ".gpu-sigmoid-"
"""The prefix of the temporary folder beside a target; it stays behind only if the program is killed."""


@contextmanager
def written_whole(target: Path, check: Callable[[Path], None] = check_file) -> Iterator[Path]:
    """Yield a path for a file or folder that is renamed to the target if all goes well.

    Parameters
    ----------
    target : Path
        Symbolic links are followed and stay.
    check : callable
        Raises for a target that may not be replaced. It is called before anything is made, and
        again before the target is replaced, since things may change in between.
    """
    check(target)
    real = resolved(target)
    with interruptible(), reported(target), folder_beside(real) as folder:
        temporary = folder / real.name
        yield temporary
        synced(temporary)
        check(target)
        checkpoint()
        take_place(temporary, real)


@contextmanager
def written_together(target: Path) -> Iterator[Path]:
    """Yield a folder whose files all move to the folder `target`, or none of them does."""
    with interruptible(), ExitStack() as made, ExitStack() as folders, ExitStack() as undo:
        with reported(target):
            for folder in [outer for outer in (*reversed(target.parents), target) if not outer.exists()]:
                folder.mkdir()
                made.callback(folder.rmdir)
            new = folders.enter_context(folder_beside(target / "files"))
            yield new
        ready = []
        for path in sorted(new.iterdir()):
            check_file(target / path.name)
            real = resolved(target / path.name)
            with reported(target / path.name):
                # beside the file that it replaces, since a link may lead to another disk
                beside = folders.enter_context(folder_beside(real))
                synced(shutil.copyfile(path, beside / "new"))
                if real.exists():
                    shutil.copy2(real, beside / "old")
            ready.append((beside, real, target / path.name))
        checkpoint()
        for beside, real, named in ready:
            with reported(named):
                take_place(beside / "new", real)
            undo.callback(put_back, beside / "old", real)
        undo.pop_all()
        made.pop_all()


def put_back(old: Path, target: Path) -> None:
    """Undo a replacement."""
    if old.exists():
        os.replace(old, target)
    else:
        target.unlink()


@contextmanager
def reported(target: Path) -> Iterator[None]:
    """Report errors as failures to write the target."""
    try:
        yield
    except OSError as error:
        raise refusal(target, reason(error)) from None


@contextmanager
def folder_beside(real: Path) -> Iterator[Path]:
    """Yield a temporary folder beside a path, on the same file system, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=real.parent))
    try:
        (folder / "in").mkdir()
        yield folder / "in"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            click.echo(f"{click.format_filename(folder)} could not be removed; it can be deleted", err=True)


def take_place(new: Path, target: Path) -> None:
    """Move `new` to `target`; an older folder ends up in the temporary folder."""
    if os.path.lexists(target):
        # the new file has the permissions of the old one
        shutil.copymode(target, new)
    if not target.is_dir():
        os.replace(new, target)
    elif not exchanged(new, target):
        aside = new.parent.with_name("old")
        os.replace(target, aside)
        try:
            os.replace(new, target)
        except OSError:
            os.replace(aside, target)
            raise


def exchanged(one: Path, other: Path) -> bool:
    """Exchange two names atomically, if the system can; return whether it did."""
    if sys.platform != "linux":
        return False
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return renameat2 is not None and not renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange)


def synced(path: Path) -> None:
    """Wait until a file, or everything in a folder, is on the disk."""
    for part in path.rglob("*") if path.is_dir() else [path]:
        if part.is_file():
            # open for writing too, since Windows does not synchronise files open only for reading
            with part.open("r+b") as file:
                flushed(file.fileno())


def flushed(file: int) -> None:
    """Wait until an open file is on the disk; by fsync macOS waits until it is in the disk's own memory."""
    if sys.platform == "darwin":
        import fcntl

        # refused by some file systems, such as those of other machines
        with suppress(OSError):
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)
            return
    os.fsync(file)
