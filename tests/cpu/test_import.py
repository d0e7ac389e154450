"""What importing costs: no library but NumPy, and no environment needed."""

from helpers.processes import printed

FOREIGN = [
    "cupy",
    "numba",
    "llvmlite",
    "torch",
    "triton",
    "jax",
    "dask",
    "xarray",
    "pandas",
    "scipy",
    "matplotlib",
    "sklearn",
    "click",
    "mpmath",
]


def test_importing_imports_numpy_alone() -> None:
    code = f"import sys, gpu_sigmoid; print([m for m in {FOREIGN} if m in sys.modules])"
    assert printed("-c", code).strip() == "[]"


def test_host_calls_import_no_array_library_but_numba() -> None:
    code = (
        "import sys, numpy, gpu_sigmoid as gs; gs.sigmoid(numpy.ones(3)); gs.silu.grad([0.5]); "
        "gs.gpu_available(); gs.asarray([1.0]); "
        f"print([m for m in {FOREIGN} if m in sys.modules and m not in ('numba', 'llvmlite')])"
    )
    # scipy is looked for by Numba itself; cupy is imported where a driver is
    assert set(eval(printed("-c", code))) <= {"scipy", "cupy"}


def test_import_with_every_other_package_missing() -> None:
    code = (
        "import sys\n"
        f"for name in {FOREIGN}: sys.modules[name] = None\n"
        "import gpu_sigmoid as gs\n"
        "print(gs.gpu_available(), gs.array_module().__name__, type(gs.asarray([1.0])).__name__)"
    )
    assert printed("-c", code).split() == ["False", "numpy", "ndarray"]


def test_show_config_with_every_gpu_package_missing() -> None:
    code = (
        "import sys\n"
        "for name in ('cupy', 'torch', 'jax', 'dask'): sys.modules[name] = None\n"
        "import gpu_sigmoid as gs\n"
        "gs.show_config()"
    )
    assert "not used: " in printed("-c", code)
