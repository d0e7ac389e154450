"""Measuring errors against the definitions: what `gpu-sigmoid verify` runs.

- `definitions`: the textbook definitions, of `terms` in mpmath; `exact`: results by them, the last word
- `reference`: the same in float64, fast, for results of at most 32 bits
- `units`: floating-point formats, units in the last place, rounding
- `inputs`: on which x, `beside`: and on which targets and cotangents
- `climbing`: to worse operands near the worst
- `compare`: results against the reference; `pairs`: all pairs of 16-bit operands
- `subjects`: what is measured; `parts`: cut into blocks; `measure`: blocks to rows of figures
- `report`: rows to a table and to JSON
"""
