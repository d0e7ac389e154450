"""Modules that a test writes to files, for compilers that read the source text of functions."""

import importlib.util
from pathlib import Path
from types import ModuleType


def written(path: Path, text: str) -> ModuleType:
    """Write a module to a file and return it, imported."""
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
