"""The package from archives, without its source, without docstrings, and where Numba is not to compile."""

import compileall
import shutil
import zipapp
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest
from helpers.methods import mode
from helpers.processes import python

import gpu_sigmoid as gs
from gpu_sigmoid.lowering import lower
from gpu_sigmoid.lowering.constants import FLOAT32
from gpu_sigmoid.lowering.language import FormulaError

PACKAGE = Path(gs.__file__).parent
CODE = """
import numba, numpy as np, gpu_sigmoid as gs
x = np.linspace(-9, 9, 11, dtype=np.float32)
print(gs.__file__)
print(gs.sigmoid(x).tobytes().hex(), gs.sigmoid(x.astype("f2")).tobytes().hex())
print(len(gs.cuda_source()), "Largest error" in gs.sigmoid.__doc__)
single = numba.njit(lambda x: gs.device.sigmoid(x))(x[3])
print(type(single).__name__, float(single).hex())
"""


def expected() -> list[str]:
    """Return what CODE prints here, but for the first line."""
    x = np.linspace(-9, 9, 11, dtype=np.float32)
    half = gs.sigmoid(x.astype("f2"))
    bits = f"{gs.sigmoid(x).tobytes().hex()} {half.tobytes().hex()}"
    # Numba gives a float32 back to Python as its float
    return [bits, f"{len(gs.cuda_source())} True", f"float {float(gs.sigmoid(x[3])).hex()}"]


def printed(*arguments: object, **options: Any) -> list[str]:
    done = python(*arguments, **options)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def copy_to(folder: Path) -> Path:
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def without_source(folder: Path) -> Path:
    # relative paths, which may be there and be another's
    compileall.compile_dir(copy_to(folder), stripdir=str(folder), quiet=1, legacy=True)
    for file in folder.rglob("*.py"):
        file.unlink()
    return folder


def archive(folder: Path, target: Path) -> Path:
    zipapp.create_archive(folder, target, main="gpu_sigmoid.cli:main")
    return target


WAYS = {
    "zip": lambda tmp: archive(copy_to(tmp / "source"), tmp / "package.zip"),
    "zipapp": lambda tmp: archive(copy_to(tmp / "source"), tmp / "program.pyz"),
    "pyc": lambda tmp: without_source(tmp / "compiled"),
    "pyc in a zip": lambda tmp: archive(without_source(tmp / "compiled"), tmp / "package.zip"),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_bits_and_kernels_kept_on_disk(way: str, tmp_path: Path) -> None:
    place, cache = WAYS[way](tmp_path), tmp_path / "cache"
    written = []
    for _ in range(2):
        file, *rest = printed("-P", "-c", CODE, cwd=tmp_path, PYTHONPATH=place, NUMBA_CACHE_DIR=cache)
        assert file.startswith(str(place))
        assert rest == expected()
        written.append({path: path.stat().st_mtime_ns for path in cache.rglob("*.nbc")})
    # three kernels, and the loops over elements of two sizes
    assert len(written[0]) == 5
    assert written[0] == written[1]


def test_compiled_files_may_name_sources_that_are_others(tmp_path: Path) -> None:
    place, elsewhere = without_source(tmp_path / "compiled"), tmp_path / "elsewhere"
    for module in ("logistic", "parts"):
        other = elsewhere / "gpu_sigmoid" / "formulas" / f"{module}.py"
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_text("def another():\n    pass\n" * 100)
    assert printed("-P", "-c", CODE, cwd=elsewhere, PYTHONPATH=place)[1:] == expected()


def test_from_an_archive_where_nothing_can_be_written(tmp_path: Path) -> None:
    place = WAYS["zipapp"](tmp_path)
    # a folder that cannot be made
    file, *rest = printed("-P", "-c", CODE, PYTHONPATH=place, NUMBA_CACHE_DIR=place)
    assert file.startswith(str(place))
    assert rest == expected()


def test_zipapp_is_the_command(tmp_path: Path) -> None:
    program = WAYS["zipapp"](tmp_path)
    assert printed(program, "info")[0].split() == ["gpu_sigmoid", gs.__version__]
    np.save(tmp_path / "x.npy", np.linspace(-5, 5, 9))
    assert python(program, "apply", tmp_path / "x.npy", tmp_path / "y.npy").returncode == 0
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), gs.sigmoid(np.linspace(-5, 5, 9)))


def test_without_docstrings(tmp_path: Path) -> None:
    assert printed("-OO", "-c", CODE, NUMBA_CACHE_DIR=tmp_path)[1:] == expected()
    assert printed("-OO", "-m", "gpu_sigmoid", "info")[0].split() == ["gpu_sigmoid", gs.__version__]
    assert "apply" in " ".join(printed("-OO", "-m", "gpu_sigmoid", "--help"))
    assert "--function" in " ".join(printed("-OO", "-m", "gpu_sigmoid", "apply", "--help"))


def test_kernels_compile_where_numba_is_not_to(tmp_path: Path) -> None:
    code = CODE + (
        "assert numba.config.DISABLE_JIT\n"
        "print(type(numba.njit(lambda x: x)).__name__)\n"
        # which Numba compiles all the same
        "print(numba.vectorize(lambda x: gs.device.sigmoid.grad(x))(x).tobytes().hex())\n"
    )
    *rest, kind, ufunc = printed("-c", code, NUMBA_DISABLE_JIT=1, NUMBA_CACHE_DIR=tmp_path)[1:]
    single = gs.sigmoid(np.linspace(-9, 9, 11, dtype=np.float32)[3])
    assert rest == [*expected()[:2], f"float32 {float(single).hex()}"]
    assert kind == "function"
    assert ufunc == gs.sigmoid.grad(np.linspace(-9, 9, 11, dtype=np.float32)).tobytes().hex()


@pytest.mark.parametrize("namespace", [{}, {"__name__": "__main__"}])
def test_a_users_formula_without_source_is_refused(namespace: dict) -> None:
    exec(compile("def formula(x):\n    return (x,)", "<stdin>", "exec"), namespace)
    formula: FunctionType = namespace["formula"]
    with pytest.raises(FormulaError, match="source of formula cannot be found: define it in a file"):
        lower(formula, mode("value"), FLOAT32)
