"""`python -m bench compare`: how far two runs of the same cases agree."""

import json
from pathlib import Path

import click
import numpy as np

from bench.measure import BASELINE, OURS
from bench.report import Record, on, two_digits
from gpu_sigmoid.modes import label

Run = click.Path(exists=True, dir_okay=False, path_type=Path)
PERCENTILES = {"least": 0, "10th percentile": 10, "median": 50, "90th percentile": 90, "largest": 100}


@click.command()
@click.argument("first", type=Run)
@click.argument("second", type=Run)
def compare(first: Path, second: Path) -> None:
    """Print how far two runs of the benchmark agree.

    It reads their JSON files and prints a Markdown page.
    """
    (where, when, before), (there, then, after) = map(read, (first, second))
    shared = [key for key in before if key in after]
    if not shared:
        raise click.ClickException("the two runs have no case in common")
    compared = [key for key in shared if key[0] != OURS]
    changed = [key for key in compared if (before[key] < 1) != (after[key] < 1)]
    lines = [
        f"# Two runs on {where}" if where == there else f"# Two runs, on {where} and on {there}",
        "",
        f"They are of {when} and {then}. The second run's figures, divided by the first's:",
        "",
        f"| | cases | {' | '.join(PERCENTILES)} |",
        f"|---|---:|{'---:|' * len(PERCENTILES)}",
    ]
    for name in dict.fromkeys(name for name, _ in shared):
        changes = [after[key] / before[key] for key in shared if key[0] == name]
        cells = map(two_digits, np.percentile(changes, [*PERCENTILES.values()]))
        what = "our ns/element" if name == OURS else f"{name}, its time over ours"
        lines.append(f"| {what} | {len(changes)} | {' | '.join(cells)} |")
    some = f"{len(changed)} have another winner:\n" if changed else "none has another winner."
    lines += ["", f"Of {len(compared):,} comparisons with other libraries, {some}"]
    lines += [
        f"- {name}, {case}: {two_digits(before[name, case])}, then {two_digits(after[name, case])}"
        for name, case in changed
    ]
    click.echo("\n".join(lines))


def read(path: Path) -> tuple[str, str, dict[tuple[str, str], float]]:
    """Return a run's machine, its date and commit, and its figures."""
    try:
        run = json.loads(path.read_bytes())
        when = f"{run['date']} (commit {run['revision']})"
        return run["machine"] or run["processor"], when, figures(run)
    except (ValueError, LookupError, TypeError):
        named = click.format_filename(path)
        raise click.ClickException(f"{named} is not a JSON file of `python -m bench -o`") from None


def figures(run: Record) -> dict[tuple[str, str], float]:
    """Return our nanoseconds an element, and others' times over ours, by contender and case."""
    return {
        (row["contender"], described(row["case"])): row[
            "nanoseconds" if row["contender"] == OURS else "times_ours"
        ]["median"]
        for row in run["rows"]
        if row["contender"] != BASELINE
    }


def described(case: Record) -> str:
    subject = label(case["function"], case["mode"])
    return f"`{subject}` of {case['size']:,} {case['dtype']} ({case['layout']}, {on(case['threads'])})"
