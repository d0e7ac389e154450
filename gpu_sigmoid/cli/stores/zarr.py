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
from gpu_sigmoid.cli.stores import Job, operand_shape, result_dtype, result_shape, unreadable
from gpu_sigmoid.cli.stores.packing import DIMENSIONS, check_unpacked
from gpu_sigmoid.cli.stores.zarr_folder import check_array_folder

Region = tuple[slice, ...]
Sides = tuple[int, ...]
COMPONENT = "component"
"""The name of the leading dimension of several results, where dimensions have names."""
LOSSLESS = {"blosc", "bz2", "crc32c", "gzip", "lz4", "lzma", "zlib", "zstd"}
"""Lossless codecs from bytes to bytes; others round numbers, or accept only some dtypes."""


@dataclass
class ZarrJob(Job):
    """Blocks are chunks of a result, which has the source's, or those of a half."""

    source: Path
    target: Path
    computation: Computation
    columns: tuple[str, ...]
    blocks: list[Region]
    summary: str

    def compute(self, block: Region) -> None:
        """Write a chunk's results to the target."""
        array = load(self.source, self.columns)
        results = self.computation(*self.read(array, block))
        # without a fill value the contents of a missing chunk are undefined
        written = {"array.write_empty_chunks": True} if array.fill_value is None else {}
        with zarr.config.set(written):
            target = zarr.open_array(self.target, mode="r+")
        if not isinstance(results, tuple):
            target[block] = results
            return
        for i, result in enumerate(results):
            target[(i, *block)] = result

    def read(self, array: Any, block: Region) -> list[np.ndarray]:
        """Return a block's operands: elements of the array, or as many of each half."""
        if self.computation.arrays == 1:
            return [self.read_at(array, block)]
        *outer, last = block
        half = array.shape[-1] // 2
        if last.stop - last.start == half:
            # both halves may lie in the same chunks
            both = self.read_at(array, (*outer, slice(0, 2 * half)))
            return [both[..., :half], both[..., half:]]
        starts = [start + last.start for start in (0, half)]
        length = last.stop - last.start
        return [self.read_at(array, (*outer, slice(start, start + length))) for start in starts]

    def read_at(self, array: Any, region: Region) -> np.ndarray:
        try:
            return np.asarray(array[region])
        # decoders raise all kinds of errors on invalid bytes
        except Exception as error:
            where = ", ".join(f"{s.start}:{s.stop}" for s in region)
            raise unreadable(self.source, f"readable at [{where}]", error) from None


def check_target(target: Path, source: Path, columns: tuple[str, ...]) -> None:
    """Raise for a target that a Zarr array may not replace, or be put into."""
    check_not_input(target, source / load(source, columns).path)
    check_array_folder(target)


def open_job(source: Path, target: Path, computation: Computation, columns: tuple[str, ...]) -> ZarrJob:
    """Return the job, and make the target without chunks."""
    array = load(source, columns)
    dtype = result_dtype(computation, source, array.dtype)
    check_unpacked(source, array)
    single = operand_shape(computation, array.shape, source)
    shape = result_shape(computation, single, source)
    chunks, shards = array.chunks, array.shards
    if computation.arrays > 1:
        chunks, shards = of_half(single[-1], chunks, shards)
    several = len(shape) > len(single)
    version = array.metadata.zarr_format
    names = array.metadata.dimension_names if version == 3 else None
    attributes = dict(array.attrs)
    if several and DIMENSIONS in attributes:
        attributes[DIMENSIONS] = [COMPONENT, *attributes[DIMENSIONS]]
    zarr.create_array(
        target,
        shape=shape,
        chunks=(1, *chunks) if several else chunks,
        shards=(1, *shards) if several and shards else shards,
        dtype=dtype,
        compressors=compressors(array),
        fill_value=None if array.fill_value is None else dtype.type(array.fill_value),
        attributes=attributes,
        dimension_names=(COMPONENT, *names) if several and names else names,
        zarr_format=version,
    )
    blocks = regions(single, shards or chunks)
    return ZarrJob(source, target, computation, columns, blocks, f"{dtype} {shape}")


def of_half(length: int, chunks: Sides, shards: Sides | None) -> tuple[Sides, Sides | None]:
    """Return chunks and shards for a last axis of this length, no longer than needed."""
    side = max(1, min(chunks[-1], length))
    if shards is not None:
        # shards consist of whole chunks
        shards = (*shards[:-1], min(shards[-1], side * max(1, -(-length // side))))
    return (*chunks[:-1], side), shards


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


def load(path: Path, columns: tuple[str, ...]) -> Any:
    """Return the array at a path, or the named one in the group there."""
    named = click.format_filename(path)
    if len(columns) > 1:
        raise click.UsageError(f"{named}: give --column once: both halves are taken from one array")
    column = columns[0] if columns else None
    try:
        found = zarr.open(path, mode="r")
    # metadata may be any JSON, and Zarr reads it without checking
    except Exception as error:
        raise unreadable(path, "a readable Zarr array or group", error) from None
    if isinstance(found, zarr.Array):
        if column is not None:
            raise click.ClickException(f"{named} is a single array: --column is for a group")
        return chunked(path, found)
    try:
        array = found[column]
    except Exception:
        array = None
    if not isinstance(array, zarr.Array):
        held = arrays_in(path, found)
        if not held:
            raise click.ClickException(f"{named} is a group without arrays")
        if column is None:
            raise click.ClickException(f"{named} is a group: name one of its arrays with --column: {held}")
        raise click.ClickException(f"{named} has no array {column!r}; it has {held}")
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


def arrays_in(path: Path, group: Any) -> str:
    """Return the names that --column takes: those of the group's arrays and of its groups' arrays."""
    try:
        found = group.members(max_depth=None)
        return ", ".join(sorted(repr(name) for name, member in found if isinstance(member, zarr.Array)))
    except Exception as error:
        raise unreadable(path, "a readable Zarr group", error) from None
