"""`python -m bench torch`: a page of calls beside torch's own."""

import re

from click.testing import CliRunner
from helpers.required import library

library("torch")

from bench import torch_calls
from bench.command import main


def test_every_call_is_timed_beside_torchs() -> None:
    done = CliRunner().invoke(main, ["torch", "--rounds", "3"])
    assert done.exit_code == 0, done.output
    line = r"^\| `(.*?)` \| ([\d,]+) \| ([\d.,]+) \| ([\d.,]+) \| [\d.]+ \([\d.]+-[\d.]+\) \|$"
    rows = re.findall(line, done.output, re.M)
    assert len(rows) == 2 * len(torch_calls.calls(24))
    assert {row[1] for row in rows} == {"1,000", "1,048,576"}
    assert all(float(figure.replace(",", "")) > 0 for row in rows for figure in row[2:])


def test_both_compute_the_same() -> None:
    for name, pair in torch_calls.calls(24).items():
        ours, theirs = (call() for call in pair)
        assert (ours is None) == (theirs is None), name
        if ours is not None:
            assert (ours - theirs).abs().max() < 1e-6, name
