"""JAX's transformations, stacked as users stack them: the kernels' bits come out of each."""

from typing import Any

import numpy as np
import pytest
from helpers.methods import as_tuple, by_first, side
from helpers.required import library

import gpu_sigmoid as gs

jax = library("jax")
jnp = jax.numpy

X = np.linspace(-20, 20, 12, dtype=np.float32).reshape(3, 4)
T = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
ONES = np.ones_like(X)


def test_nested_vmap_over_any_axes() -> None:
    want = gs.bce_with_logits(X, T)
    bce = gs.bce_with_logits
    for axis in (0, 1):
        np.testing.assert_array_equal(jax.vmap(bce, axis, axis)(X, T), want)
    one_target = jax.vmap(bce, in_axes=(1, None), out_axes=1)(X, T[:, 0])
    np.testing.assert_array_equal(one_target, bce(X, T[:, :1]))
    all_pairs = jax.vmap(jax.vmap(bce, in_axes=(0, None)), in_axes=(None, 0))(X[0], T[1])
    np.testing.assert_array_equal(all_pairs, bce(X[0][None, :], T[1][:, None]))
    both = jax.vmap(jax.vmap(gs.silu.value_and_grad, in_axes=1, out_axes=(0, 1)))(X[None])
    for result, transposed, w in zip(both, (True, False), gs.silu.value_and_grad(X), strict=True):
        np.testing.assert_array_equal(result[0].T if transposed else result[0], w)


def test_second_derivatives(function: Any) -> None:
    x = side(function) * np.asarray([0.2, 0.5, 0.9], np.float32)
    more = (np.float32(0.25),) * (len(function.operands) - 1)
    hessian = jax.jit(jax.hessian(lambda x: function(x, *more).sum()))(x)
    np.testing.assert_array_equal(hessian, np.diag(by_first(function.grad2(x, *more))))
    forward = jax.jacfwd(lambda x: function(x, *more))(x)
    backward = jax.jacrev(lambda x: function(x, *more))(x)
    np.testing.assert_array_equal(forward, np.diag(by_first(function.vjp(x, *more, np.float32(1)))))
    np.testing.assert_array_equal(backward, forward)


def test_all_second_derivatives_of_two_operands() -> None:
    x, t = np.float32(0.3), np.float32(0.25)
    ((xx, xt), (tx, tt)) = jax.hessian(gs.bce_with_logits, argnums=(0, 1))(x, t)
    assert (xx, xt, tx, tt) == (gs.bce_with_logits.grad2(x, t), -1, -1, 0)


def test_a_costless_infinite_logit_has_a_jacobian_of_zeros() -> None:
    x = jnp.asarray([jnp.inf, 1.0, -jnp.inf, 2.0])
    t = jnp.asarray([1.0, 1.0, 0.0, 0.5])
    want = np.diag(gs.bce_with_logits.grad(np.asarray(x), np.asarray(t)))
    assert want[0, 0] == want[2, 2] == 0
    for jacobian in (jax.jacfwd, jax.jacrev):
        np.testing.assert_array_equal(jacobian(gs.bce_with_logits)(x, t), want)
        np.testing.assert_array_equal(jax.jit(jacobian(gs.bce_with_logits))(x, t), want)
    curvature = jax.hessian(lambda x: gs.bce_with_logits(x, t).sum())(x)
    np.testing.assert_array_equal(curvature, np.diag(gs.bce_with_logits.grad2(np.asarray(x), np.asarray(t))))


def test_linearize_and_transpose() -> None:
    value, push = jax.linearize(gs.softplus, X)
    np.testing.assert_array_equal(value, gs.softplus(X))
    for weight in (ONES, X):
        np.testing.assert_array_equal(push(weight), gs.softplus.vjp(X, weight))
        (pulled,) = jax.linear_transpose(push, X)(weight)
        np.testing.assert_array_equal(pulled, gs.softplus.vjp(X, weight))
    with pytest.raises(TypeError, match=r"silu\.vjp is not linear"):
        jax.linear_transpose(lambda x: gs.silu.vjp(x, x), X)(X)


def test_derivatives_of_derivatives_by_every_operand() -> None:
    """`vjp` has three operands here, `value_and_grad` two results."""
    given = (jnp.asarray(X[1]), jnp.asarray(T[1]), jnp.asarray(X[2]))
    slopes = jax.grad(lambda *a: gs.bce_with_logits.vjp(*a).sum(), argnums=(0, 1, 2))(*given)
    x, t, weight = map(np.asarray, given)
    np.testing.assert_array_equal(slopes[0], gs.bce_with_logits.grad2(x, t) * weight)
    np.testing.assert_array_equal(slopes[1], -weight)
    np.testing.assert_array_equal(slopes[2], gs.bce_with_logits.grad(x, t))
    (value, slope), (dvalue, dslope) = jax.jvp(gs.silu.value_and_grad, (X,), (ONES,))
    for result, want in zip((value, dvalue, dslope), (gs.silu(X), slope, gs.silu.grad2(X)), strict=True):
        np.testing.assert_array_equal(result, want)


