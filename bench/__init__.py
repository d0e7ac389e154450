"""The benchmark: the family beside its peers. Run from a clone of the repository, it is not installed.

    python -m bench                             # throughput
    python -m bench device                      # a GPU's kernels, and what a launch costs
    python -m bench accuracy --peer torch       # a peer's errors
    python -m bench torch                       # a call of a torch tensor beside torch's own
    python -m bench jax                         # a call on a JAX array beside JAX's own

- `cases`: what is timed, and on which operands
- `ours`: the family's calls, and the copy that rates are compared with
- `peers`: the libraries compared, a module each
- `clock`: how calls are timed, so that ratios hold on a noisy machine
- `measure`: cases to rows of figures
- `contenders`, `gpu`: the GPU's kernels one by one, compared with the CPU and timed
- `calls`, `torch_calls`, `jax_calls`: calls through torch and JAX, small and large
- `conditions`, `report`, `charts`: rows to JSON, with what they depend on, Markdown and figures
- `command`, with the subcommands `accuracy`, `charts`, `device`, `jax` and `torch`: the command line
- `results`: what the README shows, and what it was measured on
"""
