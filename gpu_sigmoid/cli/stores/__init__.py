"""The files of `apply`, a module per format, read and written block by block."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import click
import numpy as np

from gpu_sigmoid.cli.computation import Computation
from gpu_sigmoid.cli.paths import check_file, check_not_input, one_line

# a format's suffix, which names its module, and the library it needs
FORMATS = {".npy": "", ".zarr": "zarr", ".parquet": "pyarrow"}

MOST_DIMENSIONS = 64
"""Of NumPy's arrays."""


def operand_shape(computation: Computation, of: tuple[int, ...], source: Path) -> tuple[int, ...]:
    """Return the shape of each operand in an array of shape `of`, or say why it cannot be halved."""
    if computation.arrays == 1:
        return of
    if of and of[-1] % 2 == 0:
        return (*of[:-1], of[-1] // 2)
    reason = f"the length of its last axis is odd: {of[-1]}, of shape {of}" if of else "it is a single number"
    named, name = click.format_filename(source), computation.method.function.label
    raise click.ClickException(f"{named}: {name} takes the halves of the last axis, but {reason}")


def result_shape(computation: Computation, of: tuple[int, ...], source: Path) -> tuple[int, ...]:
    """Return the shape of all results for operands of shape `of`, or say why there is none."""
    if computation.results == 1:
        return of
    if len(of) == MOST_DIMENSIONS:
        way = ": compute value and grad separately" if computation.arrays == 1 else ""
        raise click.ClickException(
            f"{click.format_filename(source)} has {len(of)} dimensions, NumPy's limit, and "
            f"{computation.results} results need one more{way}"
        )
    return (computation.results, *of)


def result_dtype(computation: Computation, source: Path, *of: Any) -> np.dtype:
    """Return the results' dtype for operands of these dtypes, one for all, or say why there is none."""
    dtypes = of if len(of) == computation.arrays else of * computation.arrays
    try:
        return computation(*(np.zeros(0, d) for d in dtypes), method=computation.method.function).dtype
    except TypeError as error:
        raise click.ClickException(f"{click.format_filename(source)}: {error}") from None


class Job:
    """A computation from file to file, in blocks that do not depend on each other."""

    blocks: Sequence[Any]
    summary: str
    threaded = False
    """Whether to compute several blocks at a time, because the format's library has no threads itself."""

    def compute(self, block: Any) -> Any:
        """Compute a block, in any process; repeating it does no harm."""
        raise NotImplementedError

    def commit(self, result: Any) -> None:
        """Take the return values of `compute`, in the blocks' order."""

    def close(self) -> None:
        """Finish the target."""

    def abandon(self) -> None:
        """Close the unfinished target, since Windows does not remove open files."""


class Store(Protocol):
    """A format's module."""

    def check_target(self, target: Path, source: Path, columns: tuple[str, ...]) -> None:
        """Raise for a target that the format may not replace."""

    def open_job(self, source: Path, target: Path, computation: Computation, columns: tuple[str, ...]) -> Job:
        """Return the job from a source to a new target."""


def check_single_file(target: Path, source: Path, columns: tuple[str, ...]) -> None:
    """Raise for a target that a file may not replace; for formats with a single file."""
    check_not_input(target, source)
    check_file(target)


def store_of(source: Path, target: Path) -> Store:
    """Return the store of a source by its suffix, which the target must have too."""
    named = click.format_filename(source)
    accepted = ", ".join(FORMATS)
    if source.suffix not in FORMATS:
        raise click.ClickException(f"{named}: the suffix must name the format; accepted are {accepted}")
    if target.suffix != source.suffix:
        reason = f"must end in {source.suffix}, as {named} does: the format is kept"
        raise click.ClickException(f"{click.format_filename(target)} {reason}")
    if not source.exists():
        raise click.ClickException(f"{named} does not exist")
    if source.suffix == ".zarr" and not source.is_dir():
        raise click.ClickException(f"{named} is not a folder, but a Zarr array or group is one")
    if source.suffix != ".zarr" and not source.is_file():
        raise click.ClickException(f"{named} is not a file; a single {source.suffix} file is accepted")
    try:
        store: Any = import_module(f"{__name__}{source.suffix}")
    except ImportError:
        raise click.ClickException(
            f'{named} needs {FORMATS[source.suffix]}: pip install "gpu-sigmoid[stores]"'
        ) from None
    return store


def unreadable(path: Path, what: str, error: Exception) -> click.ClickException:
    """Return the error for a file that is not what it should be."""
    return click.ClickException(f"{click.format_filename(path)} is not {what}: {one_line(error)}")
