"""Zarr arrays, chunk by chunk."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import click
import numpy as np
import zarr

from gpu_sigmoid.cli.computation import Computation
from gpu_sigmoid.cli.paths import check_not_input
from gpu_sigmoid.cli.stores import Job, result_dtype, result_shape, unreadable
from gpu_sigmoid.cli.stores.packing import check_unpacked
from gpu_sigmoid.cli.stores.zarr_folder import check_array_folder

Region = tuple[slice, ...]
COMPONENT = "component"
"""The name of the leading dimension of value and derivative, where dimensions have names."""
LOSSLESS = {"blosc", "bz2", "crc32c", "gzip", "lz4", "lzma", "zlib", "zstd"}
"""Lossless codecs from bytes to bytes; others round numbers, or accept only some dtypes."""


@dataclass
class ZarrJob(Job):
    """Blocks are the source's chunks; the target has the same ones."""

    source: Path
    target: Path
    computation: Computation
    column: str | None
    blocks: list[Region]
    summary: str

    def compute(self, block: Region) -> None:
        """Write a chunk's results to the target."""
        array = load(self.source, self.column)
        try:
            values = np.asarray(array[block])
        # decoders raise all kinds of errors on invalid bytes
        except Exception as error:
            where = ", ".join(f"{s.start}:{s.stop}" for s in block)
            raise unreadable(self.source, f"readable at [{where}]", error) from None
        results = self.computation(values)
        # without a fill value the contents of a missing chunk are undefined
        written = {"array.write_empty_chunks": True} if array.fill_value is None else {}
        with zarr.config.set(written):
            target = zarr.open_array(self.target, mode="r+")
        if not isinstance(results, tuple):
            target[block] = results
            return
        for i, result in enumerate(results):
            target[(i, *block)] = result


def check_target(target: Path, source: Path, column: str | None) -> None:
    """Raise for a target that a Zarr array may not replace, or be put into."""
    check_not_input(target, source / load(source, column).path)
    check_array_folder(target)


def open_job(source: Path, target: Path, computation: Computation, column: str | None) -> ZarrJob:
    """Return the job, and make the target without chunks."""
    array = load(source, column)
    dtype = result_dtype(computation, array.dtype, source)
    check_unpacked(source, array)
    shape, chunks = result_shape(computation, array.shape, source), array.chunks
    both = len(shape) > len(array.shape)
    version = array.metadata.zarr_format
    names = array.metadata.dimension_names if version == 3 else None
    attributes = dict(array.attrs)
    if both and "_ARRAY_DIMENSIONS" in attributes:
        attributes["_ARRAY_DIMENSIONS"] = [COMPONENT, *attributes["_ARRAY_DIMENSIONS"]]
    zarr.create_array(
        target,
        shape=shape,
        chunks=(1, *chunks) if both else chunks,
        shards=array.shards if array.shards is None or not both else (1, *array.shards),
        dtype=dtype,
        compressors=compressors(array),
        fill_value=None if array.fill_value is None else dtype.type(array.fill_value),
        attributes=attributes,
        dimension_names=(COMPONENT, *names) if both and names else names,
        zarr_format=version,
    )
    blocks = regions(array.shape, array.shards or chunks)
    return ZarrJob(source, target, computation, column, blocks, f"{dtype} {shape}")


def compressors(array: Any) -> Any:
    """Return an array's compressors if they are lossless, otherwise Zarr's default."""
    for codec in array.compressors:
        name = codec.codec_id if array.metadata.zarr_format == 2 else codec.to_dict()["name"]
        if name.removeprefix("numcodecs.") not in LOSSLESS:
            return "auto"
    return array.compressors


def regions(shape: tuple[int, ...], chunks: tuple[int, ...]) -> list[Region]:
    axes = [
        [slice(start, min(start + step, n)) for start in range(0, n, step)]
        for n, step in zip(shape, chunks, strict=True)
    ]
    return list(product(*axes))


def load(path: Path, column: str | None) -> Any:
    """Return the array at a path, or the named one in the group there."""
    named = click.format_filename(path)
    try:
        found = zarr.open(path, mode="r")
    # metadata may be any JSON, and Zarr reads it without checking
    except Exception as error:
        raise unreadable(path, "a readable Zarr array or group", error) from None
    if isinstance(found, zarr.Array):
        if column is not None:
            raise click.ClickException(f"{named} is a single array: --column is for a group")
        return chunked(path, found)
    if column is None:
        raise click.ClickException(
            f"{named} is a group: name one of its arrays with --column: {members(path, found)}"
        )
    try:
        array = found[column]
    except Exception:
        array = None
    if not isinstance(array, zarr.Array):
        raise click.ClickException(f"{named} has no array {column!r}; it has {members(path, found)}")
    return chunked(path, array)


def chunked(path: Path, array: Any) -> Any:
    """Return the array if it is cut into chunks of one shape, with some extent."""
    try:
        sides = [*array.chunks, *(array.shards or ())]
    except Exception as error:
        raise unreadable(path, "an array of chunks of one shape", error) from None
    if min(sides, default=1) < 1:
        raise click.ClickException(
            f"{click.format_filename(path)}: its chunks have a side of length {min(sides)}"
        )
    return array


def members(path: Path, group: Any) -> str:
    try:
        return ", ".join(sorted(repr(name) for name, _ in group.arrays())) or "none"
    except Exception as error:
        raise unreadable(path, "a readable Zarr group", error) from None
