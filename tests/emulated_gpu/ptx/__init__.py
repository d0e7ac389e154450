"""PTX, as NVRTC and NVVM emit it, to machine code of the host.

- `parser`: text to kernels, their parameters and statements
- `emitter`: registers, operands and addresses of a kernel as LLVM IR
- `instructions`: which function emits which instruction; what no pattern matches is refused
- `floating`, `integers`, `comparisons`, `conversions`, `data`, `control`: those functions, by family
- `grid`: the loops over blocks and threads around a kernel, with its barriers
- `native`: LLVM IR to machine code, kept on disk
- `module`: all of that, for one PTX text
"""
