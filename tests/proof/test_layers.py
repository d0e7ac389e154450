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


def layers() -> dict[str, int]:
    """Return the modules that the package's map names, and the number of the line that names each."""
    lines = re.findall(r"^- (.*?):", gpu_sigmoid.__doc__ or "", re.M)
    return {name: number for number, line in enumerate(lines) for name in re.findall(r"`(\w+)`", line)}


def test_layers_import_only_from_those_above_them_in_the_map() -> None:
    height = layers()
    for name, path in FILES.items():
        _, *own = name.split(".")
        if own and own[0] in height:
            others = {m for m in imported(path) if "." in m}
            wrong = {m for m in others if height[m.split(".")[1]] > height[own[0]]}
            assert not wrong, f"{name} imports {', '.join(sorted(wrong))}"


def test_the_map_names_every_module() -> None:
    modules = {path.stem for path in ROOT.glob("[a-z]*.py")}
    assert layers().keys() == modules | {path.parent.name for path in ROOT.glob("[a-z]*/__init__.py")}
