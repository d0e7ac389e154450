"""The logistic family as array kernels: the same bits on every backend.

Where things are:

- `functions`: the public objects and `FUNCTIONS`, the table of them
- `components`: value, derivatives and both, as methods and by name
- `device`: the same on scalars, for kernels of your own that Numba compiles
- `source`: the same as CUDA C++
- `formulas`: every formula, once, with the coefficients that tools/ fits
- `lowering`: what a formula is written in, and from it to Python for Numba and CUDA C++
- `bounds`: the errors promised and found; `verify` measures them, `bench` the speed
- `dispatch`: from an array's type to a backend in `backends`
- `dtypes`, `outputs`: what operands and `out=` may be
- `environment`: which backends and devices there are
- `device_check`: a GPU compared with the CPU, and timed
- `torch`: modules in the place of torch.nn's
- `cli`: the command `gpu-sigmoid`
"""

from gpu_sigmoid import device
from gpu_sigmoid.environment import (
    array_module,
    asarray,
    get_num_threads,
    gpu_available,
    set_num_threads,
    show_config,
)
from gpu_sigmoid.functions import (
    FUNCTIONS,
    bce_with_logits,
    log_sigmoid,
    logit,
    sigmoid,
    sigmoid_prime,
    silu,
    softplus,
)
from gpu_sigmoid.source import cuda_source
from gpu_sigmoid.version import __version__

__all__ = [
    "FUNCTIONS",
    "__version__",
    "array_module",
    "asarray",
    "bce_with_logits",
    "cuda_source",
    "device",
    "get_num_threads",
    "gpu_available",
    "log_sigmoid",
    "logit",
    "set_num_threads",
    "show_config",
    "sigmoid",
    "sigmoid_prime",
    "silu",
    "softplus",
]
