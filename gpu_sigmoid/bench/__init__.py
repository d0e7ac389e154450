"""Timing the family beside its peers, in one process: what `gpu-sigmoid bench` runs.

- `cases`: what is timed, and on which operands
- `peers`: who is timed, a module per library
- `clock`: how, so that ratios hold on a noisy machine
- `measure`: cases to rows of figures
- `report`, `charts`: rows to JSON, Markdown and figures
"""
