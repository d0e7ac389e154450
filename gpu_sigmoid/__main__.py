"""`python -m gpu_sigmoid`: the command `gpu-sigmoid`."""

from gpu_sigmoid.cli import main

main(prog_name="gpu-sigmoid")
