"""The logistic family as array kernels: the same bits on every backend.

Where things are, from what rests on nothing to what rests on all; imports point upwards:

- `modes`: operands, partial derivatives, and what a call computes of them in one pass
- `lowering`: what a formula is written in, and from it to Python for Numba, CUDA C++ and PTX
- `formulas`: every formula, once, with the coefficients that tools/ fits
- `kinds`, `dtypes`, `outputs`: what operands and `out=` may be
- `environment`, `processors`, `version`: which backends, devices and CPUs there are
- `registry`: the table of the functions, for backends that have to know all of them
- `backends`: a library's arrays to kernels, and back
- `dispatch`: from an array's type to a backend
- `configuration`: what is installed and usable, for people to read
- `halves`: two operands in one array
- `bounds`: the errors promised and found
- `documentation`: the docstrings of functions and methods
- `methods`: functions as objects to call, with methods
- `functions`: the public objects and `FUNCTIONS`, the table of them
- `device`: the same on scalars, for kernels of your own that Numba compiles
- `source`: the same as CUDA C++, and as CuPy's ufuncs
- `triton`: the same for Triton kernels of your own
- `torch`: modules in the place of torch.nn's
- `machine`: what figures were measured on
- `verify`: measures the errors
- `device_check`: a GPU compared with the CPU
- `cli`: the command `gpu-sigmoid`

The comparison with other libraries is `bench/` in the repository, which is not installed.
"""

from gpu_sigmoid import device

# not in __all__, where it would take the place of Triton itself
from gpu_sigmoid import triton as triton
from gpu_sigmoid.configuration import show_config
from gpu_sigmoid.environment import (
    array_module,
    asarray,
    get_num_threads,
    gpu_available,
    set_num_threads,
)
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
