"""The GPU's kernels one by one: throughput as a share of a copy's, and what a launch costs.

Their results are compared with the CPU's, bit by bit, before they are timed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bench.cases import Case, operands
from bench.clock import Call, Clock, Spread, interleave
from bench.contenders import OF_LAUNCH, OTHERS, OWN, Contender, Prepare
from bench.measure import BASELINE, ROTATED_BYTES, case_bytes, rotate
from gpu_sigmoid.device_check.subject import Finding, as_tuple, call_public, difference
from gpu_sigmoid.functions import FUNCTIONS

SIZE = 1 << 26
MODES = ("value", "value_and_grad")
ROUNDS = 15


@dataclass(frozen=True)
class Figure:
    """A contender's speed on one case, or why there is none."""

    case: Case
    contender: str
    microseconds: Spread | None = None
    """Per call."""
    gigabytes_per_second: float | None = None
    percent_of_copy: float | None = None
    skipped: str | None = None

    def record(self) -> dict[str, Any]:
        """Return the figure as JSON takes it."""
        return asdict(self)


def cases(functions: tuple[str, ...], dtypes: tuple[str, ...], size: int = SIZE) -> Iterator[Case]:
    for function in functions:
        for dtype in dtypes:
            for component in MODES:
                yield Case(function, component, dtype, size, "out", threads=0)


def throughput(case: Case, xp: Any, clock: Clock, rounds: int = ROUNDS) -> tuple[list[Figure], list[Finding]]:
    """Time a case on all contenders, on arrays larger together than any cache."""
    return timed(case, xp, clock, rounds, {**OWN, **OTHERS}, ROTATED_BYTES)


def launch(function: str, xp: Any, clock: Clock, rounds: int = ROUNDS) -> tuple[list[Figure], list[Finding]]:
    """Time calls on one element, where all that counts is the launch."""
    return timed(Case(function, "value", "float32", 1, "out", threads=0), xp, clock, rounds, OF_LAUNCH, 0)


def timed(
    case: Case, xp: Any, clock: Clock, rounds: int, prepares: Mapping[str, Prepare], rotated_bytes: int
) -> tuple[list[Figure], list[Finding]]:
    """Compare our contenders' results with the CPU's, then time all, interleaved."""
    sets = max(1, -(-rotated_bytes // case.bytes))
    arrays = [operands(case, xp, seed) for seed in range(sets)]
    calls: dict[str, Call] = {}
    figures, findings = [], []
    for name, prepare in prepares.items():
        for out in arrays[0][1]:  # else what does nothing would leave the results of the one before
            out.view(np.uint8)[...] = 0
        try:
            ready = [c for inputs, outs in arrays if (c := prepare(case, inputs, outs))]
            if ready:
                ready[0].call()
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            figures.append(Figure(case, name, skipped=reason))
            # ours may lack a library, and nothing else
            if name in OWN and not isinstance(error, ImportError):
                findings.append(Finding("speed", subject(case, name), 0, f"raised {reason}"))
            continue
        if not ready:
            if name not in OWN:  # of ours, it is a kernel that does not serve such arrays
                figures.append(Figure(case, name, skipped="the library does not offer it"))
            continue
        findings += [found for found in [compared(case, name, ready[0])] if found]
        calls[name] = rotate([c.call for c in ready]) if len(ready) > 1 else ready[0].call
    seconds = interleave(calls, clock, rounds)
    rates = {name: case_bytes(case, name) / np.median(each) / 1e9 for name, each in seconds.items()}
    for name, each in seconds.items():
        share = 100 * rates[name] / rates[BASELINE] if BASELINE in rates else None
        figures.append(Figure(case, name, Spread.of(each * 1e6), float(rates[name]), share))
    return figures, findings


def compared(case: Case, name: str, contender: Contender) -> Finding | None:
    """Return how the contender's results of seed 0 differ from the CPU's, None where they are not ours."""
    if contender.results is None:
        return None
    inputs, _ = operands(case)
    wants = as_tuple(call_public(FUNCTIONS[case.function], case.component, inputs))
    gots = contender.results()
    failures = (difference(got, want, inputs[0]) for got, want in zip(gots, wants, strict=True))
    failure = next((f for f in failures if f), None)
    return Finding("speed", subject(case, name), case.size, failure)


def subject(case: Case, name: str) -> str:
    return f"{name} {case.function} {case.component} {case.dtype} of {case.size}"


def table(figures: list[Figure]) -> str:
    """Return a line per figure."""
    lines = [f"{'case':44}{'contender':>20}{'us a call':>12}{'GB/s':>8}{'% of copy':>11}"]
    for figure in figures:
        case = figure.case
        label = f"{case.function} {case.component} {case.dtype} {case.size}"
        if figure.microseconds is None:
            lines.append(f"{label:44}{figure.contender:>20}  skipped: {figure.skipped}")
            continue
        share = "" if figure.percent_of_copy is None else f"{figure.percent_of_copy:.1f}"
        rate = f"{figure.gigabytes_per_second:.0f}" if share else ""
        lines.append(
            f"{label:44}{figure.contender:>20}{figure.microseconds.median:>12.2f}{rate:>8}{share:>11}"
        )
    return "\n".join(lines)
