"""The command where there is nothing of POSIX's, and no open file is synchronised, moved or removed."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.processes import python
from helpers.stores import load, save

import gpu_sigmoid as gs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="open files are looked up in /proc")

# libraries look at the system when they are imported, which is before it pretends to be Windows
COMMANDS = """
import click, concurrent.futures.thread, matplotlib.pyplot, numba, numpy, pyarrow.parquet, sys, zarr
from helpers.windows import pretend

pretend()
from gpu_sigmoid.cli import main

for command in sys.argv[1:]:
    try:
        main(command.split())
    except SystemExit as end:
        print(end.code)
"""
X = np.linspace(-5, 5, 1000, dtype=np.float32)


def test_commands(tmp_path: Path) -> None:
    names = ["x.npy", "x.parquet", "x.zarr", "corrupt.parquet"]
    for name in names:
        save(tmp_path / name, X, 100, compressed=True)
    content = bytearray((tmp_path / "corrupt.parquet").read_bytes())
    content[3000:3600] = bytes(600)
    (tmp_path / "corrupt.parquet").write_bytes(content)
    made = ["y.npy", "y.parquet", "y.zarr", "y.png"]
    commands = [f"apply x{y[1:]} {y}" for y in made[:3]] + ["plot --function sigmoid -o y.png"]
    # in place of nothing, then of older results
    commands = [*commands, "apply corrupt.parquet z.parquet", *commands]
    paths = os.pathsep.join(map(str, sys.path))
    done = python("-c", COMMANDS, *commands, cwd=tmp_path, PYTHONPATH=paths)
    ends = [int(line) for line in done.stdout.splitlines() if line.isdecimal()]
    assert ends == [0, 0, 0, 0, 1, 0, 0, 0, 0], done
    # nothing is left of the failure
    assert sorted(os.listdir(tmp_path)) == sorted([*names, *made])
    for name in made[:3]:
        np.testing.assert_array_equal(load(tmp_path / name), gs.sigmoid(X))
