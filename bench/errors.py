"""A peer's results, for `gpu_sigmoid.verify` to measure."""

from functools import partial
from typing import Any

import numpy as np

from bench import peers
from bench.cases import Case
from gpu_sigmoid.verify.subjects import Compute, Subject


def subject(peer: str) -> Subject:
    """Return a peer as what is verified.

    Raises
    ------
    ImportError
        If the library is not installed.
    """
    if peers.load(peer, 1) is None:
        raise ImportError(f"{peer} is not installed")
    return Subject(peer, partial(compute_of, peer), ("numpy", *peers.distributions(peer)))


def compute_of(peer: str, name: str, component: str, dtype: str) -> Compute | None:
    """Return a component as a function of arrays, None where the peer does not offer it."""
    prepare = peers.load(peer, 1)
    assert prepare is not None
    case = Case(name, component, dtype, 1, "out", 1)

    def prepared(*operands: np.ndarray) -> Any:
        return prepare(case, operands, tuple(np.empty_like(operands[0]) for _ in range(case.outputs)))

    def compute(*operands: np.ndarray) -> np.ndarray:
        call = prepared(*map(np.ascontiguousarray, np.broadcast_arrays(*operands)))
        with np.errstate(all="ignore"):
            return np.asarray(call())

    probe = np.full(1, 0.5, dtype)
    return None if prepared(*[probe] * case.inputs) is None else compute
