"""CONTRIBUTING's four steps: a function added by them works, and what is forgotten is named."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.processes import python

ROOT = Path(__file__).parents[2]
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")


def insert(file: str, before: str, text: str) -> Callable[[Path], None]:
    """Return the edit that puts `text` before the first place that matches `before`."""

    def edit(copy: Path) -> None:
        path = copy / file
        source = path.read_text(encoding="utf-8")
        place = re.search(before, source, re.M)
        assert place is not None, f"{file}: {before} is not there"
        path.write_text(source[: place.start()] + text + source[place.start() :], encoding="utf-8")

    return edit


FORMULA = '''\
from gpu_sigmoid.formulas.logistic import sigmoid


def doubled(x):
    """2 / (1 + exp(-x))"""
    value, grad, grad2 = sigmoid(x)
    return 2.0 * value, 2.0 * grad, 2.0 * grad2
'''
FUNCTION = """\
doubled = Function(
    formulas.doubled,
    "Twice the sigmoid, 2 / (1 + exp(-x)).",
    "0 at -inf, 2 at inf.",
    example="gs.doubled(0.0)\\nnp.float64(1.0)",
)
"""
DEFINITION = """\
    "doubled": Definition(
        lambda x: 2 * s(x),
        lambda x: 2 * slope(x),
        lambda x: 2 * slope(x) * (1 - 2 * s(x)),
        limits=(((-inf,), 0.0, 0.0), ((inf,), 2.0, 0.0)),
        increasing=True,
    ),
"""
REFERENCES = """\
@jit
def doubled_value(x):
    return 2.0 * s(x), 0.0, 0.0


@jit
def doubled_grad(x):
    return 2.0 * slope(x), 0.0, 0.0


@jit
def doubled_grad2(x):
    return -2.0 * slope(x) * math.tanh(x / 2.0), 0.0, 0.0


"""
OF_X = "".join(f'    ("doubled", "{mode}"): doubled_{mode},\n' for mode in ("value", "grad", "grad2"))
BOUNDS = "".join(
    f"doubled {mode} {dtype} {ulp}\n"
    for mode, wide in (("value", 2.0), ("grad", 2.0), ("grad2", 2.5), ("vjp", 2.5))
    for dtype, ulp in (("float32", wide), ("float64", wide), ("float16", 0.51), ("bfloat16", 0.51))
)
STEPS: dict[str, tuple[Callable[[Path], None], ...]] = {
    "1: the formula": (
        lambda copy: (copy / "gpu_sigmoid/formulas/doubled.py").write_text(FORMULA) and None,
        insert(
            "gpu_sigmoid/formulas/__init__.py",
            "^from gpu_sigmoid.formulas.logistic",
            "from gpu_sigmoid.formulas.doubled import doubled\n",
        ),
    ),
    "2: the object": (
        insert("gpu_sigmoid/functions.py", r"^FAMILY = ", FUNCTION),
        insert("gpu_sigmoid/functions.py", r"bce_with_logits, glu, swiglu\),$", "doubled, "),
    ),
    "2: its name": (insert("gpu_sigmoid/__init__.py", r"^    log_sigmoid,", "    doubled,\n"),),
    "3: the definition": (insert("gpu_sigmoid/verify/definitions.py", r'^    "log_sigmoid"', DEFINITION),),
    "3: the reference": (
        insert("gpu_sigmoid/verify/reference/of_x.py", r"^OF_X:", REFERENCES),
        insert("gpu_sigmoid/verify/reference/of_x.py", r'^    \("log_sigmoid", "value"\)', OF_X),
    ),
    "4: the bounds": (insert("gpu_sigmoid/bounds.py", r'^"""\n\n\n@dataclass', BOUNDS),),
}


def copied(directory: Path, without: str = "") -> Path:
    """Return a copy of the project with a function added by all steps but one."""
    copy = directory / "project"
    for folder in ("gpu_sigmoid", "bench", "tests", "tools"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "*.png"))
    for file in ("pyproject.toml", "README.md", "CONTRIBUTING.md"):
        shutil.copy(ROOT / file, copy / file)
    for step, edits in STEPS.items():
        for edit in edits if step != without else ():
            edit(copy)
    return copy


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(*arguments, cwd=copy, PYTHONPATH=copy)


def test_a_function_added_by_the_steps_passes_the_shared_suite(tmp_path: Path) -> None:
    copy = copied(tmp_path)
    rows = str(copy / "bench/results/accuracy.json")
    measured = run(
        copy, "-m", "gpu_sigmoid", "verify", "doubled", "--stride", "4000037", "--jobs", "1", "--json", rows
    )
    assert measured.returncode == 0, measured.stdout + measured.stderr
    written = run(copy, "tools/write_bounds.py")
    assert written.returncode == 0, written.stderr
    tests = run(copy, *PYTEST, "tests/shared", "tests/proof", "-k", "doubled and not forgotten")
    assert tests.returncode == 0, tests.stdout[-3000:]
    passed = re.search(r"(\d+) passed", tests.stdout)
    assert passed is not None and int(passed[1]) > 100
    listed = run(copy, "-m", "gpu_sigmoid", "apply", "--help")
    assert "doubled" in listed.stdout


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("1: the formula", "has no attribute 'doubled'"),
        ("2: its name", "doubled"),
        ("3: the definition", "doubled"),
        ("3: the reference", "doubled"),
        ("4: the bounds", "doubled"),
    ],
)
def test_a_step_that_is_forgotten_is_named(step: str, words: str, tmp_path: Path) -> None:
    copy = copied(tmp_path, without=step)
    tests = run(copy, *PYTEST, "tests/proof/test_table.py")
    assert tests.returncode != 0
    assert words in tests.stdout + tests.stderr
