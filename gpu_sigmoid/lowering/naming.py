"""Names for the values of a program, the same on every target."""

from gpu_sigmoid.lowering.language import Value
from gpu_sigmoid.lowering.program import Program


def names(program: Program) -> dict[Value, str]:
    """Return what each input, constant and operation is called."""
    return (
        {value: value.name for value in program.inputs}
        | {value: f"c{i}" for i, value in enumerate(program.constants)}
        | {value: f"v{i}" for i, value in enumerate(program.operations)}
    )
