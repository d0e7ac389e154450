"""The folders of Zarr arrays: which may be replaced, and where a new one may be put."""

import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gpu_sigmoid.cli.paths import check_folder, check_writable, mode_of, refusal, resolved

METADATA = ("zarr.json", ".zarray", ".zattrs")
CHUNK = re.compile(r"c|(c[./])?\d+([./]\d+)*")
"""The names of chunks, and of folders of them, in format 2 and 3."""


def check_array_folder(path: Path) -> None:
    """Raise unless a Zarr array can be put at `path`, in place of one or of nothing."""
    real = resolved(path)
    check_folder(path, real.parent)
    for outer in real.parents:
        if is_array(outer):
            raise refusal(path, f"{outer} is a Zarr array; put it beside that")
        if consolidated(outer):
            raise refusal(path, f"{outer} has consolidated metadata, which would say what was there before")
    mode = mode_of(path, real)
    if mode is None:
        return
    if not stat.S_ISDIR(mode):
        raise refusal(path, "it is a file, and a Zarr array a folder; name another")
    if real in (here := resolved(Path("."))).parents or real == here:
        raise refusal(path, "it is the current folder or holds it; name another")
    if not is_array(real):
        raise refusal(path, "it is a folder and no Zarr array; only an array is replaced, name another")
    for strange in strangers(real):
        raise refusal(path, f"it is a Zarr array, but {strange} in it is no part of one; name another")
    check_writable(path, real)


def is_array(folder: Path) -> bool:
    """Return whether a folder's metadata is that of an array."""
    if (folder / ".zarray").exists():
        return "shape" in read(folder / ".zarray")
    return read(folder / "zarr.json").get("node_type") == "array"


def consolidated(folder: Path) -> bool:
    """Return whether a group keeps a copy of its members' metadata."""
    return (folder / ".zmetadata").exists() or bool(read(folder / "zarr.json").get("consolidated_metadata"))


def read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def strangers(folder: Path) -> Iterator[str]:
    """Yield what lies in an array's folder and is neither its metadata nor a chunk."""
    for entry in entries(folder):
        name = os.path.relpath(entry.path, folder)
        part = CHUNK.fullmatch(Path(name).as_posix())
        known = (entry.is_file() and (part or name in METADATA)) or (entry.is_dir() and part)
        if entry.is_symlink() or not known:
            yield name


def entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        for entry in found:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from entries(Path(entry.path))
