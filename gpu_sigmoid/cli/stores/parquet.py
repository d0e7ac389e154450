"""Columns of a Parquet file, row group by row group."""

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
    columns: tuple[str, ...]
    schema: Any
    blocks: range
    summary: str
    sink: Any
    writer: Any

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "sink": None, "writer": None}

    def compute(self, block: int) -> Any:
        """Return a row group's results; nulls stay null."""
        columns = self.read(block)
        missing = np.any([values.is_null() for values in columns], axis=0)
        results = self.computation(*map(filled, columns))
        results = results if isinstance(results, tuple) else (results,)
        mask = missing if missing.any() else None
        return pa.table([pa.array(r, mask=mask) for r in results], schema=self.schema)

    def read(self, block: int) -> list[Any]:
        """Return a row group's operands, each as one array."""
        try:
            with (
                opened(self.source, "rb") as bytes_of,
                pq.ParquetFile(bytes_of, page_checksum_verification=True) as file,
            ):
                # by name, since the fields of a struct may come with it
                table = file.read_row_group(block, columns=list(self.columns))
            return [joined(table.column(table.schema.get_field_index(name))) for name in self.columns]
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


def joined(chunked: Any) -> Any:
    return chunked.combine_chunks() if chunked.num_chunks != 1 else chunked.chunk(0)


def filled(values: Any) -> np.ndarray:
    """Return a column's numbers, with some number in the place of nulls."""
    if values.null_count:
        # not 0, since a column of truth values takes no number
        values = values.fill_null(pa.scalar(0, pa.int8()).cast(values.type))
    return np.ascontiguousarray(values.to_numpy(zero_copy_only=False))


def opened(path: Path, mode: str) -> Any:
    """Return an open file, since pyarrow would interpret a path as an address or as text."""
    return pa.OSFile(os.fsencode(path), mode)


check_target = check_single_file


def open_job(source: Path, target: Path, computation: Computation, columns: tuple[str, ...]) -> ParquetJob:
    """Return the job, and open the target for writing."""
    try:
        with opened(source, "rb") as bytes_of, pq.ParquetFile(bytes_of) as file:
            schema, groups, rows = file.schema_arrow, file.num_row_groups, file.metadata.num_rows
    except Exception as error:
        raise unreadable(source, "a readable Parquet file", error) from None
    chosen = choose(source, schema.names, columns, computation.arrays)
    kinds = [schema.field(name).type for name in chosen]
    for name, kind in zip(chosen, kinds, strict=True):
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
            raise click.ClickException(
                f"{click.format_filename(source)}: column {name} is of type {kind}; numbers are accepted"
            )
    dtype = result_dtype(computation, source, *(kind.to_pandas_dtype() for kind in kinds))
    method = computation.method
    names = [label(method.function.label, mode.name) for mode in method.mode.single_results]
    fields = pa.schema([(name, pa.from_numpy_dtype(dtype)) for name in names])
    sink = opened(target, "wb")
    writer = pq.ParquetWriter(sink, fields, write_page_checksum=True)
    summary = f"{dtype} {', '.join(names)}, {rows} rows"
    return ParquetJob(source, computation, chosen, fields, range(groups), summary, sink, writer)


def times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def choose(source: Path, names: list[str], given: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Return the names of `count` columns, those given, or all there are."""
    listed = ", ".join(map(repr, names))
    chosen = given if given or len(names) != count else tuple(names)
    if not chosen:
        how = "one with --column" if count == 1 else "two with --column A --column B"
        reason = f"has {len(names)} columns: choose {how}; it has {listed}"
        if len(names) < count:
            reason = "has 1 column; 2 are needed" if names else "has 0 columns"
        raise click.ClickException(f"{click.format_filename(source)} {reason}")
    if len(chosen) != count:
        raise click.UsageError(f"give --column {times(count)}, not {times(len(chosen))}")
    if len(set(given)) < len(given):
        raise click.UsageError(f"--column {given[0]!r} is given twice: choose two different columns")
    for name in chosen:
        if name not in names:
            reason = f"has no column {name!r}; it has {listed}"
        elif names.count(name) > 1:
            reason = f"has {names.count(name)} columns called {name!r}: give them different names"
        else:
            continue
        raise click.ClickException(f"{click.format_filename(source)} {reason}")
    return chosen
