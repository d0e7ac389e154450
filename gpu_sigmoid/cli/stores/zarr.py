"""Zarr arrays, chunk by chunk."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import click
import numpy as np
import zarr

from gpu_sigmoid.cli.stores import Task

Region = tuple[slice, ...]


@dataclass
class ZarrJob:
    """Blocks are the regions of the source's chunks, which are the target's too."""

    source: Path
    target: Path
    task: Task
    column: str | None
    blocks: list[Region]
    summary: str

    def compute(self, block: Region) -> None:
        """Write a chunk's results to the target."""
        values = np.asarray(load(self.source, self.column)[block])
        target = zarr.open_array(self.target, mode="r+")
        results = self.task(values)
        if self.task.outputs == 1:
            target[block] = results
            return
        for i, result in enumerate(results):
            target[(i, *block)] = result

    def commit(self, result: None) -> None:
        """Do nothing: the chunk is written."""

    def close(self) -> None:
        """Do nothing: a Zarr array is whole when its chunks are."""


def open_job(source: Path, target: Path, task: Task, column: str | None) -> ZarrJob:
    """Return the job, the target made without chunks."""
    array = load(source, column)
    dtype = task.dtype(array.dtype, source)
    both = task.outputs == 2
    shape, chunks = array.shape, array.chunks
    names = array.metadata.dimension_names if array.metadata.zarr_format == 3 else None
    zarr.create_array(
        target,
        shape=(2, *shape) if both else shape,
        chunks=(1, *chunks) if both else chunks,
        shards=array.shards if array.shards is None or not both else (1, *array.shards),
        dtype=dtype,
        compressors=array.compressors,
        dimension_names=(None, *names) if both and names else names,
        zarr_format=array.metadata.zarr_format,
    )
    blocks = regions(shape, array.shards or chunks)
    return ZarrJob(source, target, task, column, blocks, f"{dtype} {(2, *shape) if both else shape}")


def regions(shape: tuple[int, ...], chunks: tuple[int, ...]) -> list[Region]:
    axes = [
        [slice(start, min(start + step, n)) for start in range(0, n, step)]
        for n, step in zip(shape, chunks, strict=True)
    ]
    return list(product(*axes))


def load(path: Path, column: str | None) -> Any:
    try:
        found = zarr.open(path, mode="r")
    except (OSError, ValueError, KeyError) as error:
        raise click.ClickException(f"{path} is not a readable Zarr array or group: {error}") from None
    if isinstance(found, zarr.Group):
        names = ", ".join(sorted(name for name, _ in found.arrays()))
        if column is None:
            raise click.ClickException(f"{path} is a group: name one of its arrays by --column: {names}")
        if column not in found or not isinstance(found[column], zarr.Array):
            raise click.ClickException(f"{path} has no array {column}; it has {names}")
        return found[column]
    if column is not None:
        raise click.ClickException(f"{path} is a single array: --column is for a group")
    return found
