"""`gpu-sigmoid plot` and `demo`."""

import os
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import done, misused, refused, run, tree
from matplotlib.figure import Figure

import gpu_sigmoid as gs
from gpu_sigmoid.cli.plot import curves_at, draw, points


def drawn(function: Any, ends: tuple[float, float] | None = None, grad2: bool = False) -> Any:
    x = points(function, ends)
    return draw(function, x, curves_at(function, x, grad2))


def test_plot_draws_the_figure(tmp_path: Path) -> None:
    done("plot", "-o", tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    axes = drawn(gs.sigmoid)
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


EVERY_FUNCTION = pytest.mark.parametrize("function", gs.FUNCTIONS.values(), ids=gs.FUNCTIONS)


@EVERY_FUNCTION
def test_plot_draws_every_function(tmp_path: Path, function: Any) -> None:
    done("plot", "--function", function.__name__, "-o", tmp_path / "figure.svg")
    assert "<svg" in (tmp_path / "figure.svg").read_text(encoding="utf-8")


@EVERY_FUNCTION
@pytest.mark.parametrize("grad2", [False, True])
def test_nothing_that_is_written_stands_on_a_curve_or_beyond_the_edge(function: Any, grad2: bool) -> None:
    axes = drawn(function, grad2=grad2)
    axes.figure.draw_without_rendering()
    legend = axes.get_legend()
    low, high = axes.get_ylim()
    labels = [text for text in axes.get_yticklabels() if low <= text.get_position()[1] <= high]
    boxes = [text.get_window_extent() for text in labels]
    assert len(boxes) > 2
    assert axes.get_xlabel() in function.operands
    assert [text.get_text() for text in legend.get_texts()] == [line.get_label() for line in axes.lines]
    page = axes.figure.bbox
    for box in (*boxes, legend.get_window_extent(), axes.xaxis.label.get_window_extent()):
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
        for line in axes.lines:
            shown = axes.transData.transform(line.get_xydata())
            assert not box.count_contains(shown[shown[:, 1] <= axes.bbox.y1])


@EVERY_FUNCTION
def test_a_curve_that_leaves_the_figure_is_not_flattened(function: Any) -> None:
    axes = drawn(function, grad2=True)
    value, *_ = axes.lines
    low, high = axes.get_ylim()
    heights = value.get_ydata()
    assert low <= heights.min() and heights.max() <= high
    assert np.ptp(heights) > (high - low) / 5
    for line, method in zip(axes.lines, ("value", "grad", "grad2"), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), of_one_operand(function, method, value.get_xdata()))


def of_one_operand(function: Any, method: str, x: np.ndarray) -> np.ndarray:
    """The value or a derivative by the operand that is drawn, the other 1."""
    if method == "value":
        return function(*operands_at(function, x))
    results = getattr(function, method)(*operands_at(function, x))
    if not isinstance(results, tuple):
        return results
    return results[-1 if function is gs.glu else 0]


def operands_at(function: Any, x: np.ndarray) -> list[Any]:
    operands: list[Any] = [1.0] * len(function.operands)
    operands[1 if function is gs.glu else 0] = x
    return operands


@pytest.mark.parametrize("suffix", ["csv", "npz"])
def test_the_points_of_the_curves_are_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"points.{suffix}"
    path.write_text("old")
    options = ["--function", "silu", "--range", "-2", "30", "--grad2", "-o", tmp_path / "a.svg"]
    done("plot", *options, "--data", path)
    if suffix == "csv":
        assert path.read_text(encoding="utf-8").partition("\n")[0] == "x,value,grad,grad2"
        x, *columns = np.loadtxt(path, delimiter=",", skiprows=1, unpack=True)
    else:
        with np.load(path) as arrays:
            x, *columns = (arrays[name] for name in ("x", "value", "grad", "grad2"))
    np.testing.assert_array_equal(x, np.linspace(-2, 30, 1201))
    for column, method in zip(columns, (gs.silu, gs.silu.grad, gs.silu.grad2), strict=True):
        np.testing.assert_array_equal(column, method(x))


NUMBERS = {
    "softplus": {"beta": 5.0},
    "silu": {"beta": -0.5},
    "bce_with_logits": {"target": 0.25, "pos_weight": 3.0},
}


@pytest.mark.parametrize("name", NUMBERS)
def test_the_numbers_beside_x_are_set(tmp_path: Path, name: str) -> None:
    numbers, path = NUMBERS[name], tmp_path / "points.npz"
    options = [word for n, value in numbers.items() for word in (f"--{n.replace('_', '-')}", value)]
    done("plot", "--function", name, "--grad2", *options, "-o", tmp_path / "a.svg", "--data", path)
    function, x = gs.FUNCTIONS[name], np.arange(-6, 6, 0.01)
    parameters = dict(numbers)
    operands = [parameters.pop(operand) for operand in function.operands[1:]]
    with np.load(path) as arrays:
        for column, method in (("value", function), ("grad", function.grad), ("grad2", function.grad2)):
            np.testing.assert_array_equal(arrays[column], method(x, *operands, **parameters))


