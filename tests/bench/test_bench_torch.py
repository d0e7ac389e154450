"""`python -m bench torch`: a page of calls beside torch's own."""

import re

import pytest
from click.testing import CliRunner
from helpers.required import library

library("torch")

from bench import torch_calls  # noqa: E402
from bench.command import main  # noqa: E402
from gpu_sigmoid import get_num_threads  # noqa: E402


def test_every_call_is_timed_beside_torchs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_calls, "TURNS", {10: (1, 1), 20: (1, 1)})
    threads = get_num_threads()
    done = CliRunner().invoke(main, ["torch", "--turns", "2"])
    assert done.exit_code == 0, done.output
    rows = re.findall(r"^\| `(.*?)` \| (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", done.output, re.M)
    assert len(rows) == 2 * len(torch_calls.calls(10))
    assert all(float(figure) > 0 for row in rows for figure in row[2:4])
    assert get_num_threads() == threads


def test_both_compute_the_same() -> None:
    for name, pair in torch_calls.calls(10).items():
        ours, theirs = (call() for call in pair)
        assert (ours is None) == (theirs is None), name
        if ours is not None:
            assert (ours - theirs).abs().max() < 1e-6, name


def test_a_disturbed_turn_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([5.0, 4.0, 1.0, 9.0, 2.0, 3.0])
    monkeypatch.setattr(torch_calls, "settled", lambda call, count: next(seconds))
    assert torch_calls.quickest((int, int), 3, 1) == [1e6, 3e6]
