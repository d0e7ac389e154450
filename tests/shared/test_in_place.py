"""Results in an operand's place: exactly it, whichever operand, and one or both of two results."""

from itertools import product
from typing import Any

import pytest
from helpers.backends import Backend
from helpers.calls import assert_results, bits, expected, sample
from helpers.combinations import with_a_dtype
from helpers.floats import DTYPES
from helpers.methods import as_tuple, of_each_signature, single_results

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

FUNCTIONS = of_each_signature()

VIEWS = {
    "contiguous": lambda x: x[:120],
    "misaligned": lambda x: x[1:121],
    "every other": lambda x: x[1::2],
    "rows of a wider array": lambda x: x[:240].reshape(12, 20)[:, 1:15],
}


@with_a_dtype(function=FUNCTIONS.values(), name=PUBLIC, view=VIEWS)
def test_in_place(function: Any, name: str, dtype: str, view: str, backend: Backend) -> None:
    method = function.methods[name]
    hosts = [VIEWS[view](a) for a in sample(method, DTYPES[dtype], 241)]
    want = expected(method, *hosts)
    # each result in each operand's place, or in a new array
    places = [*range(len(hosts)), None]
    for chosen in product(places, repeat=len(want)):
        taken = [place for place in chosen if place is not None]
        if not taken or len(set(taken)) < len(taken):
            continue
        arrays = [backend.lay(h)[0] for h in hosts]
        outs = tuple(None if place is None else arrays[place] for place in chosen)
        got = method(*arrays, out=outs if len(outs) > 1 else outs[0])
        assert all(y is out for y, out in zip(as_tuple(got), outs, strict=True) if out is not None)
        assert_results(backend, got, want)
        for i, (array, host) in enumerate(zip(arrays, hosts, strict=True)):
            assert i in chosen or bits(backend.to_host(array)) == bits(host)


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_array_for_all_operands_and_the_result(function: Any, dtype: str, backend: Backend) -> None:
    for method in (function, *(m for name in PUBLIC[1:3] for m in single_results(function.methods[name]))):
        host = sample(gs.logit, DTYPES[dtype], 100)[0]
        (x,) = backend.lay(host)
        count = len(method.operands)
        assert method(*[x] * count, out=x) is x
        assert bits(backend.to_host(x)) == bits(expected(method, *[host] * count)[0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_beside_a_view_stays(function: Any, dtype: str, backend: Backend) -> None:
    hosts = sample(function, DTYPES[dtype], 241)
    memory = hosts[0].copy()
    whole, x = backend.lay(memory, memory[5:230:3])
    more = [backend.lay(h[5:230:3])[0] for h in hosts[1:]]
    function(x, *more, out=x)
    memory[5:230:3] = expected(function, *(h[5:230:3] for h in hosts))[0]
    assert bits(backend.to_host(whole)) == bits(memory)
