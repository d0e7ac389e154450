"""The command line: results, refusals, and that no half-written file is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from matplotlib.figure import Figure

import gpu_sigmoid as gs
from gpu_sigmoid.cli import main
from gpu_sigmoid.cli.apply import OF_ONE_ARRAY
from gpu_sigmoid.cli.plot import draw
from gpu_sigmoid.cli.stores.npy import BLOCK


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def applied(tmp_path: Path, x: np.ndarray, *options: str) -> np.ndarray:
    np.save(tmp_path / "in.npy", x)
    result = run("apply", tmp_path / "in.npy", tmp_path / "out.npy", *options)
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.npy", "out.npy"]
    return np.load(tmp_path / "out.npy")


@pytest.mark.parametrize("name", OF_ONE_ARRAY)
@pytest.mark.parametrize("what", ["value", "grad", "both"])
def test_apply_gives_the_functions_bits(tmp_path: Path, name: str, what: str) -> None:
    x = np.linspace(0.01, 0.99, 101, dtype=np.float32)
    function = gs.FUNCTIONS[name]
    got = applied(tmp_path, x, "--function", name, "--what", what)
    want = {"value": function, "grad": function.grad, "both": function.value_and_grad}[what](x)
    np.testing.assert_array_equal(got, np.stack(want) if what == "both" else want)


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
        np.linspace(-9, 9, 2 * BLOCK + 3, dtype=np.float32),
    ],
    ids=["float16", "swapped", "Fortran", "0-d", "empty", "integer", "bool", "blocks"],
)
@pytest.mark.parametrize("what", ["value", "both"])
def test_apply_keeps_dtype_shape_and_order(tmp_path: Path, x: np.ndarray, what: str) -> None:
    got = applied(tmp_path, x, "--what", what)
    want = gs.sigmoid(x) if what == "value" else np.stack(gs.sigmoid.value_and_grad(x))
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)
    assert got.flags.fnc == x.flags.fnc


def test_apply_onto_its_own_input(tmp_path: Path) -> None:
    x = np.linspace(-9, 9, 100)
    np.save(tmp_path / "x.npy", x)
    assert run("apply", tmp_path / "x.npy", tmp_path / "x.npy").exit_code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), gs.sigmoid(x))


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


@pytest.mark.parametrize(
    ("make", "words"),
    [
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
    result = run("apply", tmp_path / "in.npy", tmp_path / "out.npy")
    assert result.exit_code != 0
    assert words in " ".join(result.output.split())
    assert "Traceback" not in result.output
    assert sorted(tmp_path.iterdir()) == before


def test_apply_refuses_a_target_it_cannot_write(tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.zeros(3))
    result = run("apply", tmp_path / "in.npy", tmp_path / "nowhere" / "out.npy")
    assert result.exit_code != 0
    assert "cannot write" in result.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_apply_leaves_the_target_as_it_was(tmp_path: Path, number: signal.Signals) -> None:
    # a sparse file: large to go through, small on disk
    np.lib.format.open_memmap(tmp_path / "in.npy", "w+", np.float32, (1 << 28,)).flush()
    (tmp_path / "out.npy").write_text("precious")
    command = [sys.executable, "-m", "gpu_sigmoid", "apply", "in.npy", "out.npy", "--function", "softplus"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while len(os.listdir(tmp_path)) < 3:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode not in (0, -signal.SIGKILL), output
    assert sorted(os.listdir(tmp_path)) == ["in.npy", "out.npy"]
    assert (tmp_path / "out.npy").read_text() == "precious"


def test_plot_draws_the_figure(tmp_path: Path) -> None:
    result = run("plot", "-o", tmp_path / "figure.png")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    axes = draw(gs.sigmoid)
    figure: Figure = axes.figure
    assert tuple(figure.get_size_inches()) == (9, 5)
    value, grad = axes.lines
    np.testing.assert_array_equal(value.get_xdata(), np.arange(-6, 6, 0.01))
    np.testing.assert_array_equal(value.get_ydata(), gs.sigmoid(np.arange(-6, 6, 0.01)))
    np.testing.assert_array_equal(grad.get_ydata(), gs.sigmoid.grad(np.arange(-6, 6, 0.01)))
    assert [line.get_color() for line in axes.lines] == ["#307EC7", "#9621E2"]
    assert {line.get_linewidth() for line in axes.lines} == {3}
    assert axes.spines["left"].get_position() == "center"
    assert not axes.spines["top"].get_visible()
    assert not axes.spines["right"].get_visible()
    assert not axes.get_legend().get_frame_on()


def test_plot_draws_every_function(tmp_path: Path, function: Any) -> None:
    result = run("plot", "--function", function.__name__, "-o", tmp_path / "figure.svg")
    assert result.exit_code == 0, result.output
    assert "<svg" in (tmp_path / "figure.svg").read_text()


def test_plot_refuses_a_format_it_does_not_know(tmp_path: Path) -> None:
    result = run("plot", "-o", tmp_path / "figure.xyz")
    assert result.exit_code != 0
    assert "cannot save" in result.output


def test_demo_agrees_with_scikit_learn(tmp_path: Path) -> None:
    result = run("demo", "-o", tmp_path / "demo.png")
    assert result.exit_code == 0, result.output
    scores = {line.split()[0]: line.split()[1:] for line in result.output.splitlines()[1:3]}
    assert scores["gpu_sigmoid"] == scores["scikit-learn"]
    assert float(scores["gpu_sigmoid"][0]) > 0.9
    assert (tmp_path / "demo.png").exists()


def test_info_says_what_is_missing_and_why() -> None:
    result = run("info")
    assert result.exit_code == 0
    assert gs.__version__ in result.output
    for name in ("numpy", "numba", "cupy", "torch", "jax", "dask", "CPU", "GPU"):
        assert f"\n{name}" in result.output
    if not gs.gpu_available():
        assert "not used: " in result.output


def test_errors_name_what_is_accepted() -> None:
    result = run("plot", "--function", "tanh")
    assert result.exit_code == 2
    assert "'log_sigmoid'" in result.output
