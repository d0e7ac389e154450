"""What `gpu-sigmoid check-device` does: the GPU's results against the CPU's, bit by bit.

`subject` is what is checked, `bits` goes over inputs, `layouts` over ways arrays can lie
in memory, `large` past 32-bit indices, `streams` over the order of work, captured in a
graph too, `libraries` over arrays of torch and Numba. `report` says what was found.
"""
