"""Where kernels run, one module or package per kind of array.

What several of them share: `placed` says where arrays lie and whether they overlap, `conversions` are
those of 16-bit numbers for Numba's compilers on both targets, `numba_functions` is `gs.device`.
"""
