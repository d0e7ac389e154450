"""What `apply` reads and writes, a module per format, as blocks that are computed one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import click
import numpy as np

from gpu_sigmoid.components import method, outputs
from gpu_sigmoid.functions import FUNCTIONS

# what the command calls the components it offers
COMPONENTS = {"value": "value", "grad": "grad", "both": "value_and_grad"}
# a format's suffix, its module, and what brings the library it needs
FORMATS = {".npy": ("npy", ""), ".zarr": ("zarr", "zarr"), ".parquet": ("parquet", "pyarrow")}


@dataclass(frozen=True)
class Task:
    """What is computed: `what` of the function `name`."""

    name: str
    what: str

    @property
    def outputs(self) -> int:
        return outputs(COMPONENTS[self.what])

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return the result for an array, a tuple of two for both."""
        return method(FUNCTIONS[self.name], COMPONENTS[self.what])(x, out=out)

    def dtype(self, of: Any, source: Path) -> np.dtype:
        """Return the result's dtype for operands of dtype `of`, or say why there is none."""
        try:
            return FUNCTIONS[self.name](np.zeros(0, of)).dtype
        except TypeError as error:
            raise click.ClickException(f"{source}: {error}") from None


class Job(Protocol):
    """A computation from file to file, in blocks that do not depend on each other."""

    blocks: Sequence[Any]
    summary: str

    def compute(self, block: Any) -> Any:
        """Compute a block, in any process; once more does no harm."""

    def commit(self, result: Any) -> None:
        """Take what `compute` returned, in the blocks' order."""

    def close(self) -> None:
        """Finish the target."""


def open_job(source: Path, target: Path, temporary: Path, task: Task, column: str | None) -> Job:
    """Return the job for a source by its suffix; it writes to `temporary`, which becomes `target`."""
    module, library = FORMATS[suffix(source, target)]
    if module == "npy" and column is not None:
        raise click.UsageError("--column is for .zarr and .parquet")
    try:
        store = import_module(f"{__name__}.{module}")
    except ImportError:
        raise click.ClickException(f"{source} needs {library}: pip install {library}") from None
    job: Job = store.open_job(source, temporary, task, column)
    return job


def suffix(source: Path, target: Path) -> str:
    accepted = ", ".join(FORMATS)
    if source.suffix not in FORMATS:
        raise click.ClickException(f"{source}: the suffix says the format; accepted are {accepted}")
    if target.suffix != source.suffix:
        raise click.ClickException(f"{target} is to have the suffix of {source}, {source.suffix}")
    return source.suffix
