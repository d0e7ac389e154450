"""Results that share memory with operands but are not they: what a copy of the operands would give."""

from typing import Any

import numpy as np
import pytest
from helpers.backends import Backend
from helpers.calls import assert_results, bits, expected, sample
from helpers.combinations import with_a_dtype
from helpers.floats import DTYPES
from helpers.methods import as_tuple, methods_of_several_operands, of_each_signature

from gpu_sigmoid.modes import PUBLIC

FUNCTIONS = of_each_signature()

# of 600 elements, what is read and what is written
OVERLAPS = {
    "one up": (lambda m: m[:-1], lambda m: m[1:]),
    "one down": (lambda m: m[1:], lambda m: m[:-1]),
    "far up": (lambda m: m[:400], lambda m: m[200:]),
    "far down": (lambda m: m[200:], lambda m: m[:400]),
    "reversed": (lambda m: m, lambda m: m[::-1]),
    "spread": (lambda m: m[:300], lambda m: m[::2]),
    "gathered": (lambda m: m[::2], lambda m: m[:300]),
    "between": (lambda m: m[::2], lambda m: m[1::2]),
    "transposed": (lambda m: m[:576].reshape(24, 24), lambda m: m[:576].reshape(24, 24).T),
    "one row for all": (lambda m: np.broadcast_to(m[:20], (30, 20)), lambda m: m.reshape(30, 20)),
}


@with_a_dtype(function=FUNCTIONS.values(), name=PUBLIC, overlap=OVERLAPS)
def test_every_overlap(function: Any, name: str, dtype: str, overlap: str, backend: Backend) -> None:
    method = function.methods[name]
    read, written = OVERLAPS[overlap]
    hosts = sample(method, DTYPES[dtype], 600)
    memory = hosts[0].copy()
    more = [read(h) for h in hosts[1:]]
    want = expected(method, read(memory), *more)
    for place in range(len(want)):
        whole, x, out = backend.lay(memory, read(memory), written(memory))
        given = tuple(out if i == place else None for i in range(len(want)))
        arrays = (x, *(backend.lay(m)[0] for m in more))
        got = method(*arrays, out=given if len(given) > 1 else out)
        assert as_tuple(got)[place] is out
        assert_results(backend, got, want)
        after = memory.copy()
        written(after)[...] = want[place]
        assert bits(backend.to_host(whole)) == bits(after)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", methods_of_several_operands(), ids=str)
def test_other_operands_overlap(method: Any, dtype: str, backend: Backend) -> None:
    hosts = sample(method, DTYPES[dtype], 300)
    for place in range(1, len(hosts)):
        memory = np.concatenate([hosts[place], hosts[place][:8]])
        _, operand, *written = backend.lay(memory, memory[4:-4], memory[:-8], memory[8:])
        views = [memory[4:-4] if i == place else h for i, h in enumerate(hosts)]
        want = expected(method, *views)
        arrays = [operand if i == place else backend.lay(h)[0] for i, h in enumerate(hosts)]
        out = written[place % 2]
        outs = (None,) * (len(want) - 1) + (out,)
        got = method(*arrays, out=outs if len(outs) > 1 else out)
        assert as_tuple(got)[-1] is out
        assert_results(backend, got, want)


@pytest.mark.parametrize("dtype", DTYPES)
def test_two_results_overlap_the_operand(function: Any, dtype: str, backend: Backend) -> None:
    method = function.methods["value_and_grad"]
    hosts = sample(method, DTYPES[dtype], 400)
    for slices in (
        (slice(100, 300), slice(0, 200), slice(200, 400)),
        (slice(0, 400, 2), slice(1, 400, 2), slice(0, 400, 2)),
        (slice(100, 200), slice(199, 99, -1), slice(200, 300)),
        (slice(0, 200), slice(0, 200), slice(200, 400)),
    ):
        memory = hosts[0].copy()
        read, *written = (memory[s] for s in slices)
        more = [h[: read.size] for h in hosts[1:]]
        want = expected(method, read, *more)
        x, *outs = backend.lay(read, *written)
        given = (*outs, *[None] * (len(want) - len(outs)))
        got = method(x, *(backend.lay(m)[0] for m in more), out=given)
        assert all(y is out for y, out in zip(got, outs, strict=False))
        assert_results(backend, got, want)
