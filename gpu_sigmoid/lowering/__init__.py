"""From a formula to code: it is checked (`subset`), traced (`program`), and printed for each target."""

from gpu_sigmoid.lowering.cuda import cuda_source
from gpu_sigmoid.lowering.program import Program, lower, lower_for, lower_helper
from gpu_sigmoid.lowering.ptx import ptx_block
from gpu_sigmoid.lowering.python import python_source

__all__ = ["Program", "cuda_source", "lower", "lower_for", "lower_helper", "ptx_block", "python_source"]
