"""`python -m bench accuracy`: the errors of a peer, measured as `gpu-sigmoid verify` measures ours."""

from typing import Any

import click

from gpu_sigmoid.cli.verify import options, run

PEERS = ("numpy", "scipy", "torch", "jax")
DTYPES = ("float32", "float64")


@click.command()
@click.option("--peer", required=True, type=click.Choice(PEERS))
@options
def accuracy(peer: str, **selection: Any) -> None:
    """Measure a peer's largest errors against the definitions in higher precision.

    Operands are those of `gpu-sigmoid verify`; by default in float32 and float64.
    """
    try:
        from bench.errors import subject

        measured = subject(peer)
    except ImportError as error:
        raise click.ClickException(f'{error}: pip install -e ".[verify,bench]"') from None
    run(**{**selection, "dtypes": selection["dtypes"] or DTYPES}, subject=measured)
