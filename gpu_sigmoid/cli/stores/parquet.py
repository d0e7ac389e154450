"""A column of a Parquet file, row group by row group."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gpu_sigmoid.cli.computation import Computation
from gpu_sigmoid.cli.stores import Job, check_single_file, result_dtype, unreadable
from gpu_sigmoid.modes import label


@dataclass
class ParquetJob(Job):
    """Blocks are row groups; the writer, in one process, takes their results in order."""

    source: Path
    computation: Computation
    column: str
    schema: Any
    blocks: range
    summary: str
    sink: Any
    writer: Any

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "sink": None, "writer": None}

    def compute(self, block: int) -> Any:
        """Return a row group's results; nulls stay null."""
        values = self.read(block)
        missing = np.asarray(values.is_null())
        # not 0, since a column of truth values takes no number
        filled = values.fill_null(pa.scalar(0, pa.int8()).cast(values.type)) if missing.any() else values
        results = self.computation(np.ascontiguousarray(filled.to_numpy(zero_copy_only=False)))
        results = results if isinstance(results, tuple) else (results,)
        mask = missing if missing.any() else None
        return pa.table([pa.array(r, mask=mask) for r in results], schema=self.schema)

    def read(self, block: int) -> Any:
        """Return a row group's operands as one array."""
        try:
            with (
                opened(self.source, "rb") as bytes_of,
                pq.ParquetFile(bytes_of, page_checksum_verification=True) as file,
            ):
                # by name, since the fields of a struct may come with it
                table = file.read_row_group(block, columns=[self.column])
                chunked = table.column(table.schema.get_field_index(self.column))
            return chunked.combine_chunks() if chunked.num_chunks != 1 else chunked.chunk(0)
        # decoders raise all kinds of errors on invalid bytes
        except Exception as error:
            raise unreadable(self.source, f"readable in row group {block}", error) from None

    def commit(self, result: Any) -> None:
        """Write a row group."""
        self.writer.write_table(result, row_group_size=max(1, len(result)))

    def close(self) -> None:
        """Write the footer."""
        self.writer.close()
        self.sink.close()

    def abandon(self) -> None:
        """Close the file even after an error: the writer's destructor would write to it."""
        for part in (self.writer, self.sink):
            with suppress(Exception):
                part.close()


def opened(path: Path, mode: str) -> Any:
    """Return an open file, since pyarrow would interpret a path as an address or as text."""
    return pa.OSFile(os.fsencode(path), mode)


check_target = check_single_file


def open_job(source: Path, target: Path, computation: Computation, column: str | None) -> ParquetJob:
    """Return the job, and open the target for writing."""
    try:
        with opened(source, "rb") as bytes_of, pq.ParquetFile(bytes_of) as file:
            schema, groups, rows = file.schema_arrow, file.num_row_groups, file.metadata.num_rows
    except Exception as error:
        raise unreadable(source, "a readable Parquet file", error) from None
    chosen = choose(source, schema.names, column)
    kind = schema.field(chosen).type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        raise click.ClickException(
            f"{click.format_filename(source)}: column {chosen} is of type {kind}; numbers are accepted"
        )
    dtype = result_dtype(computation, kind.to_pandas_dtype(), source)
    method = computation.method
    names = [label(method.function.label, mode.name) for mode in method.mode.single_results]
    fields = pa.schema([(name, pa.from_numpy_dtype(dtype)) for name in names])
    sink = opened(target, "wb")
    writer = pq.ParquetWriter(sink, fields, write_page_checksum=True)
    summary = f"{dtype} {', '.join(names)}, {rows} rows"
    return ParquetJob(source, computation, chosen, fields, range(groups), summary, sink, writer)


def choose(source: Path, names: list[str], column: str | None) -> str:
    if column is None and len(names) == 1:
        return names[0]
    listed = ", ".join(map(repr, names))
    if column is None:
        reason = f"has {len(names)} columns: choose one with --column; it has {listed}"
    elif column not in names:
        reason = f"has no column {column!r}; it has {listed}"
    elif names.count(column) > 1:
        reason = f"has {names.count(column)} columns called {column!r}: give them different names"
    else:
        return column
    raise click.ClickException(f"{click.format_filename(source)} {reason}")
