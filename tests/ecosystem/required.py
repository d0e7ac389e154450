"""Libraries that a test needs: missing, it is skipped, unless GPU_SIGMOID_REQUIRE names the library."""

import importlib
from types import ModuleType

import pytest
from conftest import REQUIRED


def library(name: str) -> ModuleType:
    """Return a module, or skip the tests of the module that asks for it."""
    if name.partition(".")[0] in REQUIRED:
        return importlib.import_module(name)
    return pytest.importorskip(name, reason=f"{name} is not installed")
