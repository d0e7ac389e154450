"""`python -m bench accuracy`: the errors of a peer, measured as `gpu-sigmoid verify` measures ours."""

import math
from functools import partial
from typing import Any

import click
import numpy as np

from bench import peers
from bench.cases import Case
from gpu_sigmoid.cli.computation import refuse_nan
from gpu_sigmoid.cli.verify import options, run
from gpu_sigmoid.functions import FUNCTIONS
from gpu_sigmoid.verify.subjects import Compute, Subject

PEERS = ("numpy", "scipy", "torch", "jax", "onnxruntime", "tensorflow", "openvino")
DTYPES = ("float32", "float64")


@click.command()
@click.option("--peer", required=True, type=click.Choice(PEERS))
@click.option(
    "--within",
    type=click.FloatRange(0),
    default=math.inf,
    callback=refuse_nan,
    help="Largest abs(x) to measure.",
)
@options
def accuracy(peer: str, within: float, **selection: Any) -> None:
    """Measure another library's largest errors.

    The operands are those of `gpu-sigmoid verify`, which measures ours; by default they are float32 and
    float64.
    """
    if peers.load(peer, 1) is None:
        raise click.ClickException(f'{peer} is not installed: pip install -e ".[bench,bench-large]"')
    run(**{**selection, "dtypes": selection["dtypes"] or DTYPES}, subject=subject(peer, within))


def subject(peer: str, within: float = math.inf) -> Subject:
    """Return a library as a subject of `gpu-sigmoid verify`."""
    return Subject(peer, partial(compute_of, peer), ("numpy", *peers.distributions(peer)), within)


def compute_of(peer: str, function: str, mode: str, dtype: str) -> Compute | None:
    """Return a mode as a function of arrays, None where the peer does not offer it."""
    if function not in FUNCTIONS:  # one with a parameter, which `Case` does not name
        return None
    prepare = peers.load(peer, 1)
    assert prepare is not None
    case = Case(function, mode, dtype, 1, "out", 1)

    def prepared(*operands: np.ndarray) -> Any:
        return prepare(case, operands, tuple(np.empty_like(operands[0]) for _ in range(case.outputs)))

    def compute(*operands: np.ndarray) -> Any:
        call = prepared(*map(np.ascontiguousarray, np.broadcast_arrays(*operands)))
        with np.errstate(all="ignore"):
            results = call()
        return tuple(map(np.asarray, results)) if isinstance(results, tuple) else np.asarray(results)

    probe = np.full(1, 0.5, dtype)
    return None if prepared(*[probe] * case.inputs) is None else compute