def test_products_underflow_only_where_the_result_does() -> None:
    with jax.enable_x64():
        x, weight = jnp.float64(-744.0), jnp.float64(1e300)
        want = gs.sigmoid.vjp(-744.0, 1e300)
        assert abs(want - float(gs.sigmoid.grad(x)) * 1e300) > 0.1 * want
        assert jax.vjp(gs.sigmoid, x)[1](weight)[0] == want
        assert jax.jvp(gs.sigmoid, (x,), (weight,))[1] == want
        assert jax.jit(jax.grad(lambda x: 1e300 * gs.sigmoid(x)))(x) == want


def test_control_flow_and_checkpoints() -> None:
    def chain(x: Any) -> Any:
        for _ in range(5):
            x = gs.sigmoid(x)
        return x

    def scanned(x: Any) -> Any:
        body = jax.checkpoint(lambda carry, _: (gs.sigmoid(carry), None))
        return jax.lax.scan(body, x, None, length=5)[0]

    def repeated(x: Any) -> Any:
        return jax.lax.fori_loop(0, 5, lambda _, carry: gs.sigmoid(carry), x)

    for loop in (scanned, repeated):
        np.testing.assert_array_equal(jax.jit(loop)(X), chain(X))
    slope = jax.jit(jax.grad(lambda x: scanned(x).sum()))(X)
    np.testing.assert_array_equal(slope, jax.grad(lambda x: chain(x).sum())(X))
    saved_nothing = jax.checkpoint(gs.softplus, policy=jax.checkpoint_policies.nothing_saveable)
    np.testing.assert_array_equal(jax.grad(lambda x: saved_nothing(x).sum())(X), gs.softplus.grad(X))
    chosen = jax.jit(lambda i, x: jax.lax.switch(i, [gs.sigmoid, gs.silu], x))
    np.testing.assert_array_equal(chosen(1, X), gs.silu(X))
    np.testing.assert_array_equal(jax.lax.map(gs.silu, X), gs.silu(X))


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
@pytest.mark.parametrize("size", [5, 2_200_001])
@pytest.mark.parametrize("compute", [gs.silu, gs.silu.value_and_grad, gs.silu.vjp])
def test_results_take_the_memory_that_was_donated(compute: Any, size: int, dtype: str) -> None:
    given = [np.linspace(-20, 20, size).astype(jnp.dtype(dtype))] * len(compute.operands)
    x, *more = map(jnp.array, given)
    program = jax.jit(lambda *a: compute(*a), donate_argnums=0).lower(x, *more).compile()
    assert " copy(" not in program.as_text()
    place = x.unsafe_buffer_pointer()
    results = as_tuple(program(x, *more))
    assert x.is_deleted()
    assert results[0].unsafe_buffer_pointer() == place
    for y, want in zip(results, as_tuple(compute(*given)), strict=True):
        np.testing.assert_array_equal(y, want)


def test_what_is_not_donated_or_used_again_is_kept() -> None:
    want = gs.sigmoid.vjp(X, T)
    x = jnp.array(X)
    np.testing.assert_array_equal(jax.jit(gs.sigmoid.vjp, donate_argnums=1)(x, jnp.array(T)), want)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(jax.jit(lambda x: (gs.silu(x), x - x), donate_argnums=0)(x)[0], gs.silu(X))
    both = jax.jit(lambda x: (gs.silu(x), gs.sigmoid(x), x), donate_argnums=0)(jnp.array(X))
    for y, w in zip(both, (gs.silu(X), gs.sigmoid(X), X), strict=True):
        np.testing.assert_array_equal(y, w)


def test_operands_laid_out_otherwise() -> None:
    want = gs.sigmoid.vjp(X, T)
    turned = jax.jit(lambda x, t: gs.sigmoid.vjp(x.T, t.T).T)
    np.testing.assert_array_equal(turned(X, T), want)
    sliced = jax.jit(lambda x, t: gs.sigmoid.vjp(x[::-1, ::2], t[::-1, ::2]))
    np.testing.assert_array_equal(sliced(X, T), want[::-1, ::2])


def test_without_compilation() -> None:
    with jax.disable_jit():
        np.testing.assert_array_equal(gs.silu(jnp.asarray(X)), gs.silu(X))
        np.testing.assert_array_equal(jax.grad(lambda x: gs.silu(x).sum())(X), gs.silu.grad(X))


def test_gradients_outside_of_jit_compile_once() -> None:
    compiled: list[str] = []
    slope = jax.grad(lambda x: gs.softplus(x).sum())
    np.testing.assert_array_equal(slope(X), gs.softplus.grad(X))
    jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: compiled.append(event))
    np.testing.assert_array_equal(slope(X + 1), gs.softplus.grad(X + 1))
    assert "/jax/core/compile/backend_compile_duration" not in compiled
    jax.jit(lambda x: x + 2)(X)
    assert "/jax/core/compile/backend_compile_duration" in compiled
