"""The GPU's kernels one by one: throughput on large arrays, and the cost of a launch.

Their results are compared with the CPU's, bit by bit, before they are timed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.cases import GATED, Case, Grid, operands
from bench.clock import Call
from bench.contenders import OF_LAUNCH, OTHERS, OWN
from bench.measure import ROTATED_BYTES, Row, prepared, rows, sets_of_arrays
from bench.peers import Prepare
from gpu_sigmoid.device_check.subject import Finding, as_tuple, first_difference
from gpu_sigmoid.machine import Clock

SIZE = 1 << 26
MODES = ("value", "value_and_grad")
ROUNDS = 15


@dataclass
class Timed:
    """Figures, whether our kernels' results are right, and the reasons for missing figures."""

    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, other: "Timed") -> None:
        """Add those of another case."""
        for name, found in vars(other).items():
            getattr(self, name).extend(found)


def cases(functions: tuple[str, ...], dtypes: tuple[str, ...], size: int = SIZE) -> Iterable[Case]:
    """Return the cases of all functions; of gated units backward passes too, and halves of one array."""
    for name in functions:
        modes, layouts = ((*MODES, "vjp"), ("out", "packed")) if name in GATED else (MODES, ("out",))
        yield from Grid((name,), modes, dtypes, (size,), layouts, threads=(0,))


def throughput(case: Case, xp: Any, clock: Clock, rounds: int = ROUNDS) -> Timed:
    """Time a case on all contenders, on arrays larger together than any cache."""
    return timed(case, xp, clock, rounds, {**OWN, **OTHERS}, ROTATED_BYTES)


def launch(function: str, xp: Any, clock: Clock, rounds: int = ROUNDS) -> Timed:
    """Time calls on one element, where only the launch matters."""
    return timed(Case(function, "value", "float32", 1, "out", threads=0), xp, clock, rounds, OF_LAUNCH, 0)


def timed(
    case: Case, xp: Any, clock: Clock, rounds: int, prepares: Mapping[str, Prepare], rotated_bytes: int
) -> Timed:
    """Compare our contenders' results with the CPU's, then time all, interleaved."""
    found = Timed()
    arrays = sets_of_arrays(case, xp, rotated_bytes)
    inputs, _ = operands(case)
    wants = as_tuple(case.method(*inputs))
    calls: dict[str, Call] = {}
    for name, prepare in prepares.items():
        subject = f"{name} {case.method.label} {case.dtype} of {case.size}"
        outs = arrays[0][1]
        for out in outs:  # otherwise a kernel that does nothing would pass with the previous one's results
            out.view(np.uint8)[...] = 0
        try:
            for call in prepared(case, {name: prepare}, arrays).values():
                call()
                calls[name] = call
            if name in calls and name in OWN:
                failure = first_difference(map(on_host, outs), wants, inputs[0])
                found.findings.append(Finding("speed", subject, case.size, failure))
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            found.skipped.append(f"{subject}: {reason}")
            # the only excuse for ours is a missing library
            if name in OWN and not isinstance(error, ImportError):
                found.findings.append(Finding("speed", subject, 0, f"raised {reason}"))
    if calls:
        found.rows = rows(case, calls, clock, rounds)
    return found


def on_host(array: Any) -> np.ndarray:
    return array if isinstance(array, np.ndarray) else array.get()
