"""What `gpu-sigmoid apply` may replace, and what a signal or an accident leaves."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import refused, run, start, tree, wait_for_names
from helpers.systems import SIGNALS, posix

import gpu_sigmoid as gs
from gpu_sigmoid.cli.stores import npy

pytestmark = posix


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("x.npy", lambda p: None, "it is the input"),
        ("sub/../x.npy", lambda p: None, "it is the input"),
        ("y.npy", lambda p: p.symlink_to("x.npy"), "it is the input"),
        ("y.npy", lambda p: os.link(p.with_name("x.npy"), p), "it is the input"),
        ("y.npy", lambda p: (p / "precious").mkdir(parents=True), "it is a folder"),
        ("y.npy", lambda p: p.symlink_to("."), "it contains the input"),
        ("y.npy", lambda p: os.mkfifo(p), "it is a device, a pipe"),
        ("no/y.npy", lambda p: None, "no does not exist"),
        ("x.npy/y.npy", lambda p: None, "x.npy is not a folder"),
    ],
)
def test_what_is_never_replaced(tmp_path: Path, name: str, make: Any, words: str) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3))
    (tmp_path / "sub").mkdir() if name.startswith("sub") else make(tmp_path / name)
    before = tree(tmp_path)
    # as a string, since pathlib would shorten the path
    message = refused("apply", tmp_path / "x.npy", f"{tmp_path}/{name}")
    assert words in message
    assert "cannot write" in message
    assert tree(tmp_path) == before


def test_the_input_by_another_name(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3))
    (tmp_path / "link.npy").symlink_to("x.npy")
    before = tree(tmp_path)
    assert "it is the input" in refused("apply", tmp_path / "link.npy", tmp_path / "x.npy")
    assert tree(tmp_path) == before


def test_a_link_is_followed(tmp_path: Path) -> None:
    x = np.linspace(-9, 9, 100)
    np.save(tmp_path / "x.npy", x)
    (tmp_path / "disk").mkdir()
    (tmp_path / "y.npy").symlink_to("disk/long-name-of-a-result.bin")
    for _ in range(2):
        assert run("apply", tmp_path / "x.npy", tmp_path / "y.npy").exit_code == 0
        assert sorted(tree(tmp_path)) == ["disk", "disk/long-name-of-a-result.bin", "x.npy", "y.npy"]
        assert (tmp_path / "y.npy").is_symlink()
        np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), gs.sigmoid(x))


def test_a_long_name_has_room(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3))
    assert run("apply", tmp_path / "x.npy", tmp_path / f"{'y' * 251}.npy").exit_code == 0


def test_what_takes_the_target_s_place_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3))
    monkeypatch.setattr(npy.NpyJob, "close", lambda self: (tmp_path / "y.npy").mkdir())
    result = run("apply", tmp_path / "x.npy", tmp_path / "y.npy")
    assert result.exit_code == 1
    assert "it is a folder" in result.output
    assert sorted(tree(tmp_path)) == ["x.npy", "y.npy"]


def make_large(tmp_path: Path) -> None:
    # a sparse file: large to go through, small on disk
    np.lib.format.open_memmap(tmp_path / "in.npy", "w+", np.float32, (1 << 28,)).flush()
    (tmp_path / "out.npy").write_text("precious")


@pytest.mark.parametrize("name", ["softplus", "swiglu"])
@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupted_apply_leaves_the_target_as_it_was(
    tmp_path: Path, number: signal.Signals, name: str
) -> None:
    make_large(tmp_path)
    process = start(tmp_path, "apply", "in.npy", "out.npy", "--function", name, "--what", "both")
    wait_for_names(tmp_path, 3, process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number, errors
    assert errors.endswith("interrupted\n")
    assert "Traceback" not in errors
    assert sorted(os.listdir(tmp_path)) == ["in.npy", "out.npy"]
    assert (tmp_path / "out.npy").read_text() == "precious"


def test_a_signal_that_nohup_ignores_stays_ignored(tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.zeros(1 << 24, np.float32))
    process = start(tmp_path, "apply", "in.npy", "out.npy", preexec_fn=ignore_hangup)
    wait_for_names(tmp_path, 2, process)
    process.send_signal(signal.SIGHUP)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert sorted(os.listdir(tmp_path)) == ["in.npy", "out.npy"]


def ignore_hangup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def test_what_a_killed_apply_leaves_is_in_nobody_s_way(tmp_path: Path) -> None:
    make_large(tmp_path)
    process = start(tmp_path, "apply", "in.npy", "out.npy", "--function", "softplus")
    wait_for_names(tmp_path, 3, process)
    process.kill()
    process.communicate(timeout=60)
    assert (tmp_path / "out.npy").read_text() == "precious"
    (left,) = set(os.listdir(tmp_path)) - {"in.npy", "out.npy"}
    assert left.startswith(".gpu-sigmoid-")
    np.save(tmp_path / "in.npy", np.zeros(3))
    assert run("apply", tmp_path / "in.npy", tmp_path / "out.npy").exit_code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), np.full(3, 0.5))
    assert sorted(os.listdir(tmp_path)) == sorted([left, "in.npy", "out.npy"])
