"""Arrays over two devices: each computes its part, and nothing is gathered.

The devices are virtual ones, which a process asks for before JAX starts: all checks run in one
process, and each is a test by its own name.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.processes import printed
from helpers.required import library

import gpu_sigmoid as gs

jax = library("jax")
jnp = jax.numpy
P = jax.sharding.PartitionSpec
AXES = jax.sharding.AxisType

X = np.linspace(-20, 20, 64, dtype=np.float32).reshape(8, 8)
T = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
MOVES = ("all-gather", "all-reduce", "all-to-all", "collective-permute")

Check = Callable[[], None]
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    CHECKS[function.__name__] = function
    return function


def mesh(kind: Any = AXES.Auto) -> Any:
    return jax.make_mesh((2,), ("i",), axis_types=(kind,))


def laid(array: np.ndarray, *axes: str | None) -> Any:
    return jax.device_put(array, jax.sharding.NamedSharding(mesh(), P(*axes)))


def stays(function: Callable, want: Any, *operands: Any) -> None:
    """Assert that a compiled function gives `want` laid out as its first operand, and moves nothing."""
    compiled = jax.jit(function).lower(*operands).compile()
    assert [word for word in MOVES if word in compiled.as_text()] == []
    for how in (compiled, function):
        results = how(*operands)
        pairs = zip(results, want, strict=True) if isinstance(want, tuple) else [(results, want)]
        for result, expected in pairs:
            np.testing.assert_array_equal(result, expected)
            assert result.sharding.is_equivalent_to(operands[0].sharding, result.ndim)


@check
def rows_and_columns() -> None:
    for axes in (("i", None), (None, "i")):
        stays(gs.sigmoid, gs.sigmoid(X), laid(X, *axes))
        stays(gs.silu.value_and_grad, gs.silu.value_and_grad(X), laid(X, *axes))


@check
def operands_laid_out_differently() -> None:
    want = gs.bce_with_logits(X, T)
    stays(gs.bce_with_logits, want, laid(X, "i"), laid(T))
    stays(gs.bce_with_logits, gs.bce_with_logits(X, T[0]), laid(X, "i"), laid(T[0]))
    on_one_device = jnp.asarray(T[0])
    for how in (gs.bce_with_logits, jax.jit(lambda *a: gs.bce_with_logits(*a))):
        np.testing.assert_array_equal(how(laid(X, "i"), on_one_device), gs.bce_with_logits(X, T[0]))
        np.testing.assert_array_equal(how(on_one_device, laid(X, "i")), gs.bce_with_logits(T[0], X))
    stays(lambda x, t: gs.bce_with_logits(t, x), gs.bce_with_logits(T, X), laid(X, "i"), laid(T))


@check
def gradients() -> None:
    stays(jax.grad(lambda x: gs.sigmoid(x).sum()), gs.sigmoid.grad(X), laid(X, "i"))
    stays(jax.vmap(jax.grad(lambda x: gs.silu(x).sum())), gs.silu.grad(X), laid(X, "i"))


@check
def by_the_older_partitioner() -> None:
    jax.config.update("jax_use_shardy_partitioner", False)
    stays(gs.silu.value_and_grad, gs.silu.value_and_grad(X), laid(X, "i"))
    jax.config.update("jax_use_shardy_partitioner", True)


@check
def one_axis_and_uneven_parts() -> None:
    stays(gs.sigmoid, gs.sigmoid(X.ravel()), laid(X.ravel(), "i"))
    odd = jax.sharding.NamedSharding(mesh(), P("i"))
    parted = jax.jit(lambda x: gs.sigmoid(jax.lax.with_sharding_constraint(x, odd)))
    np.testing.assert_array_equal(parted(X[0, :7]), gs.sigmoid(X[0, :7]))


@check
def inside_shard_map() -> None:
    parted = jax.shard_map(gs.bce_with_logits, mesh=mesh(), in_specs=(P("i"), P()), out_specs=P("i"))
    for how in (parted, jax.jit(parted)):
        np.testing.assert_array_equal(how(X, T[0]), gs.bce_with_logits(X, T[0]))
    turned = jax.shard_map(gs.bce_with_logits, mesh=mesh(), in_specs=(P(), P("i")), out_specs=P("i"))
    np.testing.assert_array_equal(turned(T[0], X), gs.bce_with_logits(T[0], X))


@check
def gradients_of_shard_map() -> None:
    def loss(x: Any, t: Any) -> Any:
        return jax.lax.psum(gs.bce_with_logits(x, t).sum(), "i")

    parted = jax.shard_map(loss, mesh=mesh(), in_specs=(P("i"), P()), out_specs=P())
    by_x, by_t = jax.jit(jax.grad(parted, argnums=(0, 1)))(X, T[0])
    np.testing.assert_array_equal(by_x, gs.bce_with_logits.grad(X, T[0]))
    np.testing.assert_allclose(by_t, -X.sum(axis=0), rtol=1e-6)


@check
def inside_pmap() -> None:
    np.testing.assert_array_equal(jax.pmap(gs.sigmoid)(X.reshape(2, 4, 8)).reshape(8, 8), gs.sigmoid(X))


@check
def axes_in_types() -> None:
    with jax.set_mesh(mesh(AXES.Explicit)):
        x, t = jax.device_put(X, P("i", None)), jnp.asarray(T)
        for operands in ((x, t), (t, x), (x, t[0]), (t[0], x), (x, 0.5)):
            result = jax.jit(gs.bce_with_logits)(*operands)
            assert jax.typeof(result) == jax.typeof(x)
            want = gs.bce_with_logits(*(np.asarray(o, np.float32) for o in operands))
            np.testing.assert_array_equal(result, want)
        slope = jax.jit(jax.grad(lambda x: gs.sigmoid(x).sum()))(x)
        assert jax.typeof(slope) == jax.typeof(x)
        mapped = jax.jit(jax.vmap(gs.bce_with_logits, in_axes=(0, None)))(x, t[0])
        assert jax.typeof(mapped) == jax.typeof(x)


@check
def exported() -> None:
    from jax import export

    allowed = [export.DisabledSafetyCheck.custom_call("gpu_sigmoid")]

    def loaded(function: Callable, like: Any) -> Callable:
        program = export.export(jax.jit(function), disabled_checks=allowed)(like)
        return export.deserialize(program.serialize()).call

    want = gs.silu.value_and_grad(X)
    stays(loaded(gs.silu.value_and_grad, laid(X, "i")), want, laid(X, "i"))
    # a program of one device's is laid out over two where it is called
    stays(loaded(gs.silu.value_and_grad, X), want, laid(X, "i"))
    halves = gs.bce_with_logits(X, np.full_like(X, 0.5))
    stays(loaded(lambda x: gs.bce_with_logits(x, 0.5), X), halves, laid(X, "i"))


def main() -> None:
    """Print what went wrong with each check, or nothing."""
    outcome = {}
    for name, function in CHECKS.items():
        try:
            function()
            outcome[name] = ""
        except BaseException:
            outcome[name] = traceback.format_exc()
    print(json.dumps(outcome))


@pytest.fixture(scope="module")
def outcomes() -> dict[str, str]:
    flags = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2"
    paths = os.pathsep.join(path for path in sys.path if path)
    variables = {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "PYTHONPATH": paths}
    lines = printed(__file__, timeout=300, **variables).splitlines()
    found: dict[str, str] = json.loads(lines[-1])
    return found


@pytest.mark.parametrize("name", CHECKS)
def test_two_devices(outcomes: dict[str, str], name: str) -> None:
    if outcome := outcomes[name]:
        pytest.fail(outcome, pytrace=False)


if __name__ == "__main__":
    main()
