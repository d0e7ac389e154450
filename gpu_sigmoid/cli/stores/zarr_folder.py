"""The folders of Zarr arrays: which may be replaced, and where new ones may go."""

import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gpu_sigmoid.cli.paths import check_folder, check_writable, mode_of, refusal, resolved

METADATA = ("zarr.json", ".zarray", ".zattrs")
NUMBER = r"(0|[1-9]\d*)"


def check_array_folder(path: Path) -> None:
    """Raise unless a Zarr array can be written at `path`, new or in place of an array."""
    real = resolved(path)
    check_folder(path, real.parent)
    for outer in real.parents:
        if is_array(outer):
            raise refusal(path, f"{outer} is a Zarr array; write outside it")
        if consolidated(outer):
            raise refusal(path, f"{outer} has consolidated metadata, which would become out of date")
    mode = mode_of(path, real)
    if mode is None:
        return
    if not stat.S_ISDIR(mode):
        raise refusal(path, "it is a file, but a Zarr array is a folder; name another")
    if real in (here := resolved(Path("."))).parents or real == here:
        raise refusal(path, "it is the current folder or contains it; name another")
    if not is_array(real):
        raise refusal(
            path, "it is a folder but not a Zarr array, and only an array is replaced; name another"
        )
    check_writable(path, real)
    check_contents(path, real)


def is_array(folder: Path) -> bool:
    """Return whether a folder's metadata is that of an array."""
    metadata = metadata_of(folder)
    return metadata.get("node_type", "array") == "array" and isinstance(metadata.get("shape"), list)


def metadata_of(folder: Path) -> dict[str, Any]:
    old = folder / ".zarray"
    return read(old if old.exists() else folder / "zarr.json")


def consolidated(folder: Path) -> bool:
    """Return whether a group keeps a copy of its members' metadata."""
    return (folder / ".zmetadata").exists() or bool(read(folder / "zarr.json").get("consolidated_metadata"))


def read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def check_contents(path: Path, folder: Path) -> None:
    """Raise if an array's folder contains anything but metadata and chunks, or cannot be removed."""
    chunk = chunk_name(metadata_of(folder))
    for entry in entries(path, folder):
        name = Path(os.path.relpath(entry.path, folder)).as_posix()
        known = entry.is_dir() or (entry.is_file() and (name in METADATA or chunk.fullmatch(name)))
        if entry.is_symlink() or not known:
            raise refusal(path, f"it is a Zarr array, but {name} in it is not part of one; name another")


def chunk_name(metadata: dict[str, Any]) -> re.Pattern[str]:
    """Return the pattern of an array's chunks' names."""
    encoding, leading = {"separator": metadata.get("dimension_separator")}, []
    if "node_type" in metadata:
        key = of_dict(metadata, "chunk_key_encoding")
        encoding = of_dict(key, "configuration")
        leading = ["c"] if key.get("name", "default") == "default" else []
    steps = [*leading, *[NUMBER] * len(metadata["shape"])] or ["0"]
    separator = encoding.get("separator") or ("/" if leading else ".")
    return re.compile(re.escape(str(separator)).join(steps))


def of_dict(metadata: dict[str, Any], key: str) -> dict[str, Any]:
    found = metadata.get(key)
    return found if isinstance(found, dict) else {}


def entries(path: Path, folder: Path) -> Iterator[os.DirEntry[str]]:
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise refusal(path, f"{click.format_filename(folder)} in it is protected; name another")
    with os.scandir(folder) as found:
        for entry in found:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from entries(path, Path(entry.path))
