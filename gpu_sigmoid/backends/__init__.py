"""The backends, one module or package per kind of array.

Several of them share `placed` (where arrays are in memory, and whether they overlap), `conversions`
(of 16-bit numbers, for Numba's compilers on both targets) and `numba_functions` (`gs.device`).
"""
