"""The backends, one module or package per kind of array, and what several of them share:

- `outputs`: what `out=` may be
- `placed`: where arrays are in memory, and whether they overlap; `layout`: the loops over them
- `made`: new arrays and views, by their libraries
- `prepared`: repeated calls; `once`: values of which there must be one
- `instructions`: those that the CPU has; `conversions`: of 16-bit numbers, for Numba on both targets
- `numba_functions`: `gs.device`
"""
