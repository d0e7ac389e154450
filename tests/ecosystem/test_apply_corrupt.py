"""`gpu-sigmoid apply` on files with bytes changed or missing: a result or a line, never a traceback."""

import os
import random
from pathlib import Path

import numpy as np
import pytest
from helpers.command import run
from helpers.required import library

CASES = int(os.environ.get("GPU_SIGMOID_CORRUPT_CASES", "100"))
X = np.linspace(-9, 9, 60, dtype=np.float32)


def make_npy(path: Path) -> list[Path]:
    np.save(path, X)
    return [path]


def make_parquet(path: Path) -> list[Path]:
    pa, pq = library("pyarrow"), library("pyarrow.parquet")
    table = pa.table({"x": pa.array(X, mask=X > 8)})
    pq.write_table(table, path, row_group_size=25, write_page_checksum=random.random() < 0.5)
    return [path]


def make_zarr(path: Path, version: int = 3) -> list[Path]:
    library("zarr").create_array(path, data=X, chunks=(25,), zarr_format=version, attributes={"a": 1})
    return sorted(p for p in path.rglob("*") if p.is_file())


def make_zarr_2(path: Path) -> list[Path]:
    return make_zarr(path, 2)


def corrupt(content: bytes, chance: random.Random) -> bytes:
    """Return bytes cut short, with some of them changed, or with a piece missing or twice."""
    data = bytearray(content)
    place = chance.randrange(min(len(data), 200)) if chance.random() < 0.7 else chance.randrange(len(data))
    kind = chance.randrange(5)
    if kind == 0:
        return bytes(data[:place])
    if kind == 1:
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(max(0, place - 20), min(len(data), place + 20))] = chance.randrange(256)
    elif kind == 2:
        data[place] = chance.choice(b"{}()[]'\",:0123456789-<>|\\ \n\0eEfO")
    elif kind == 3:
        del data[place : place + chance.randrange(1, 9)]
    else:
        data[place:place] = data[place : place + chance.randrange(1, 9)]
    return bytes(data)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("suffix", "make"),
    [("npy", make_npy), ("parquet", make_parquet), ("zarr", make_zarr), ("zarr", make_zarr_2)],
    ids=["npy", "parquet", "zarr 3", "zarr 2"],
)
def test_corrupt_files(tmp_path: Path, suffix: str, make: object) -> None:
    assert callable(make)
    chance = random.Random(suffix)
    refusals = 0
    for case in range(CASES):
        folder = tmp_path / str(case)
        folder.mkdir()
        path = chance.choice(make(folder / f"x.{suffix}"))
        changed = corrupt(path.read_bytes(), chance)
        path.write_bytes(changed)
        result = run("apply", folder / f"x.{suffix}", folder / f"y.{suffix}")
        assert result.exception is None or isinstance(result.exception, SystemExit), (
            changed,
            result.exception,
        )
        names = [f"x.{suffix}", f"y.{suffix}"] if result.exit_code == 0 else [f"x.{suffix}"]
        assert sorted(os.listdir(folder)) == names
        if result.exit_code != 0:
            refusals += 1
            assert result.exit_code == 1
            line = result.output.splitlines()[-1]
            assert line.startswith("Error: "), (changed, result.output)
            assert f"x.{suffix}" in line, (changed, line)
    assert refusals > CASES // 4
