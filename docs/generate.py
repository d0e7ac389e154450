"""The reference's pages, from the table FUNCTIONS and what else is public: signatures, docstrings, errors."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import licences

import gpu_sigmoid as gs
from gpu_sigmoid.bounds import BOUNDS
from gpu_sigmoid.documentation import results
from gpu_sigmoid.modes import PUBLIC
from gpu_sigmoid.triton import parameters

OTHER_NAMES = {
    name: getattr(gs, name).label
    for name in gs.__all__
    if hasattr(getattr(gs, name), "label") and name not in gs.FUNCTIONS
}
"""Of functions: scipy's and the textbook's, and whose they are."""

IN_KERNELS = ("cuda_source", "cupy_ufunc")
HELPERS = [
    name
    for name in gs.__all__
    if callable(getattr(gs, name)) and name not in {*gs.FUNCTIONS, *OTHER_NAMES, *IN_KERNELS}
]

OTHERS = {"FUNCTIONS", "__version__", "device"}
"""Public names that have no entry, but a page or a sentence."""


def write(folder: Path) -> None:
    """Write the pages that have changed, so that others need not be built anew."""
    left = {name for name in gs.__all__ if not callable(getattr(gs, name))} - OTHERS
    if left:
        raise LookupError(f"docs/generate.py has no page for {', '.join(sorted(left))}")
    folder.mkdir(exist_ok=True)
    written = pages()
    for name, text in written.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.glob("*.rst"):
        if path.stem not in written:
            path.unlink()


def pages() -> dict[str, str]:
    from gpu_sigmoid.torch import nn

    modules = [auto("class", f"gpu_sigmoid.torch.nn.{name}") for name in nn.__all__]
    return {
        "functions": functions(),
        **{name: function(name, f) for name, f in gs.FUNCTIONS.items()},
        "helpers": page("Places and threads", *(auto("function", f"gpu_sigmoid.{n}") for n in HELPERS)),
        "device": page("In Numba's kernels", ".. automodule:: gpu_sigmoid.device\n", calls("device")),
        "triton": page("In Triton's kernels", ".. automodule:: gpu_sigmoid.triton\n", calls("triton")),
        "cuda": page(
            "In CUDA C++ and CuPy's kernels", *(auto("function", f"gpu_sigmoid.{n}") for n in IN_KERNELS)
        ),
        "licences": page(
            "Licences of what is installed",
            "What gpu_sigmoid and its extras bring, by the packages' metadata where this page was made.\n",
            table(("package", "version", "licence", "extra"), licences.rows()),
        ),
        "torch": page("Modules for torch", ".. automodule:: gpu_sigmoid.torch.nn\n", *modules),
    }


def page(title: str, *parts: str) -> str:
    return "\n".join([title, "=" * len(title), "", *parts])


def auto(kind: str, name: str) -> str:
    return f".. auto{kind}:: {name}\n"


def functions() -> str:
    rows = [(f":doc:`{name} <{name}>`", f.definition, ends(f)) for name, f in gs.FUNCTIONS.items()]
    tree = ".. toctree::\n   :hidden:\n\n" + "".join(f"   {name}\n" for name in gs.FUNCTIONS)
    others = ", ".join(f"``gs.{name}`` is ``gs.{label}``" for name, label in OTHER_NAMES.items())
    methods = ", ".join(f"``{name}``" for name in PUBLIC[1:])
    text = (
        f"Each has the methods {methods}. Under other names: {others}. ``gs.FUNCTIONS`` is the table\n"
        "of them, a dictionary by name.\n"
    )
    heading = "Errors"
    errors = f".. _errors:\n\n{heading}\n{'-' * len(heading)}\n\n.. automodule:: gpu_sigmoid.bounds\n"
    return page("Functions", table(("function", "value", "finite for"), rows), text, errors, tree)


def ends(f: Any) -> str:
    low, high = f.domain
    return "all x" if (low, high) == (-float("inf"), float("inf")) else f"{low:g} < x < {high:g}"


def function(name: str, f: Any) -> str:
    """Return the page of a function: itself, its methods, and the largest errors that were found."""
    methods = [
        *PUBLIC[1:],
        *(["packed", "packed.value_and_grad", "packed.vjp"] if hasattr(f, "packed") else []),
    ]
    entries = [auto("function", f"gpu_sigmoid.{name}.{method}") for method in methods]
    found = [
        (mode + called, dtype, bound.ulp, f"{bound.worst:.4f}", ", ".join(map(repr, bound.operands)))
        for of, called in ((f, ""), (f.parametrised, f", {f.parameter}="))
        if of is not None
        for (mode, dtype), bound in BOUNDS[of.name].items()
    ]
    head = ("method", "dtype", "bound", "worst found", "at")
    heading = "The largest errors found"
    return page(
        name,
        auto("function", f"gpu_sigmoid.{name}"),
        "Methods\n-------\n",
        *entries,
        f"{heading}\n{'-' * len(heading)}\n",
        "In units in the last place; :ref:`errors` says of which operands.\n",
        table(head, found),
    )


def calls(module: str) -> str:
    """Return a table of how the functions are called on scalars or blocks."""
    rows = [
        (f"``gs.{module}.{method.label}({', '.join(parameters(method))})``", f"``{', '.join(flat(method))}``")
        for f in gs.FUNCTIONS.values()
        for method in map(f.methods.get, PUBLIC)
    ]
    return table(("call", "results"), rows)


def flat(method: Any) -> list[str]:
    return [name for result in results(method) for name in result.strip("()").split(", ")]


def table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Return a list-table."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (head, *rows):
        lines += [
            f"   {'-' if i else '* -'} {cell}".replace("   - ", "     - ") for i, cell in enumerate(row)
        ]
    return "\n".join([*lines, ""])
