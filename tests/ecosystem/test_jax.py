"""JAX arrays: the array kernels' bits, under every transform."""

from typing import Any

import numpy as np
import pytest
from helpers.methods import as_tuple, by_first, interval, operands
from helpers.required import library

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

jax = library("jax")
library("jax.export")
jnp = jax.numpy
check_grads = library("jax.test_util").check_grads


@pytest.fixture(autouse=True)
def with_float64() -> Any:
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


def arrays(function: Any, name: str, dtype: Any) -> tuple[np.ndarray, ...]:
    low, high = interval(function)
    return operands(function, name, np.linspace(low, high, 12).reshape(3, 4).astype(dtype))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", PUBLIC)
def test_same_bits_as_numpy_plain_and_compiled(function: Any, name: str, dtype: str) -> None:
    given = arrays(function, name, jnp.dtype(dtype))
    want = as_tuple(function.methods[name](*given))
    traced = tuple(map(jnp.asarray, given))
    compute = function.methods[name]
    mapped = jax.vmap(lambda *a: compute(*a))
    for how in (compute, jax.jit(lambda *a: compute(*a)), mapped, jax.jit(mapped)):
        for y, w in zip(as_tuple(how(*traced)), want, strict=True):
            assert isinstance(y, jax.Array)
            assert y.dtype == dtype
            np.testing.assert_array_equal(np.asarray(y), w)


def test_subnormals_are_not_flushed() -> None:
    x = jnp.asarray([-100.0, -88.0], jnp.float32)
    np.testing.assert_array_equal(np.asarray(jax.jit(gs.sigmoid)(x)), gs.sigmoid(np.asarray(x)))
    assert (np.asarray(jax.jit(gs.sigmoid)(x)) > 0).all()


def test_derivatives(function: Any) -> None:
    x, *more = (a.ravel() for a in arrays(function, "value", np.float64))
    total = lambda *a: function(*a).sum()  # noqa: E731
    grad, grad2 = (by_first(m(x, *more)) for m in (function.grad, function.grad2))
    # JAX multiplies by a cotangent of 1, after which gated units round once more than in `grad`
    with_one = by_first(function.vjp(x, *more, np.ones_like(x)))
    np.testing.assert_allclose(with_one, grad, rtol=1e-15)
    for transform in (lambda f: f, jax.jit):
        first = transform(jax.grad(total))
        np.testing.assert_array_equal(first(x, *more), with_one)
        second = transform(jax.vmap(jax.grad(jax.grad(lambda *a: function(*a)))))
        np.testing.assert_array_equal(second(jnp.asarray(x), *map(jnp.asarray, more)), grad2)
    value, tangent = jax.jvp(lambda z: function(z, *more), (jnp.asarray(x),), (jnp.full_like(x, 2.0),))
    np.testing.assert_array_equal(value, function(x, *more))
    np.testing.assert_array_equal(tangent, 2 * with_one)


@pytest.mark.parametrize("name", [n for n in PUBLIC if n != "grad2"])
def test_against_numerical_differentiation(function: Any, name: str) -> None:
    given = [jnp.asarray(a) for a in arrays(function, name, np.float64)]
    ends = np.isinf(function.domain)
    if ends.any():
        # away from an end of the domain, where the derivative is infinite
        given = [a / 10 + (0.05 if ends.all() else 0.5 * jnp.sign(a)) for a in given]
    check_grads(function.methods[name], given, order=1, modes=("fwd", "rev"), rtol=1e-3)


def test_gradients_in_the_tails_where_jaxs_are_zero() -> None:
    for x in (jnp.float32(40.0), jnp.float64(400.0)):
        assert jax.grad(jax.nn.sigmoid)(x) == 0
        assert jax.grad(gs.sigmoid)(x) == gs.sigmoid.grad(np.asarray(x)) > 0


def test_target_is_differentiated_too() -> None:
    x, t = jnp.asarray([1.0, -2.0]), jnp.asarray([0.3, 1.0])
    by_target = jax.grad(lambda x, t: gs.bce_with_logits(x, t).sum(), argnums=1)(x, t)
    np.testing.assert_array_equal(by_target, -x)


def test_dtypes_and_refusals() -> None:
    assert gs.sigmoid(jnp.arange(3)).dtype == jnp.result_type(float)
    assert gs.bce_with_logits(jnp.ones(3, jnp.float32), 1.0).dtype == jnp.float32
    assert gs.bce_with_logits(jnp.ones((3, 1)), jnp.ones(4)).shape == (3, 4)
    with pytest.raises(TypeError, match=r"complex64 is not accepted; .* integers \(computed in the default"):
        gs.sigmoid(jnp.ones(2, jnp.complex64))
    with pytest.raises(TypeError, match="out is not accepted"):
        gs.sigmoid(jnp.ones(2), out=jnp.ones(2))
    with pytest.raises(NotImplementedError, match="sigmoid has no third derivative"):
        jax.grad(jax.grad(jax.grad(gs.sigmoid)))(1.0)


def test_refusals_name_what_was_passed() -> None:
    with pytest.raises(TypeError, match="dtype <U1 is not accepted"):
        gs.bce_with_logits(jnp.ones(2), np.array(["a", "b"]))
    with pytest.raises(ValueError, match=r"Incompatible shapes.*\(2,\), \(3,\)"):
        gs.bce_with_logits(jnp.ones(2), jnp.ones(3))
    with pytest.raises(TypeError, match="key<fry> is not accepted"):
        gs.sigmoid(jax.random.key(0))


