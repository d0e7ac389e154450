"""Files of the kinds that `gpu-sigmoid apply` reads and writes, by their suffix."""

from pathlib import Path

import numpy as np

from helpers.required import library


def save(path: Path, x: np.ndarray, length: int, compressed: bool = False) -> None:
    """Save an array of one dimension, in Zarr chunks or Parquet row groups of so many elements."""
    if path.suffix == ".npy":
        np.save(path, x)
    elif path.suffix == ".zarr":
        options = {} if compressed else {"compressors": None}
        library("zarr").create_array(path, data=x, chunks=(length,), **options)
    else:
        options = {} if compressed else {"compression": "none", "use_dictionary": False}
        table = library("pyarrow").table({"x": x})
        library("pyarrow.parquet").write_table(table, path, row_group_size=length, **options)


def load(path: Path) -> np.ndarray:
    """Return an array that was saved, or the first column of a Parquet file."""
    if path.suffix == ".npy":
        return np.load(path)
    if path.suffix == ".zarr":
        return library("zarr").open_array(path, mode="r")[:]
    return library("pyarrow.parquet").read_table(path).column(0).to_numpy()
