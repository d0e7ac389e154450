"""NumPy's .npy files, memory-mapped."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.lib.format import open_memmap

from gpu_sigmoid.cli.stores import Task

BLOCK = 1 << 20
"""Elements computed at a time: what memory use is bounded by."""


@dataclass
class NpyJob:
    """Blocks are ranges of the elements, in the order they have in the files."""

    source: Path
    target: Path
    task: Task
    blocks: list[slice]
    summary: str

    def compute(self, block: slice) -> None:
        """Write a block's results to the target."""
        array, result = load(self.source), np.load(self.target, mmap_mode="r+")
        order: Any = "F" if array.flags.fnc else "C"
        # a memory map reshaped in its own order is a view
        flat = array.reshape(-1, order=order)
        outs = result.reshape((2, -1) if self.task.outputs == 2 else -1, order=order)
        self.task(flat[block], out=(outs[0, block], outs[1, block]) if outs.ndim == 2 else outs[block])

    def commit(self, result: None) -> None:
        """Do nothing: the block is written."""

    def close(self) -> None:
        """Do nothing: the file has had its size from the start."""


def open_job(source: Path, target: Path, task: Task, column: None) -> NpyJob:
    """Return the job, the target made with its full size."""
    array = load(source)
    dtype = task.dtype(array.dtype, source)
    shape = (2, *array.shape) if task.outputs == 2 else array.shape
    open_memmap(target, "w+", dtype, shape, fortran_order=array.flags.fnc)
    blocks = [slice(start, start + BLOCK) for start in range(0, array.size, BLOCK)]
    return NpyJob(source, target, task, blocks, f"{dtype} {shape}")


def load(path: Path) -> np.ndarray:
    try:
        array: Any = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise click.ClickException(f"{path} is not a readable .npy file of numbers: {error}") from None
    if not isinstance(array, np.ndarray):
        raise click.ClickException(f"{path} is an archive; a single .npy array is accepted")
    if array.dtype.kind == "V":
        hint = " (.npy cannot tell bfloat16: save it as float32)" if array.dtype.itemsize == 2 else ""
        raise click.ClickException(f"{path}: dtype {array.dtype} is not accepted{hint}")
    return array
