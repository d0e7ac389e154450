"""The command `gpu-sigmoid`, a module per subcommand."""

import click

import gpu_sigmoid
from gpu_sigmoid.cli.apply import apply
from gpu_sigmoid.cli.bench import bench
from gpu_sigmoid.cli.check_device import check_device
from gpu_sigmoid.cli.demo import demo
from gpu_sigmoid.cli.group import HELP, Commands
from gpu_sigmoid.cli.plot import plot
from gpu_sigmoid.cli.source import source
from gpu_sigmoid.cli.verify import verify


@click.group(cls=Commands, context_settings=HELP)
@click.version_option(gpu_sigmoid.__version__)
def main() -> None:
    """The sigmoid, its derivative and its relatives, on files and in figures."""


@main.command()
def info() -> None:
    """Print versions and devices, and why any are missing."""
    gpu_sigmoid.show_config()


for command in (apply, bench, check_device, demo, plot, source, verify):
    main.add_command(command)
