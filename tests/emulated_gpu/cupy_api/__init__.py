"""The emulated GPU under CuPy, in place of the CUDA runtime and driver that its modules call.

- `functions`: what CuPy calls, by CUDA's names
- `capsules`: those functions as C functions, which Cython modules call by their pointers
"""
