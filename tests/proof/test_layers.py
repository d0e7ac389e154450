"""The package's structure: imports that point one way, and the map of it."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import gpu_sigmoid

ROOT = Path(gpu_sigmoid.__file__).parent
FILES = {
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}


def imported(path: Path) -> set[str]:
    """Return the package's modules that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {member if member in FILES else node.module for member in members}
    return found & FILES.keys()


def test_no_import_cycle() -> None:
    graph = {name: imported(path) - {name} for name, path in FILES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(f"imports in a circle: {' -> '.join(reversed(error.args[1]))}") from None


def test_lower_layers_know_nothing_of_higher_ones() -> None:
    """What computes does not import what measures, shows or is public."""
    low = (
        *("modes", "kinds", "dtypes", "lowering", "formulas", "environment", "outputs", "registry"),
        "backends",
    )
    high = (
        *("bounds", "dispatch", "documentation", "methods", "functions"),
        *("device", "source", "triton", "torch", "verify", "device_check", "cli"),
    )
    for name, path in FILES.items():
        if name.split(".")[1:2] and name.split(".")[1] in low:
            wrong = {m for m in imported(path) if m.split(".")[1:2] and m.split(".")[1] in high}
            assert not wrong, f"{name} imports {', '.join(sorted(wrong))}"


def test_the_map_names_every_module() -> None:
    text = gpu_sigmoid.__doc__ or ""
    named = {name for line in re.findall(r"^- (.*?):", text, re.M) for name in re.findall(r"`(\w+)`", line)}
    modules = {path.stem for path in ROOT.glob("[a-z]*.py")}
    assert named == modules | {path.parent.name for path in ROOT.glob("[a-z]*/__init__.py")}
