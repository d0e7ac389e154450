"""`python -m bench jax`: a page of calls beside JAX's own."""

import numpy as np
from helpers.required import library

library("jax")

from bench import calls, jax_calls


def test_a_page_has_every_call_at_every_size() -> None:
    page = calls.page("jax", (5, 2000), jax_calls.calls, "no load", 3)
    assert page.startswith("# Calls through JAX\n") and "no load" in page and "medians of 3 rounds" in page
    for name in jax_calls.calls(5):
        for size in ("5", "2,000"):
            assert f"\n| {name} | {size} | " in page


def test_both_compute_the_same() -> None:
    found = jax_calls.calls(1000)
    assert {name.split("(")[0] for name in found} == {f"`{name}" for name in (*jax_calls.NAMES, "jit")}
    for name, pair in found.items():
        ours, theirs = (np.asarray(call()) for call in pair)
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-6, err_msg=name)


def test_the_ratio_is_the_median_of_the_rounds(monkeypatch) -> None:
    seconds = {"a": np.array([2e-6, 3e-6, 9e-6]), "b": np.array([1e-6, 3e-6, 3e-6])}
    monkeypatch.setattr(calls, "interleave", lambda *_: seconds)
    assert calls.line("`f(x)`", 10, (int, int), 3) == "| `f(x)` | 10 | 3.0 | 3.0 | 2.0 (1.2-2.8) |"
