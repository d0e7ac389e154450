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
from gpu_sigmoid.cli.stores import (
    Job,
    check_single_file,
    operand_shape,
    result_dtype,
    result_shape,
    unreadable,
)

BLOCK_BYTES = 1 << 22
"""The bytes of a block's results. A few megabytes stay in the cache from reading to writing, and in memory
that the allocator keeps. Larger blocks, each split over threads, took longer than one thread with these."""
NO_ALLOCATION = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS)
"""The errors of file systems that cannot allocate in advance."""


@dataclass
class NpyJob(Job):
    """Blocks are ranges of a result's elements, in the order they have in the files.

    If the array is halved, a block is a part of a row or whole rows. A row is a run of `length` elements of a
    half that are contiguous in the file.
    """

    source: Path
    target: Path
    computation: Computation
    array: "Layout"
    size: int
    length: int
    offset: int
    blocks: list[range]
    summary: str
    threaded = True

    def compute(self, block: range) -> None:
        """Write a block's results to the target."""
        results = self.computation(*self.read(block))
        if not isinstance(results, tuple):
            parts = [(block.start, results)]
        elif self.array.fortran:
            # the last axis is the slowest, and the elements of the first axis are adjacent
            parts = [(len(results) * block.start, np.stack(results, axis=-1))]
        else:
            parts = [(block.start + i * self.size, result) for i, result in enumerate(results)]
        with self.target.open("r+b") as file:
            for start, values in parts:
                file.seek(self.offset + start * values.itemsize)
                file.write(values.data)

    def read(self, block: range) -> list[np.ndarray]:
        """Return a block's operands: elements of the array, or as many of each half."""
        if self.computation.arrays == 1:
            return [self.array.read(self.source, block)]
        if len(block) >= self.length:
            rows = self.array.read(self.source, range(2 * block.start, 2 * block.stop))
            halves = rows.reshape(-1, 2, self.length)
            return [halves[:, 0], halves[:, 1]]
        row, start = divmod(block.start, self.length)
        starts = [(2 * row + half) * self.length + start for half in range(2)]
        return [self.array.read(self.source, range(s, s + len(block))) for s in starts]


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
            raise unreadable(path, "readable", error) from None
        if x.size != len(block):
            raise click.ClickException(f"{click.format_filename(path)} became shorter while it was read")
        return x


check_target = check_single_file


def open_job(source: Path, target: Path, computation: Computation, columns: tuple[str, ...]) -> NpyJob:
    """Return the job, and make the target with its full size."""
    if columns:
        raise click.UsageError("--column is for .zarr and .parquet")
    array = layout(source)
    dtype = result_dtype(computation, source, array.dtype)
    single = operand_shape(computation, array.shape, source)
    shape = result_shape(computation, single, source)
    header = {"descr": npy_format.dtype_to_descr(dtype), "fortran_order": array.fortran, "shape": shape}
    with target.open("wb") as file:
        npy_format.write_array_header_1_0(file, header)
        offset = file.tell()
        file.flush()
        allocate(file.fileno(), offset + prod(shape) * dtype.itemsize)
    size = prod(single)
    # in Fortran's order the halves of the last axis are those of the file
    length = size if computation.arrays == 1 or array.fortran else single[-1]
    blocks = cut(size, length, BLOCK_BYTES // dtype.itemsize)
    summary = f"{dtype} {shape}"
    return NpyJob(source, target, computation, array, size, length, offset, blocks, summary)


def cut(size: int, length: int, step: int) -> list[range]:
    """Return ranges of up to `step` of `size` elements: parts of a row of some length, or whole rows."""
    if size and length <= step:
        length, step = size, step - step % length
    rows = [range(start, start + length) for start in range(0, size, length or 1)]
    return [row[start : start + step] for row in rows for start in range(0, length, step)]


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
            f"{click.format_filename(path)}: dtype {array.dtype} is not accepted; accepted are float16, "
            f"float32 and float64, bool and integers{hint}"
        )
    return Layout(array.shape, array.dtype, array.flags.fnc, array.offset)
