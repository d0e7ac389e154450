"""The checks of `gpu-sigmoid check-device`: the GPU's results against the CPU's, bit by bit.

`subject` has the device and the comparison. `bits` varies the inputs, `layouts` the layout of arrays,
`large` goes beyond 32-bit indices, `streams` checks the order of work, in captured graphs too, and
`libraries` arrays of torch and Numba. `report` prints and writes the findings.
"""