@pytest.mark.parametrize(
    "targets", [[0.0, 1.0, 0.5], np.asarray([0.0, 1.0, 0.5], ">f4")], ids=["list", ">f4"]
)
def test_host_operands_beside_jax_arrays(targets: Any) -> None:
    x = np.asarray([-1.0, 0.5, 2.0], np.float32)
    want = gs.bce_with_logits(x, targets)
    reversed_kinds = gs.bce_with_logits(x, jnp.asarray(np.asarray(targets, want.dtype)))
    for result in (gs.bce_with_logits(jnp.asarray(x), targets), reversed_kinds):
        assert isinstance(result, jax.Array)
        assert result.dtype == want.dtype
        np.testing.assert_array_equal(result, want)


def test_what_is_on_a_gpu_is_not_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    from gpu_sigmoid.backends.jax import cuda

    monkeypatch.setattr(cuda, "why_not", lambda: "there is no NVIDIA driver")
    reason = r"cuda: there is no NVIDIA driver"
    refusal = rf"sigmoid: JAX arrays on %s are not supported \({reason}\) and not moved implicitly"
    for platforms in (["cuda"], ["cpu", "cuda"]):
        with pytest.raises(TypeError, match=refusal % ", ".join(platforms)):
            jax.export.export(jax.jit(gs.sigmoid), platforms=platforms)(jnp.ones(2))
    with pytest.raises(TypeError, match=r"JAX arrays on tpu are not supported \(tpu: it has no handler\)"):
        jax.export.export(jax.jit(gs.sigmoid), platforms=["tpu"])(jnp.ones(2))
    monkeypatch.setattr(cuda, "why_not", lambda: None)
    allowed = [jax.export.DisabledSafetyCheck.custom_call("gpu_sigmoid")]
    both = jax.export.export(jax.jit(gs.sigmoid), platforms=["cpu", "cuda"], disabled_checks=allowed)
    np.testing.assert_array_equal(both(jnp.ones(2)).call(jnp.zeros(2)), 0.5)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ["value", "value_and_grad"])
def test_large_arrays_are_split_over_threads_into_the_same_bits(dtype: str, name: str) -> None:
    x = np.linspace(-30, 30, 5_000_003).astype(dtype)
    compute = gs.bce_with_logits.methods[name]
    want = as_tuple(compute(x, x[::-1]))
    for _ in range(3):
        for y, w in zip(as_tuple(compute(jnp.asarray(x), jnp.asarray(x[::-1]))), want, strict=True):
            np.testing.assert_array_equal(y, w)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("size", [1, 2, 7, 4097, 100_000, 3_000_001])
def test_numbers_beside_arrays_are_not_written_out(dtype: str, size: int) -> None:
    x = np.linspace(-20, 20, size).astype(jnp.dtype(dtype))
    weighted = jax.jit(lambda x: gs.bce_with_logits.vjp(x, 0.25, -1.5))
    assert "broadcast" not in weighted.lower(x).compile().as_text()
    filled = [np.full_like(x, value) for value in (0.25, -1.5)]
    np.testing.assert_array_equal(weighted(x), gs.bce_with_logits.vjp(x, *filled))
    first = jax.jit(lambda t: gs.bce_with_logits.value_and_grad(-1.5, t))
    for y, want in zip(first(x), gs.bce_with_logits.value_and_grad(filled[1], x), strict=True):
        np.testing.assert_array_equal(y, want)
    alone = jax.jit(lambda x: gs.silu(jnp.full_like(x, -1.5)))
    np.testing.assert_array_equal(alone(x), gs.silu(filled[1]))
    total = jax.jit(jax.grad(lambda x: gs.softplus(x).sum()))
    assert "broadcast" not in total.lower(x).compile().as_text()
    np.testing.assert_array_equal(total(x), gs.softplus.grad(x))


def test_empty_and_zero_dimensional() -> None:
    assert gs.sigmoid(jnp.zeros((0, 3))).shape == (0, 3)
    value, slope = gs.sigmoid.value_and_grad(jnp.zeros(0))
    assert value.shape == slope.shape == (0,)
    assert gs.sigmoid(jnp.float32(0)).shape == ()
    assert jax.jit(gs.sigmoid)(jnp.float32(0)) == 0.5


def test_without_64_bits_and_by_weak_types() -> None:
    """What a Python number made stays the weaker one, as with JAX's own functions."""
    weak = jnp.asarray(1.0)
    assert jax.nn.sigmoid(weak).weak_type
    assert gs.sigmoid(weak).weak_type
    assert gs.bce_with_logits(weak, 0.5).weak_type
    assert (gs.sigmoid(weak) * jnp.ones(2, jnp.bfloat16)).dtype == jnp.bfloat16
    assert not gs.sigmoid(jnp.asarray([1.0])).weak_type
    jax.config.update("jax_enable_x64", False)
    assert gs.sigmoid(jnp.arange(3)).dtype == jnp.float32
    assert gs.bce_with_logits(jnp.ones(2), np.ones(2)).dtype == jnp.float32
    np.testing.assert_array_equal(gs.sigmoid(jnp.arange(3)), gs.sigmoid(np.arange(3, dtype=np.float32)))


def test_shapes_are_known_without_computing() -> None:
    like = jax.ShapeDtypeStruct((3,), jnp.bfloat16)
    value, slope = jax.eval_shape(gs.sigmoid.value_and_grad, like)
    assert value.shape == slope.shape == (3,)
    assert value.dtype == slope.dtype == jnp.bfloat16