def test_the_numbers_are_named_in_the_figure() -> None:
    for name, label in (
        ("softplus", "softplus(x, beta=5)"),
        ("silu", "silu(x, beta=-0.5)"),
        ("bce_with_logits", "bce_with_logits(x, 0.25, pos_weight=3)"),
    ):
        function, x = gs.FUNCTIONS[name], np.linspace(-6, 6, 11)
        axes = draw(function, x, curves_at(function, x, numbers=NUMBERS[name]), NUMBERS[name])
        assert axes.lines[0].get_label() == label


def test_a_number_for_another_function_is_not_drawn(tmp_path: Path) -> None:
    message = misused("plot", "-o", tmp_path / "a.png", "--beta", 2)
    assert message == "Error: --beta is for softplus and silu, not for sigmoid\n"
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("function", "numbers"),
    [
        ("softplus", ["--beta", "0"]),
        ("bce_with_logits", ["--pos-weight", "1e308"]),
        ("bce_with_logits", ["--target", "-1e305"]),
    ],
)
def test_what_is_not_finite_is_not_drawn(tmp_path: Path, function: str, numbers: list[str]) -> None:
    message = misused("plot", "-o", tmp_path / "a.png", "--function", function, *numbers)
    assert message.startswith(f"Error: {function} {numbers[0]} ")
    assert "cannot be drawn: from -6 to 5.99 " in message
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("function", "low", "high"),
    [
        ("silu", "2", "2"),
        ("silu", "nan", "2"),
        ("silu", "0", "inf"),
        ("logit", "0", "1.5"),
        ("sigmoid", "-1e308", "1e308"),
    ],
)
def test_a_range_that_cannot_be_drawn(tmp_path: Path, function: str, low: str, high: str) -> None:
    result = run("plot", "--function", function, "--range", low, high, "-o", tmp_path / "a.png")
    assert result.exit_code == 2
    assert f"{function} needs finite numbers LOW < HIGH, with a finite difference" in result.output
    assert not os.listdir(tmp_path)


def test_only_a_file_that_is_named_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sigmoid.png").write_text("precious")
    assert "it already exists; name it with -o to replace it" in refused("plot")
    assert tree(tmp_path) == {"sigmoid.png": b"precious"}
    assert done("plot", "-o", "sigmoid.png") == "saved sigmoid.png\n"
    assert Path("sigmoid.png").read_bytes().startswith(b"\x89PNG")


def test_the_format_of_data_is_known(tmp_path: Path) -> None:
    message = refused("plot", "-o", tmp_path / "a.png", "--data", tmp_path / "a.parquet")
    assert "accepted are .csv, .npz" in message
    assert not os.listdir(tmp_path)


def test_plot_has_a_name_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert done("plot", "--function", "silu") == "saved silu.png\n"
    assert os.listdir() == ["silu.png"]
    os.remove("silu.png")
    os.mkdir("silu.png")
    assert "it is a folder" in refused("plot", "--function", "silu")


@pytest.mark.parametrize("name", ["figure.xyz", "figure", "figure.png.d"])
def test_the_suffix_is_a_format(tmp_path: Path, name: str) -> None:
    # matplotlib would write figure.png where `figure` is asked for
    (tmp_path / "figure.png").write_text("precious")
    before = tree(tmp_path)
    assert ".png, " in refused("plot", "-o", tmp_path / name)
    assert tree(tmp_path) == before


def test_a_figure_that_cannot_be_drawn_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def savefig(self: Figure, target: BytesIO, **options: Any) -> None:
        target.write(b"half a figure")
        raise RuntimeError("there is\nno LaTeX")

    monkeypatch.setattr(Figure, "savefig", savefig)
    (tmp_path / "figure.pgf").write_text("precious")
    assert "there is no LaTeX" in refused("plot", "-o", tmp_path / "figure.pgf")
    assert tree(tmp_path) == {"figure.pgf": b"precious"}


def test_demo_agrees_with_scikit_learn(tmp_path: Path) -> None:
    output = done("demo", "-o", tmp_path / "demo.png")
    scores = {line.split()[0]: line.split()[1:] for line in output.splitlines()[1:3]}
    assert scores["gpu_sigmoid"] == scores["scikit-learn"]
    assert float(scores["gpu_sigmoid"][0]) > 0.9
    assert (tmp_path / "demo.png").exists()
