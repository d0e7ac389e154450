"""JAX arrays in the memory of a GPU: the CPU's bits, within compiled programs too."""

from typing import Any

import numpy as np
import pytest
from helpers.backends import need
from helpers.calls import bits, sample
from helpers.methods import as_tuple
from helpers.required import library

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

jax = library("jax")
if not any(device.platform == "gpu" for device in jax.devices()):
    pytest.skip("JAX finds no GPU", allow_module_level=True)
need("cupy")  # which compiles the kernels

jnp = jax.numpy
PARAMETRISED = [function for function in gs.FUNCTIONS.values() if function.parameter]


@pytest.fixture(autouse=True)
def with_float64() -> Any:
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


def same(got: Any, want: Any) -> None:
    for g, w in zip(as_tuple(got), as_tuple(want), strict=True):
        assert {device.platform for device in g.devices()} == {"gpu"}
        assert g.dtype == w.dtype
        assert bits(np.asarray(g)) == bits(w)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", gs.FUNCTIONS)
def test_the_cpus_bits(name: str, dtype: str) -> None:
    for mode in PUBLIC:
        method = gs.FUNCTIONS[name].methods[mode]
        hosts = sample(method, jnp.dtype(dtype), 1003)
        there = tuple(map(jnp.asarray, hosts))
        want = method(*hosts)
        same(method(*there), want)
        same(jax.jit(lambda *a, method=method: method(*a))(*there), want)


@pytest.mark.parametrize("function", PARAMETRISED, ids=str)
def test_a_parameter(function: Any) -> None:
    hosts = sample(function, np.float32, 1003)
    for value in (1.5, np.linspace(0.5, 3, 1003, dtype=np.float32)):
        given = {function.parameter: value}
        same(jax.jit(lambda *a, given=given: function(*a, **given))(*hosts), function(*hosts, **given))


def test_gradients_and_batches() -> None:
    (x,) = sample(gs.silu, np.float64, 1003)
    same(jax.jit(jax.grad(lambda x: gs.silu(x).sum()))(x), gs.silu.grad(x))
    same(jax.jit(jax.vmap(jax.grad(gs.silu)))(x), gs.silu.grad(x))


def test_a_donated_operands_memory_takes_the_result() -> None:
    (x,) = sample(gs.sigmoid, np.float32, 1 << 20)
    there = jnp.asarray(x)
    address = there.unsafe_buffer_pointer()
    result = jax.jit(lambda x: gs.sigmoid(x), donate_argnums=0)(there)
    same(result, gs.sigmoid(x))
    assert result.unsafe_buffer_pointer() == address


def test_within_a_loop() -> None:
    (x,) = sample(gs.sigmoid, np.float32, 1003)
    looped = jax.jit(lambda x: jax.lax.fori_loop(0, 10, lambda _, x: gs.sigmoid(x), x))
    want = x
    for _ in range(10):
        want = gs.sigmoid(want)
    same(looped(x), want)
