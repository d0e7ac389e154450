"""A column of a Parquet file, row group by row group."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gpu_sigmoid.cli.stores import Task


@dataclass
class ParquetJob:
    """Blocks are row groups; the writer, which one process has, takes their results in order."""

    source: Path
    task: Task
    column: str
    schema: Any
    blocks: range
    summary: str
    writer: Any

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "writer": None}

    def compute(self, block: int) -> Any:
        """Return a row group's results; what is null stays null."""
        with pq.ParquetFile(self.source) as file:
            chunked = file.read_row_group(block, columns=[self.column]).column(0)
        values = chunked.combine_chunks() if chunked.num_chunks != 1 else chunked.chunk(0)
        missing = np.asarray(values.is_null())
        filled = values.fill_null(0) if missing.any() else values
        results = self.task(np.ascontiguousarray(filled.to_numpy(zero_copy_only=False)))
        results = results if isinstance(results, tuple) else (results,)
        mask = missing if missing.any() else None
        return pa.table([pa.array(r, mask=mask) for r in results], schema=self.schema)

    def commit(self, result: Any) -> None:
        """Write a row group."""
        self.writer.write_table(result, row_group_size=max(1, len(result)))

    def close(self) -> None:
        """Write the footer."""
        self.writer.close()


def open_job(source: Path, target: Path, task: Task, column: str | None) -> ParquetJob:
    """Return the job, the target opened for writing."""
    try:
        with pq.ParquetFile(source) as file:
            schema, groups, rows = file.schema_arrow, file.num_row_groups, file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise click.ClickException(f"{source} is not a readable Parquet file: {error}") from None
    chosen = choose(source, schema.names, column)
    kind = schema.field(chosen).type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        raise click.ClickException(f"{source}: column {chosen} is of type {kind}; numbers are accepted")
    dtype = task.dtype(kind.to_pandas_dtype(), source)
    labels = {"value": [task.name], "grad": [f"{task.name}.grad"]}
    names = labels.get(task.what, [task.name, f"{task.name}.grad"])
    fields = pa.schema([(name, pa.from_numpy_dtype(dtype)) for name in names])
    summary = f"{dtype} {', '.join(names)}, {rows} rows"
    return ParquetJob(source, task, chosen, fields, range(groups), summary, pq.ParquetWriter(target, fields))


def choose(source: Path, names: list[str], column: str | None) -> str:
    if column is None and len(names) == 1:
        return names[0]
    if column not in names:
        missing = (
            "has several columns: choose one by --column" if column is None else f"has no column {column}"
        )
        raise click.ClickException(f"{source} {missing}; it has {', '.join(names)}")
    return column
