"""A GPU that is not there: CuPy and numba-cuda run as they are, their kernels' PTX on the CPU.

See README.md. From the kernels up:

- `ptx`: PTX text to machine code
- `memory`, `devices`, `streams`, `capture`, `copies`, `launch`: what CUDA does, and what it refuses
- `cupy_api`, `numba_api`: that under CuPy, and under numba-cuda
- `stub`, `libcuda.c`: the library that stands in for NVIDIA's driver
- `requirements`, `turned_on`, `site`, `__main__`: where it can be, and how it is turned on
- `settings`, `files`, `locks`, `errors`: what all of them use
"""
