"""README's sentences on calls through torch and JAX, from the pages of `python -m bench torch` and `jax`."""

import re
from collections.abc import Callable

from throughput_tables import span

LINE = re.compile(
    r"^\| `(?P<call>.*?)` \| (?P<size>[\d,]+) \| [\d.,]+ \| [\d.,]+ \| (?P<ratio>[\d.,]+)[ |]", re.M
)
BEHIND = 1.15
"""A function is named whose large calls take this many times as long as the other library's."""
NAME = re.compile(r"(\w+)(?:\)*|\(\))\([xt]")
"""A call's function, or the module that is it."""

Chosen = Callable[[str], bool]
Ratios = dict[tuple[str, int], float]
"""Our time over the other library's, by call and number of elements."""


def ratios(page: str) -> Ratios:
    found = {
        (line["call"], number(line["size"])): float(line["ratio"].replace(",", ""))
        for line in LINE.finditer(page)
    }
    if not found:
        raise SystemExit("a page of calls has no table of ratios")
    return found


def number(shown: str) -> int:
    return int(shown.replace(",", ""))


def through_torch(page: str) -> str:
    kinds = {"a call": forward, "forward and backward": lambda call: not forward(call)}
    why = "whose derivative ours computes from x, not from a value"
    return (
        "**Through torch** ([figures](bench/results/torch-calls.md)), times as long as torch's own: "
        f"{by_size(ratios(page), kinds, f', {why}')}."
    )


def through_jax(page: str) -> str:
    kinds: dict[str, Chosen] = {
        "a call": lambda call: not call.startswith("jit"),
        "under `jit`": lambda call: call.startswith("jit") and "grad" not in call,
        "its gradient": lambda call: "grad" in call,
    }
    return (
        "**Through JAX** ([figures](bench/results/jax-calls.md)), times as long as JAX's own: "
        f"{by_size(ratios(page), kinds)}."
    )


def forward(call: str) -> bool:
    return "backward" not in call


def by_size(found: Ratios, kinds: dict[str, Chosen], why: str = "") -> str:
    """Return the span of ratios of each kind of call, on the fewest elements and on the most."""
    sizes = sorted({size for _, size in found})
    said = []
    for size in (sizes[0], sizes[-1]):
        of_size = {call: ratio for (call, of), ratio in found.items() if of == size}
        spans = [
            f"{kind} {span([ratio for call, ratio in of_size.items() if chosen(call)])}"
            for kind, chosen in kinds.items()
        ]
        said.append(f"on {size:,} elements {', '.join(spans)}")
    # of calls on the most elements; modules have the functions' names with capitals
    behind = [f"`{NAME.search(call)[1].lower()}`" for call, ratio in of_size.items() if ratio > BEHIND]
    return "; ".join(said) + (
        f" (more than {BEHIND} times: {', '.join(dict.fromkeys(behind))}{why})" if behind else ""
    )
