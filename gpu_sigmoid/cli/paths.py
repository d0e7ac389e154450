"""Where a command may write, checked before it computes and again before it replaces anything."""

import os
import stat
from pathlib import Path
from typing import Any

import click


class OutputFile(click.Path):
    """An option's file, new or to be replaced."""

    def __init__(self) -> None:
        super().__init__(readable=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, or say why no file can be written there."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        check_file(path)
        return path


class OutputFolder(OutputFile):
    """An option's folder, which exists or can be made."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, or say why no files can be written there."""
        path = Path(os.fsdecode(click.Path.convert(self, value, param, ctx)))
        there = resolved(path)
        while not os.path.lexists(there):
            there = there.parent
        check_folder(path, there)
        return path


def resolved(path: Path) -> Path:
    """Return the path that symbolic links lead to, so that writing keeps the links."""
    return Path(os.path.realpath(path))


def check_file(path: Path) -> None:
    """Raise unless a file can be written at `path`, new or in place of a file."""
    real = resolved(path)
    check_folder(path, real.parent)
    mode = mode_of(path, real)
    if mode is None:
        return
    if stat.S_ISDIR(mode):
        raise refusal(path, "it is a folder; name a file")
    if not stat.S_ISREG(mode):
        raise refusal(path, "it is a device, a pipe or a link to itself; name a file")
    check_writable(path, real)


def check_new(path: Path) -> None:
    """Raise unless a new file can be written at `path`."""
    check_file(path)
    if os.path.lexists(path):
        raise refusal(path, "it already exists; name it with -o to replace it")


def check_not_input(path: Path, source: Path) -> None:
    """Raise if `path` is the input, by whatever name, or contains it."""
    real, read = resolved(path), resolved(source)
    if real == read or (real.exists() and read.exists() and real.samefile(read)):
        raise refusal(path, "it is the input; name another file")
    if real in read.parents:
        raise refusal(path, "it contains the input; name another file")


def check_folder(path: Path, folder: Path) -> None:
    """Raise unless files can be added to `folder`, which will contain `path`."""
    if not folder.is_dir():
        what = "is not a folder" if os.path.lexists(folder) else "does not exist; make that folder first"
        raise refusal(path, f"{click.format_filename(folder)} {what}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise refusal(path, f"the folder {click.format_filename(folder)} is not writable")


def check_writable(path: Path, real: Path) -> None:
    """Raise if the file to be replaced is read-only, which renaming would ignore."""
    if not os.access(real, os.W_OK):
        raise refusal(path, "it exists and is read-only; name another file or make it writable")


def mode_of(path: Path, real: Path) -> int | None:
    """Return the kind of file at `real`, or None."""
    try:
        return real.lstat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise refusal(path, str(error.strerror)) from None


def refusal(path: Path, reason: str) -> click.ClickException:
    return click.ClickException(f"cannot write {click.format_filename(path)}: {reason}")


def reason(error: OSError) -> str:
    """Return the reason of an error from the system or a library, in one line."""
    if error.errno:
        return os.strerror(error.errno)
    # if a shared library does not load, the previous error gives the reason
    if "failed to map segment" in str(error.__context__):
        return f"not enough memory: {error.__context__}"
    return one_line(error)


def one_line(error: Exception) -> str:
    """Return an error's message in one line, or the name of its class if it has none."""
    return " ".join(str(error).split()) or type(error).__name__
