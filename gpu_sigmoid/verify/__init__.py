"""Measuring errors against the definitions: what `gpu-sigmoid verify` runs.

- `definitions`: the textbook definitions, built from `terms` in mpmath; `exact`: exact results by them
- `reference`: the same in float64, fast, for results of at most 32 bits
- `units`: floating-point formats, units in the last place, rounding
- `inputs`: the x that are measured; `beside`: the targets, parameters and cotangents
- `climbing`: a search for worse operands near the worst
- `compare`: results against the reference; `pairs`: all pairs of 16-bit operands
- `subjects`: the libraries measured; `parts`: the work cut into blocks; `measure`: from blocks to rows of
  figures, by `processes`
- `report`: from rows to a table and to JSON
"""
