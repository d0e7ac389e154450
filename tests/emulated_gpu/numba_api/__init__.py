"""The emulated GPU under numba-cuda: the driver's functions, which cuda.bindings looks up in libcuda.so.1.

- `contexts`, `memory_functions`, `stream_functions`, `kernel_functions`: those functions, by name
- `driver`: as C functions, registered with the stub
- `linker`: the one part of numba-cuda that is replaced
"""
