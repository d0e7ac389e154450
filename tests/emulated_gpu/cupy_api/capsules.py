"""The functions that CuPy's modules call, replaced: as Python attributes and as C functions.

CuPy's compiled modules take the addresses of C functions from `__pyx_capi__` of the modules
that export them, where each stands in a capsule that is named by the function's signature.
C functions of the same signatures, which call Python ones and leave their exceptions set,
take their place. This has to be done before any of those modules is imported.
"""

import ctypes
import sys
from collections.abc import Callable
from typing import Any

from emulated_gpu.cupy_api.functions import DRIVER, RUNTIME
from emulated_gpu.errors import CudaError
from emulated_gpu.stub import built

HEAD = """
#include <stddef.h>
#include <stdint.h>
typedef struct python_object PyObject;
typedef int cudaMemcpyKind;
typedef int CUdevice;
PyObject *PyObject_CallFunction(PyObject *function, const char *format, ...);
long long PyLong_AsLongLong(PyObject *number);
double PyFloat_AsDouble(PyObject *number);
void Py_DecRef(PyObject *object);
static PyObject *functions[256];
void set_function(int k, PyObject *function) { functions[k] = function; }
"""
# C's type, the letter for it in a format, what is passed for that letter
TYPES = {
    "intptr_t": ("L", "long long"),
    "uintmax_t": ("K", "unsigned long long"),
    "size_t": ("K", "unsigned long long"),
    "int": ("i", "int"),
    "cudaMemcpyKind": ("i", "int"),
    "CUdevice": ("i", "int"),
    "unsigned int": ("I", "unsigned int"),
    "PyObject *": ("O", "PyObject *"),
}
# What a function returns where it raises, by which its callers know to look for an exception.
FAILED = {"int": -1, "funcGetAttribute": -2}
# the one whose optional argument says more than what is emulated anyway
WITH_OPTIONAL = "streamBeginCapture"

_api = ctypes.pythonapi
_name = _api.PyCapsule_GetName
_name.restype, _name.argtypes = ctypes.c_char_p, [ctypes.py_object]
_capsule = _api.PyCapsule_New
_capsule.restype, _capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]

_kept: list[Any] = []


def install() -> None:
    """Put the emulated GPU under CuPy."""
    from cupy_backends.cuda.api import driver, runtime

    replace_functions(runtime, RUNTIME, runtime.CUDARuntimeError)
    replace_functions(driver, DRIVER, driver.CUDADriverError)


def replace_functions(module: Any, functions: dict[str, Callable], error: type[Exception]) -> None:
    signatures = {name: _name(capsule).decode() for name, capsule in module.__pyx_capi__.items()}
    if unknown := functions.keys() - signatures.keys():
        raise ImportError(f"this CuPy's {module.__name__} has no C functions {', '.join(sorted(unknown))}")
    replaced = [
        name for name, signature in signatures.items() if name != "check_status" and calls_cuda(signature)
    ]
    source = HEAD + "".join(c_function(k, name, signatures[name]) for k, name in enumerate(replaced))
    library = ctypes.PyDLL(str(built(source)))
    library.set_function.argtypes = [ctypes.c_int, ctypes.py_object]
    for k, name in enumerate(replaced):
        function = raising(functions.get(name) or missing(name), error)
        signature = signatures[name].encode()
        # CuPy calls until the interpreter's very end: none of this is ever freed
        _kept.extend((function, signature))
        _api.Py_IncRef(ctypes.py_object(function))
        _api.Py_IncRef(ctypes.py_object(signature))
        library.set_function(k, function)
        address = ctypes.cast(library[f"emulated_{name}"], ctypes.c_void_p)
        module.__pyx_capi__[name] = _capsule(address, signature, None)
        setattr(module, name, function)


def calls_cuda(signature: str) -> bool:
    """Return whether a capsule is a function that calls CUDA: neither a variable nor a maker of a struct."""
    return "(" in signature and not signature.startswith("cuda")


def c_function(k: int, name: str, signature: str) -> str:
    """Return the source of a C function of a capsule's signature that calls the Python function `k`."""
    result, _, rest = signature.removesuffix(")").partition("(")
    result = result.strip()
    declared, letters, passed = [], "", []
    for position, kind in enumerate(map(str.strip, rest.split(","))):
        parameter = f"a{position}"
        if kind.endswith("__pyx_skip_dispatch"):
            declared.append(f"int {parameter}")
        elif kind.endswith("__pyx_optional_args"):
            declared.append(f"void *{parameter}")
            if name == WITH_OPTIONAL:
                letters, passed = letters + "L", [*passed, f"(long long)(intptr_t){parameter}"]
        elif kind != "void":
            kind = "PyObject *" if kind.startswith("struct") else kind
            letter, cast = TYPES[kind]
            declared.append(f"{kind} {parameter}")
            letters, passed = letters + letter, [*passed, f"({cast}){parameter}"]
    call = ", ".join([f"functions[{k}]", f'"({letters})"', *passed])
    of_object = result.startswith(("PyObject", "struct"))
    kind = "PyObject *" if of_object else result
    lines = [
        f"{kind} emulated_{name}({', '.join(declared) or 'void'}) {{",
        f"    PyObject *result = PyObject_CallFunction({call});",
    ]
    if of_object:
        lines += ["    return result;"]
    else:
        convert = "PyFloat_AsDouble" if result == "float" else "PyLong_AsLongLong"
        lines += [
            f"    if (!result) return {FAILED.get(name, FAILED.get(result, 0))};",
            f"    {kind} value = ({kind}){convert}(result);",
            "    Py_DecRef(result);",
            "    return value;",
        ]
    return "\n".join([*lines, "}", ""])


def missing(name: str) -> Callable:
    def function(*arguments: Any) -> Any:
        raise NotImplementedError(f"the emulated GPU has no {name}")

    return function


def raising(function: Callable, error: type[Exception]) -> Callable:
    """Return a function whose errors are CuPy's own; once the interpreter ends it does nothing."""

    def call(*arguments: Any, over: Callable[[], bool] = sys.is_finalizing) -> Any:
        if over():
            return 0
        try:
            return function(*arguments)
        except CudaError as refused:
            found = error(refused.status)
            found.add_note(f"emulated GPU: {refused}")
            raise found from refused

    return call
