"""The notebooks as they are kept: executed, with every picture they draw, by public names alone."""

import ast
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

import gpu_sigmoid

ROOT = Path(__file__).parent.parent.parent
# the CI executes them anew into a folder of its own
FOLDER = Path(os.environ.get("GPU_SIGMOID_NOTEBOOKS", ROOT / "notebooks"))
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
PUBLIC = {"gpu_sigmoid": set(gpu_sigmoid.__all__), "gpu_sigmoid.torch.nn": None}
PICTURE = re.compile(r"<(Figure|IPython\.core\.display\.Image)\b")
DRAWS = re.compile(r"\bplt\.subplots\(|^ *Image\(", re.MULTILINE)

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list[dict[str, Any]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in content["cells"] if cell["cell_type"] == "code"]


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) >= 4


@every_notebook
def test_it_is_executed_from_the_first_cell_to_the_last(path: Path) -> None:
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert outputs
    assert not [output for output in outputs if output["output_type"] == "error"]
    # a warning in a tutorial is one in its readers' programs
    assert not [output for output in outputs if output.get("name") == "stderr"]


@every_notebook
def test_every_picture_is_there(path: Path) -> None:
    for cell in code_cells(path):
        shown = [output["data"] for output in cell["outputs"] if "data" in output]
        # a Figure that matplotlib has no part in showing is but its name
        named = [data for data in shown if PICTURE.search("".join(data.get("text/plain", "")))]
        assert all("image/png" in data for data in named)
        assert len(named) == len(DRAWS.findall("".join(cell["source"])))


@every_notebook
def test_what_it_imports_is_public(path: Path) -> None:
    text = "\n".join("".join(cell["source"]) for cell in code_cells(path))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            modules = {node.module: {alias.name for alias in node.names}}
        elif isinstance(node, ast.Import):
            modules = {alias.name: set() for alias in node.names}
        else:
            continue
        for module, names in modules.items():
            if str(module).partition(".")[0] in ("gpu_sigmoid", "bench", "tests", "tools"):
                assert module in PUBLIC
                assert names <= (PUBLIC[module] or names)
