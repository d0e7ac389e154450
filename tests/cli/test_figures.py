"""`gpu-sigmoid plot` and `demo`."""

import os
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import done, refused, run, tree
from matplotlib.figure import Figure

import gpu_sigmoid as gs
from gpu_sigmoid.cli.plot import draw


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


EVERY_FUNCTION = pytest.mark.parametrize("function", gs.FUNCTIONS.values(), ids=gs.FUNCTIONS)


@EVERY_FUNCTION
def test_plot_draws_every_function(tmp_path: Path, function: Any) -> None:
    result = run("plot", "--function", function.__name__, "-o", tmp_path / "figure.svg")
    assert result.exit_code == 0, result.output
    assert "<svg" in (tmp_path / "figure.svg").read_text(encoding="utf-8")


@EVERY_FUNCTION
def test_labels_stand_on_no_curve(function: Any) -> None:
    axes = draw(function)
    axes.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.get_yticklabels() if text.get_text()]
    assert boxes
    for line in axes.lines:
        points = axes.transData.transform(line.get_xydata())
        assert not any(box.count_contains(points) for box in boxes)


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
    result = run("demo", "-o", tmp_path / "demo.png")
    assert result.exit_code == 0, result.output
    scores = {line.split()[0]: line.split()[1:] for line in result.output.splitlines()[1:3]}
    assert scores["gpu_sigmoid"] == scores["scikit-learn"]
    assert float(scores["gpu_sigmoid"][0]) > 0.9
    assert (tmp_path / "demo.png").exists()
