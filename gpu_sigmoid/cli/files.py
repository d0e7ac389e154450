"""Writing a file or a folder whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gpu_sigmoid.cli.paths import check_file, refusal, resolved

PREFIX = ".gpu-sigmoid-"
"""Of the folder beside a target in which it is made; only killing the program leaves one behind."""


@contextmanager
def written_whole(target: Path, check: Callable[[Path], None] = check_file) -> Iterator[Path]:
    """Give a path for a file or a folder that takes the target's name if all goes well.

    Parameters
    ----------
    target : Path
        Where symbolic links lead to is written to, and the links stay.
    check : callable
        Raises for a target that may not be replaced. It is asked before anything is
        made and again before the target is moved: much may happen in between.
    """
    check(target)
    real = resolved(target)
    try:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=real.parent))
    except OSError as error:
        raise refusal(target, str(error.strerror)) from None
    try:
        temporary = folder / real.name
        yield temporary
        for path in temporary.rglob("*") if temporary.is_dir() else [temporary]:
            synced(path)
        check(target)
        take_place(temporary, real, folder / "replaced")
    except OSError as error:
        # what libraries say in its place may have several lines
        raise refusal(target, os.strerror(error.errno) if error.errno else str(error)) from None
    finally:
        shutil.rmtree(folder)


def take_place(new: Path, target: Path, aside: Path) -> None:
    """Move `new` to `target`, by way of `aside` if that is a folder, which nothing can replace."""
    if os.path.lexists(target):
        # whoever may not read the old one may not read the new one
        shutil.copymode(target, new)
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
