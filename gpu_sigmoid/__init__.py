"""The logistic family as array kernels: the same bits on every backend.

`FUNCTIONS` names the functions, such as `sigmoid`. Each has the methods `grad`, `grad2`, `value_and_grad`
and `vjp`, and a docstring. `asarray` puts data on the GPU if there is one, and `show_config` prints what is
installed.

The layers of the code, from the bottom up; each imports only from those above it in this list:

- `modes`: operands, partial derivatives, and the sets of them that one pass computes
- `lowering`: the language of formulas, and its translation to Python for Numba, CUDA C++ and PTX
- `formulas`: every formula, written once, with the coefficients that tools/ fits
- `signals`: those that end a program, and whether an exception may come from a handler
- `kinds`, `dtypes`: the accepted operands
- `environment`, `processors`, `version`: the available backends, devices and CPUs
- `registry`: the table of all functions, for backends that need it
- `backends`: from a library's arrays to kernels, and back
- `dispatch`: from an array's type to a backend
- `errors`: those that name the function that was called
- `configuration`: a printed report of what is installed and usable
- `halves`: two operands in one array
- `bounds`: the promised errors and the largest found
- `documentation`: the docstrings of functions and methods
- `methods`: the classes of the public functions
- `functions`: the public functions, and `FUNCTIONS`, the table of them
- `device`: the functions on scalars, for your own kernels compiled by Numba
- `source`: the functions as CUDA C++, and as CuPy's ufuncs
- `triton`: the functions for your own Triton kernels
- `torch`: replacements for modules of torch.nn
- `machine`: the hardware and versions that figures were measured with
- `verify`: measures the errors
- `device_check`: compares a GPU with the CPU
- `cli`: the command `gpu-sigmoid`

`bench/` in the repository compares the package with other libraries; it is not installed.
"""

from gpu_sigmoid import device

# not in __all__: `import *` would hide Triton itself
from gpu_sigmoid import triton as triton
from gpu_sigmoid.configuration import show_config
from gpu_sigmoid.environment import array_module, asarray, get_num_threads, gpu_available, set_num_threads
from gpu_sigmoid.functions import (
    FUNCTIONS,
    bce_with_logits,
    expit,
    glu,
    log1mexp,
    log_expit,
    log_sigmoid,
    logit,
    sigmoid,
    sigmoid_prime,
    silu,
    softplus,
    softplus_inverse,
    swiglu,
    tanh,
)
from gpu_sigmoid.source import cuda_source, cupy_ufunc
from gpu_sigmoid.version import __version__

__all__ = [
    "FUNCTIONS",
    "__version__",
    "array_module",
    "asarray",
    "bce_with_logits",
    "cuda_source",
    "cupy_ufunc",
    "device",
    "expit",
    "get_num_threads",
    "glu",
    "gpu_available",
    "log1mexp",
    "log_expit",
    "log_sigmoid",
    "logit",
    "set_num_threads",
    "show_config",
    "sigmoid",
    "sigmoid_prime",
    "silu",
    "softplus",
    "softplus_inverse",
    "swiglu",
    "tanh",
]
