"""`gpu-sigmoid apply` on .npy files: results, refusals, and that no half-written file is left."""

import os
import threading
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from helpers.command import done, misused, refused

import gpu_sigmoid as gs
from gpu_sigmoid.cli.computation import NUMBERS, beside, computation, option
from gpu_sigmoid.cli.stores import npy


def applied(tmp_path: Path, x: np.ndarray, *options: str) -> np.ndarray:
    np.save(tmp_path / "in.npy", x)
    done("apply", tmp_path / "in.npy", tmp_path / "out.npy", *options)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.npy", "out.npy"]
    return np.load(tmp_path / "out.npy")


@pytest.mark.parametrize("parametrised", [False, True])
@pytest.mark.parametrize("name", [name for name, f in gs.FUNCTIONS.items() if f.signature.gradients == 1])
@pytest.mark.parametrize("what", ["value", "grad", "both"])
def test_apply_gives_the_functions_bits(tmp_path: Path, name: str, what: str, parametrised: bool) -> None:
    x = np.linspace(0.01, 0.99, 101, dtype=np.float32)
    function = gs.FUNCTIONS[name]
    others = dict(zip(function.operands[1:], (0.3,), strict=False))
    parameters = {n: 2.7 for n in beside(function) if n not in others and parametrised}
    numbers = [text for n, number in (others | parameters).items() for text in (option(n), number)]
    got = applied(tmp_path, x, "--function", name, "--what", what, *numbers)
    method = {"value": function, "grad": function.grad, "both": function.value_and_grad}[what]
    want = method(x, *others.values(), **parameters)
    np.testing.assert_array_equal(got, np.stack(want) if what == "both" else want)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_for_another_function_is_refused(tmp_path: Path, number: str) -> None:
    np.save(tmp_path / "in.npy", np.zeros(3))
    text = misused("apply", tmp_path / "in.npy", tmp_path / "out.npy", option(number), "-2.5")
    assert text == f"Error: {option(number)} is for {' and '.join(NUMBERS[number])}, not for sigmoid\n"
    assert not (tmp_path / "out.npy").exists()


def test_the_result_is_said_in_words(tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.zeros(3))
    files = (tmp_path / "in.npy", tmp_path / "out.npy")
    for options, words in (
        (["--function", "silu", "--what", "both"], "value and gradient of silu, float64 (2, 3)"),
        (["--function", "softplus", "--beta", 2.5], "value of softplus --beta 2.5, float64 (3,)"),
        (
            ["--function", "bce_with_logits", "--target", 1, "--pos-weight", 3, "--what", "grad"],
            "gradient of bce_with_logits --target 1 --pos-weight 3, float64 (3,)",
        ),
    ):
        assert done("apply", *files, *options) == f"{files[1]}: {words}\n"


def test_a_missing_target_is_named(tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.zeros(3))
    text = misused("apply", tmp_path / "in.npy", tmp_path / "out.npy", "--function", "bce_with_logits")
    assert text == "Error: bce_with_logits takes a target, too: give it by --target\n"


@pytest.mark.parametrize(
    ("name", "option"),
    [("silu", "--beta"), ("bce_with_logits", "--target"), ("bce_with_logits", "--pos-weight")],
)
@pytest.mark.parametrize("command", ["apply", "plot"])
def test_nan_is_no_number(
    tmp_path: Path, command: str, name: str, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.zeros(4))
    files = {"apply": ["x.npy", "y.npy"], "plot": ["-o", "y.png"]}[command]
    message = misused(command, *files, "--function", name, option, "nan")
    assert message == f"Error: Invalid value for '{option}': nan is not a number\n"
    assert os.listdir(tmp_path) == ["x.npy"]


@pytest.mark.parametrize(
    "x",
    [
        np.linspace(-9, 9, 24, dtype=np.float16).reshape(2, 3, 4),
        np.linspace(-9, 9, 24, dtype=">f4").reshape(2, 3, 4),
        np.asfortranarray(np.linspace(-9, 9, 24).reshape(2, 3, 4)),
        np.array(0.5),
        np.zeros((0, 3), np.float32),
        np.arange(-5, 5),
        np.array([True, False]),
    ],
    ids=["float16", "swapped", "Fortran", "0-d", "empty", "integer", "bool"],
)
@pytest.mark.parametrize("what", ["value", "both"])
@pytest.mark.parametrize("block", [40, npy.BLOCK_BYTES])
def test_apply_keeps_dtype_shape_and_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, x: np.ndarray, what: str, block: int
) -> None:
    monkeypatch.setattr(npy, "BLOCK_BYTES", block)
    got = applied(tmp_path, x, "--what", what)
    want = gs.sigmoid(x) if what == "value" else np.stack(gs.sigmoid.value_and_grad(x))
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)
    assert got.flags.fnc == x.flags.fnc


