"""`gpu-sigmoid apply` of glu and swiglu on .npy files, whose last axis is halved."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.command import done, misused, refused
from helpers.methods import as_tuple
from helpers.processes import memory_of_command

import gpu_sigmoid as gs
from gpu_sigmoid.cli.stores import npy

GATED = [name for name, function in gs.FUNCTIONS.items() if function.signature.gradients == 2]
METHODS = {"value": "value", "grad": "grad", "both": "value_and_grad"}
NORMAL = np.random.default_rng(0).normal(size=210)


def wanted(x: np.ndarray, name: str, what: str) -> np.ndarray:
    """The results for the halves, along a new first axis if there are several."""
    half = x.shape[-1] // 2
    results = as_tuple(gs.FUNCTIONS[name].methods[METHODS[what]](x[..., :half], x[..., half:]))
    return np.stack(results) if len(results) > 1 else results[0]


@pytest.mark.parametrize(
    "x",
    [
        NORMAL.reshape(7, 3, 10).astype(np.float32),
        np.asfortranarray(NORMAL.reshape(7, 3, 10)),
        NORMAL.reshape(105, 2).astype(np.float16),
        NORMAL.astype(">f4"),
        NORMAL.reshape(1, 1, 210),
        np.zeros((3, 0)),
        np.zeros((0, 4), np.float32),
        np.arange(-4, 4).reshape(2, 4),
    ],
    ids=["rows", "Fortran", "pairs", "swapped", "one row", "empty rows", "no rows", "integers"],
)
@pytest.mark.parametrize("what", METHODS)
@pytest.mark.parametrize("name", GATED)
@pytest.mark.parametrize("block", [24, 96, npy.BLOCK_BYTES])
def test_both_halves_of_the_last_axis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, x: np.ndarray, name: str, what: str, block: int
) -> None:
    monkeypatch.setattr(npy, "BLOCK_BYTES", block)
    np.save(tmp_path / "x.npy", x)
    done("apply", tmp_path / "x.npy", tmp_path / "y.npy", "--function", name, "--what", what)
    got, want = np.load(tmp_path / "y.npy"), wanted(x, name, what)
    assert (got.dtype, got.flags.fnc) == (want.dtype, x.flags.fnc)
    np.testing.assert_array_equal(got, want)
    if what == "value":
        np.testing.assert_array_equal(got, gs.FUNCTIONS[name].packed(x))
    assert sorted(os.listdir(tmp_path)) == ["x.npy", "y.npy"]


@pytest.mark.parametrize(
    ("size", "length", "step"),
    [(12, 12, 5), (12, 4, 5), (12, 4, 9), (12, 4, 4), (12, 1, 5), (12, 12, 99), (0, 0, 5)],
)
def test_blocks_are_parts_of_a_row_or_whole_rows(size: int, length: int, step: int) -> None:
    blocks = npy.cut(size, length, step)
    assert [i for block in blocks for i in block] == list(range(size))
    for block in blocks:
        assert len(block) <= step
        whole = block.start % length == 0 and len(block) % length == 0
        assert whole or block.start // length == (block.stop - 1) // length


@pytest.mark.parametrize(
    ("shape", "words"),
    [((3, 5), "the length of its last axis is odd: 5, of shape (3, 5)"), ((), "it is a single number")],
)
def test_what_has_no_halves(tmp_path: Path, shape: tuple[int, ...], words: str) -> None:
    np.save(tmp_path / "x.npy", np.zeros(shape))
    message = refused("apply", tmp_path / "x.npy", tmp_path / "y.npy", "--function", "glu")
    assert message.endswith(f"x.npy: glu takes the halves of the last axis, but {words}\n")
    assert os.listdir(tmp_path) == ["x.npy"]


@pytest.mark.parametrize("what", ["grad", "both"])
def test_as_many_dimensions_as_numpy_has(tmp_path: Path, what: str) -> None:
    np.save(tmp_path / "x.npy", np.zeros((*(1,) * 63, 2)))
    message = refused("apply", tmp_path / "x.npy", tmp_path / "y.npy", "--function", "glu", "--what", what)
    assert (
        f"x.npy has 64 dimensions, NumPy's limit, and {2 + (what == 'both')} results need one more" in message
    )


def test_numbers_of_other_functions_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(4))
    for option in ("--beta", "--target", "--pos-weight"):
        arguments = ("--function", "swiglu", option, 1)
        assert "not for swiglu" in misused("apply", tmp_path / "x.npy", tmp_path / "y.npy", *arguments)


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux counts it")
@pytest.mark.parametrize("rows", [1, 1 << 14])
def test_memory_is_bounded_by_blocks(tmp_path: Path, rows: int) -> None:
    x = np.random.default_rng(0).normal(size=1 << 25).astype(np.float32).reshape(rows, -1)  # 128 MiB
    np.save(tmp_path / "x.npy", x)
    first = "gs.swiglu.value_and_grad(np.zeros(3, np.float32), np.zeros(3, np.float32))"
    command = ("apply", "x.npy", "y.npy", "--function", "swiglu", "--what", "both")
    assert memory_of_command(first, *command, cwd=tmp_path) < 64 << 20
    y = np.load(tmp_path / "y.npy", mmap_mode="r")
    np.testing.assert_array_equal(y[:, -1, -1000:], wanted(x[-1:], "swiglu", "both")[:, -1, -1000:])
