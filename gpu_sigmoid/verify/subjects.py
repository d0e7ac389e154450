"""What is measured: our kernels, or a peer's."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gpu_sigmoid.bench import peers
from gpu_sigmoid.bench.cases import Case
from gpu_sigmoid.components import method
from gpu_sigmoid.functions import FUNCTIONS

OURS = "gpu_sigmoid"
PEERS = ("numpy", "scipy", "torch", "jax")

Subject = Callable[..., np.ndarray]


def subject(name: str, component: str, dtype: str, peer: str) -> Subject | None:
    """Return a component as a function of arrays, None where the peer does not offer it."""
    if peer == OURS:
        return method(FUNCTIONS[name], component)
    if peers.load(peer, 1) is None:
        raise ImportError(f"{peer} is not installed")
    case = Case(name, component, dtype, 1, "out", 1)
    probe = np.full(1, 0.5, dtype)
    if prepared(case, peer, *[probe] * case.inputs) is None:
        return None

    def compute(*operands: np.ndarray) -> np.ndarray:
        call = prepared(case, peer, *(np.ascontiguousarray(o) for o in np.broadcast_arrays(*operands)))
        assert call is not None
        with np.errstate(all="ignore"):
            return np.asarray(call())

    return compute


def prepared(case: Case, peer: str, *operands: np.ndarray) -> Callable[[], Any] | None:
    prepare = peers.load(peer, 1)
    assert prepare is not None
    return prepare(case, operands, tuple(np.empty_like(operands[0]) for _ in range(case.outputs)))