@pytest.mark.parametrize("number", [1, 2, 3])
def test_blocks_are_computed_on_the_threads_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setenv("GPU_SIGMOID_NUM_THREADS", str(number))
    together = threading.Barrier(number)
    threads = set()
    compute = npy.NpyJob.compute

    def met(self: npy.NpyJob, block: range) -> None:
        # passes only if as many threads as are allowed compute at one time
        together.wait(timeout=60)
        threads.add(threading.get_ident())
        compute(self, block)

    monkeypatch.setattr(npy.NpyJob, "compute", met)
    x = np.linspace(-9, 9, 6 * npy.BLOCK_BYTES // 4, dtype=np.float32)
    np.testing.assert_array_equal(applied(tmp_path, x), gs.sigmoid(x))
    assert len(threads) == number


def contents(save: Callable, *array: np.ndarray, **named: np.ndarray) -> bytes:
    """Return what a function of NumPy's writes to a file."""
    file = BytesIO()
    save(file, *array, **named)
    return file.getvalue()


ZEROS = contents(np.save, np.zeros(3))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"PK\x03\x04 and no archive", "an archive (.npz); a single .npy array is accepted"),
        (contents(np.savez, x=np.zeros(3)), "an archive"),
        (b"1 2 3", "not a readable .npy file"),
        (ZEROS.replace(b"}", b" "), "not a readable .npy file"),
        (ZEROS[:-8], "not a readable .npy file"),
        (contents(np.save, np.array([1, "a"], dtype=object)), "not a readable .npy file of numbers"),
        (contents(np.save, np.zeros(3, complex)), "accepted are float16"),
        (contents(np.save, np.zeros(3, [("a", "f4")])), "is not accepted; accepted are float16"),
        (lambda path: path.mkdir(), "is not a file; a single .npy file is accepted"),
        (lambda path: os.mkfifo(path), "is not a file"),
        (lambda path: None, "does not exist"),
    ],
    ids=[
        *("torn archive", "archive", "text", "open header", "truncated", "objects", "complex", "records"),
        *("folder", "pipe", "missing"),
    ],
)
def test_apply_refuses(tmp_path: Path, source: Any, words: str) -> None:
    path = tmp_path / "in.npy"
    path.write_bytes(source) if isinstance(source, bytes) else source(path)
    before = sorted(tmp_path.iterdir())
    message = refused("apply", path, tmp_path / "out.npy")
    assert words in message
    assert "in.npy" in message
    assert sorted(tmp_path.iterdir()) == before


def test_the_suffixes_agree_and_columns_are_for_what_has_them(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3))
    for name in ("y.zarr", ".", "..", "", "npy"):
        message = refused("apply", tmp_path / "x.npy", tmp_path / name if name else name)
        assert "must end in .npy, as" in message
    message = misused("apply", tmp_path / "x.npy", tmp_path / "y.npy", "--column", "a")
    assert "--column is for .zarr and .parquet" in message
    assert "accepted are .npy, .zarr, .parquet" in refused("apply", tmp_path, tmp_path / "y.npy")


def test_an_input_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(self: Path, *arguments: Any) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    np.save(tmp_path / "in.npy", np.zeros(3))
    monkeypatch.setattr(Path, "open", forbidden)
    message = refused("apply", tmp_path / "in.npy", tmp_path / "out.npy")
    assert "in.npy is not a readable .npy file of numbers: [Errno 13] Permission denied" in message


def test_an_input_that_becomes_shorter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "x.npy", np.zeros(1000))
    job = npy.open_job(tmp_path / "x.npy", tmp_path / "y.npy", computation("sigmoid", "value", {}), ())
    os.truncate(tmp_path / "x.npy", 4000)
    with pytest.raises(click.ClickException, match="became shorter while it was read"):
        job.compute(job.blocks[0])
