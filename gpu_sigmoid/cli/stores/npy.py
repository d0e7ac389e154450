"""NumPy's .npy files, read and written block by block.

They are not memory-mapped: an error in a map (a full disk, an input cut short) is a signal that kills the
program, while in reading and writing it is an exception.
"""

import errno
import os
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.lib import format as npy_format

from gpu_sigmoid.cli.computation import Computation
from gpu_sigmoid.cli.stores import Job, check_single_file, result_dtype, result_shape, unreadable

BLOCK_BYTES = 1 << 22
"""The bytes of a block's results. A few megabytes stay in the cache from reading to writing, and in memory
that the allocator keeps. Larger blocks, each split over threads, took longer than one thread with these."""
NO_ALLOCATION = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS)
"""The errors of file systems that cannot allocate in advance."""


@dataclass
class NpyJob(Job):
    """Blocks are ranges of the elements, in the order they have in the files."""

    source: Path
    target: Path
    computation: Computation
    array: "Layout"
    offset: int
    blocks: list[range]
    summary: str
    threaded = True

    def compute(self, block: range) -> None:
        """Write a block's results to the target."""
        x = self.array.read(self.source, block)
        results = self.computation(x)
        size = self.array.size
        if not isinstance(results, tuple):
            parts = [(block.start, results)]
        elif self.array.fortran:
            # the last axis is the slowest, and the two elements of the first axis are adjacent
            parts = [(2 * block.start, np.stack(results, axis=-1))]
        else:
            parts = [(block.start + i * size, result) for i, result in enumerate(results)]
        with self.target.open("r+b") as file:
            for start, values in parts:
                file.seek(self.offset + start * values.itemsize)
                file.write(values.data)


@dataclass(frozen=True)
class Layout:
    """Where an array's elements are in a file."""

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool
    offset: int

    @property
    def size(self) -> int:
        return prod(self.shape)

    def read(self, path: Path, block: range) -> np.ndarray:
        """Return a range of the elements."""
        start = self.offset + block.start * self.dtype.itemsize
        try:
            x = np.fromfile(path, self.dtype, len(block), offset=start)
        except OSError as error:
            raise unreadable(path, "", error) from None
        if x.size != len(block):
            raise click.ClickException(f"{click.format_filename(path)} became shorter while it was read")
        return x


check_target = check_single_file


def open_job(source: Path, target: Path, computation: Computation, column: str | None) -> NpyJob:
    """Return the job, and make the target with its full size."""
    if column is not None:
        raise click.ClickException("--column is for .zarr and .parquet")
    array = layout(source)
    dtype = result_dtype(computation, array.dtype, source)
    shape = result_shape(computation, array.shape, source)
    header = {"descr": npy_format.dtype_to_descr(dtype), "fortran_order": array.fortran, "shape": shape}
    with target.open("wb") as file:
        npy_format.write_array_header_1_0(file, header)
        offset = file.tell()
        file.flush()
        allocate(file.fileno(), offset + prod(shape) * dtype.itemsize)
    step = BLOCK_BYTES // dtype.itemsize
    every = range(array.size)
    blocks = [every[start : start + step] for start in every[::step]]
    return NpyJob(source, target, computation, array, offset, blocks, f"{dtype} {shape}")


def allocate(descriptor: int, size: int) -> None:
    """Allocate a file's full size, since the disk may be full, before an hour of computing."""
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno not in NO_ALLOCATION:
            raise
    os.ftruncate(descriptor, size)


def layout(path: Path) -> Layout:
    try:
        with path.open("rb") as file:
            archive = file.read(4) == b"PK\x03\x04"
        array: Any = None if archive else npy_format.open_memmap(path, mode="r")
    # a header is a Python literal, and may fail in any way that Python's parser can
    except Exception as error:
        raise unreadable(path, "a readable .npy file of numbers", error) from None
    if archive:
        raise click.ClickException(
            f"{click.format_filename(path)} is an archive (.npz); a single .npy array is accepted"
        )
    if array.dtype.kind == "V":
        hint = " (.npy cannot tell bfloat16: save it as float32)" if array.dtype.itemsize == 2 else ""
        raise click.ClickException(
            f"{click.format_filename(path)}: dtype {array.dtype} is not accepted{hint}"
        )
    return Layout(array.shape, array.dtype, array.flags.fnc, array.offset)
