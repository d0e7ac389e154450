"""`gpu-sigmoid apply` on .npy files: results, refusals, and that no half-written file is left."""

import os
import threading
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from helpers.command import misused, refused, run

import gpu_sigmoid as gs
from gpu_sigmoid.cli.computation import NUMBERS, beside, computation, option
from gpu_sigmoid.cli.stores import npy


def applied(tmp_path: Path, x: np.ndarray, *options: str) -> np.ndarray:
    np.save(tmp_path / "in.npy", x)
    result = run("apply", tmp_path / "in.npy", tmp_path / "out.npy", *options)
    assert result.exit_code == 0, result.output
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
        assert run("apply", *files, *options).output == f"{files[1]}: {words}\n"


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


def make_missing(path: Path) -> None:
    pass


def make_text(path: Path) -> None:
    path.write_text("1 2 3")


def make_truncated(path: Path) -> None:
    np.save(path, np.zeros(1000))
    path.write_bytes(path.read_bytes()[:-8])


def make_archive(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, x=np.zeros(3))


def make_objects(path: Path) -> None:
    np.save(path, np.array([1, "a"], dtype=object), allow_pickle=True)


def make_complex(path: Path) -> None:
    np.save(path, np.zeros(3, complex))


def make_records(path: Path) -> None:
    np.save(path, np.zeros(3, [("a", "f4")]))


def make_zip(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04 and no archive")


def make_unclosed_header(path: Path) -> None:
    np.save(path, np.zeros(3))
    path.write_bytes(path.read_bytes().replace(b"}", b" "))


def make_folder(path: Path) -> None:
    path.mkdir()


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_zip, "an archive (.npz); a single .npy array is accepted"),
        (make_unclosed_header, "not a readable .npy file"),
        (make_folder, "is not a file; a single .npy file is accepted"),
        (make_pipe, "is not a file"),
        (make_missing, "does not exist"),
        (make_text, "not a readable .npy file"),
        (make_truncated, "not a readable .npy file"),
        (make_archive, "an archive"),
        (make_objects, "not a readable .npy file of numbers"),
        (make_complex, "accepted are float16"),
        (make_records, "not accepted"),
    ],
)
def test_apply_refuses(tmp_path: Path, make: Any, words: str) -> None:
    make(tmp_path / "in.npy")
    before = sorted(tmp_path.iterdir())
    message = refused("apply", tmp_path / "in.npy", tmp_path / "out.npy")
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
