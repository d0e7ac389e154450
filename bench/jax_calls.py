"""`python -m bench jax`: a call on JAX arrays beside one of JAX's own function."""

from typing import Any

import click

import gpu_sigmoid as gs
from bench.calls import Pairs, page_of, rounds_option
from bench.clock import Call

SIZES = (10, 1000, 1_000_000)
NAMES = ("sigmoid", "softplus", "silu", "bce_with_logits", "swiglu")


@click.command("jax")
@rounds_option
def jax_calls(rounds: int) -> None:
    """Time calls on JAX arrays beside JAX's own functions.

    It runs on one CPU and prints a Markdown page. Each function is called directly, compiled by `jax.jit`,
    and as the compiled gradient of its sum. What JAX has no function for is composed of its own.
    """
    page_of("jax", SIZES, calls, rounds)


def calls(size: int) -> Pairs:
    """Return our call and JAX's, by name; each waits for its result."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from bench.peers.jax import VALUES

    generator = np.random.default_rng(0)
    x = jnp.asarray(generator.normal(scale=3, size=size), "float32")
    t = jnp.asarray(generator.random(size), "float32")

    def call(function: Any, operands: tuple) -> Call:
        return lambda: jax.block_until_ready(function(*operands))

    def gradient(function: Any) -> Any:
        return jax.jit(jax.grad(lambda *operands: function(*operands).sum()))

    found: Pairs = {}
    for name in NAMES:
        function = gs.FUNCTIONS[name]
        operands = (x, t)[: len(function.methods["value"].operands)]
        given = ", ".join("xt"[: len(operands)])
        for how, of in ("{}", lambda f: f), ("jit({})", jax.jit), ("jit(grad(sum of {}))", gradient):
            pair = [call(of(each), operands) for each in (function, VALUES[name])]
            found[f"`{how.format(name)}({given})`"] = (pair[0], pair[1])
    return found
