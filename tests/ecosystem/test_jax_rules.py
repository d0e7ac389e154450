"""What JAX is told to watch for, forbid or promote holds for these functions as for its own."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from helpers.required import library

import gpu_sigmoid as gs

jax = library("jax")
jnp = jax.numpy


@pytest.mark.parametrize("x, watch", [(2.0, "debug_nans"), (1.0, "debug_infs")])
@pytest.mark.parametrize(
    "compute",
    [
        gs.logit,
        jax.jit(gs.logit),
        jax.jit(lambda x: gs.logit(x) + 1),
        jax.grad(lambda x: gs.logit(x).sum()),
        jax.jit(jax.grad(lambda x: gs.logit(x).sum())),
        jax.grad(jax.jit(lambda x: gs.logit(x).sum())),
        jax.vmap(gs.logit),
        gs.logit.value_and_grad,
    ],
    ids=["plain", "jit", "inside jit", "grad", "jit of grad", "grad of jit", "vmap", "two results"],
)
def test_nan_and_infinity_are_found(compute: Callable, x: float, watch: str) -> None:
    array = jnp.asarray([x])
    for _ in range(2):
        with getattr(jax, watch)(True), pytest.raises(FloatingPointError, match=r"encountered in logit"):
            compute(array)
    with getattr(jax, watch)(True):
        assert np.isfinite(gs.logit(jnp.asarray([0.5]))).all()


def test_masked_arrays_are_refused() -> None:
    x = jnp.ones(2)
    masked = np.ma.masked_array(np.ones(2, np.float32), [True, False])
    for compute in (
        lambda: gs.bce_with_logits(x, masked),
        lambda: gs.bce_with_logits(masked, x),
        lambda: jax.jit(lambda x: gs.bce_with_logits.grad(x, masked))(x),
    ):
        with pytest.raises(TypeError, match=r"masked arrays are not accepted .* pass operand\.filled"):
            compute()
    np.testing.assert_array_equal(gs.bce_with_logits(x, masked.filled(1)), gs.bce_with_logits(x, x))


def test_sequences_hold_numbers_and_numpys_arrays_alone() -> None:
    """NumPy would take an array from where it is, or leave the program that is traced."""
    x = jnp.ones(2)
    for compute in (gs.sigmoid, lambda held: gs.bce_with_logits(x, held)):
        for traced in (compute, jax.jit(compute)):
            with pytest.raises(TypeError, match=r"a sequence of jax\S+ is not accepted: join it"):
                traced([x[0], x[1]])


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize(
    "make, name",
    [
        (lambda: jnp.ones(2, "float8_e4m3fn"), "float8_e4m3fn"),
        (lambda: jax.random.key(0), "key<fry>"),
        (lambda: jnp.ones(2, "complex64"), "complex64"),
    ],
    ids=["float8", "key", "complex"],
)
def test_the_dtype_that_is_refused_is_named(make: Callable, name: str, position: int) -> None:
    pair = [jnp.ones(2), jnp.ones(2)]
    pair[position] = make()
    for compute in (gs.bce_with_logits, jax.jit(lambda x, t: gs.bce_with_logits(x, t))):
        with pytest.raises(TypeError, match=f"dtype {name} is not accepted; accepted are float16, bfloat16"):
            compute(*pair)


def test_references_are_refused() -> None:
    reference = jax.new_ref(jnp.ones(3))
    for compute in (gs.sigmoid, jax.jit(lambda r: gs.sigmoid(r))):
        with pytest.raises(TypeError, match=r"jax\.Ref is not accepted; pass ref\[\.\.\.\]"):
            compute(reference)
    np.testing.assert_array_equal(gs.sigmoid(reference[...]), gs.sigmoid(jnp.ones(3)))


OTHERS = {
    "struct": lambda: jax.ShapeDtypeStruct((2,), "float32"),
    "dtype": lambda: jnp.float32,
    "device": lambda: jax.devices()[0],
    "class": lambda: jax.Array,
    "compiled": lambda: jax.jit(jnp.sin),
    "ufunc": lambda: jnp.add,
    "indexer": lambda: jnp.ones(2).at,
    "shard": lambda: jnp.ones(2).addressable_shards[0],
    "variable": lambda: jax.make_jaxpr(jnp.sin)(1.0).jaxpr.invars[0],
}


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_what_is_no_array_of_jaxs_is_refused(make: Callable) -> None:
    other, x = make(), jnp.ones(2)
    for operands in ((other, x), (x, other)):
        with pytest.raises(TypeError, match=r"^sigmoid\.vjp: .*jax\S+ is not accepted; .* of NumPy, CuPy"):
            gs.sigmoid.vjp(*operands)


@pytest.mark.parametrize(
    "pair",
    [
        (lambda: jnp.asarray(0.1), lambda: 1),
        (lambda: jnp.asarray(0.1), lambda: True),
        (lambda: 0, lambda: jnp.asarray(0.1)),
        (lambda: jnp.asarray(2), lambda: True),
        (lambda: jnp.asarray(2), lambda: 0.5),
        (lambda: jnp.asarray(0.1), lambda: jnp.arange(3)),
        (lambda: jnp.asarray(0.1), lambda: jnp.ones(3, bool)),
        (lambda: jnp.asarray(0.1), lambda: jnp.ones(3, jnp.bfloat16)),
        (lambda: jnp.ones(3), lambda: 1),
        (lambda: jnp.arange(3), lambda: 1),
        (lambda: jnp.ones(3, bool), lambda: True),
    ],
)
@pytest.mark.parametrize("how", [lambda f: f, jax.jit, partial(partial, jax.eval_shape)])
def test_weak_types_are_jaxs(pair: Any, how: Any) -> None:
    x, t = (make() for make in pair)
    result, want = (how(f)(x, t) for f in (gs.bce_with_logits, jnp.logaddexp))
    assert (result.weak_type, result.dtype) == (want.weak_type, want.dtype)
    values = how(lambda x, t: gs.bce_with_logits(x, t))(x, t)
    if isinstance(values, jax.Array):
        same = [np.broadcast_to(np.asarray(o, want.dtype), want.shape) for o in (x, t)]
        np.testing.assert_array_equal(values, gs.bce_with_logits(*same))


def test_one_operand_stays_as_weak_as_it_was() -> None:
    for x in (jnp.asarray(1), jnp.asarray(1.0), jnp.arange(2), jnp.ones(2, bool), jnp.asarray([0.5])):
        assert gs.sigmoid(x).weak_type == jnp.sin(x).weak_type
        assert gs.sigmoid(x).dtype == jnp.sin(x).dtype


def test_rank_promotion_is_forbidden_where_jax_is_told_to() -> None:
    x, t = jnp.ones((2, 3)), jnp.ones(3)
    allowed = gs.bce_with_logits(x, t)
    with jax.numpy_rank_promotion("raise"):
        with pytest.raises(ValueError, match=r"shapes \(2, 3\), \(3,\) differ .* is 'raise'"):
            gs.bce_with_logits(x, t)
        np.testing.assert_array_equal(gs.bce_with_logits(x, t[None]), allowed)
        assert gs.bce_with_logits(x, 1.0).shape == jax.vmap(gs.bce_with_logits, (0, None))(x, t).shape
    with (
        jax.numpy_rank_promotion("warn"),
        pytest.warns(UserWarning, match="jax_numpy_rank_promotion is 'warn'"),
    ):
        gs.bce_with_logits(x, t)
    with jax.numpy_dtype_promotion("strict"):
        with pytest.raises(ValueError, match="no available implicit dtype promotion path"):
            gs.bce_with_logits(x, t.astype(jnp.bfloat16))
        assert gs.bce_with_logits(jnp.asarray(0.1), 1).weak_type
