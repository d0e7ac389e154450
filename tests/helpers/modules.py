"""Modules that a test writes: compilers that read source text want a file."""

import importlib.util
from pathlib import Path
from types import ModuleType


def written(path: Path, text: str) -> ModuleType:
    """Return the module of a new file."""
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
