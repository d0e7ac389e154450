"""The functions inside your own Triton kernels.

Every function of `gpu_sigmoid.FUNCTIONS` is here under its name (`expit` and `log_expit` too), with its
`grad`, `grad2`, `value_and_grad` and `vjp`. Call it in a function under `triton.jit`: it is compiled into
the caller, as PTX that compiler options do not affect, and gives the array kernels' bits::

    import gpu_sigmoid as gs
    import triton
    import triton.language as tl

    @triton.jit
    def gated(x, bias, y, out, size, BLOCK: tl.constexpr):
        i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        held = i < size
        a = tl.load(x + i, held) + tl.load(bias + i, held)
        tl.store(out + i, gs.triton.silu(a) * tl.load(y + i, held), held)

Operands are blocks or scalars of the same dtype: float16, bfloat16, float32 or float64. The results have
that dtype too, and shapes broadcast. A Python number among the operands, such as a target of 1.0, takes
their dtype. A parameter is passed by keyword, `gs.triton.softplus(x, beta=b)`. Several results are one flat
tuple: `value, by_a, by_b = gs.triton.swiglu.value_and_grad(a, b)`. Other dtypes, or different ones, are an
error that names the function when the caller is compiled. Triton's interpreter does not support inline PTX
and therefore not these functions.

`torch.compile` copies the source of a kernel that `torch.library.wrap_triton` calls, together with the
functions that are global names in it. Bind the functions to global names, and call them by those::

    silu = gs.triton.silu
    silu_grad = gs.triton.silu.grad
"""

import linecache
from typing import Any

from gpu_sigmoid.dtypes import FLOATS
from gpu_sigmoid.functions import NAMED
from gpu_sigmoid.lowering import lower_for, ptx_block
from gpu_sigmoid.methods import Method
from gpu_sigmoid.modes import PUBLIC

__all__ = [*NAMED]

NAMES = {"float16": "fp16", "bfloat16": "bf16", "float32": "fp32", "float64": "fp64"}
"""Triton's names of the dtypes."""

NOTES = """{summary}

On blocks and scalars of one dtype, inside functions that Triton compiles.
"""
HEAD = """\
def {name}({parameters}):
"""
WITH_PARAMETER = """\
    if {parameter} is not None:
        return {called}({operands})
"""
LIKE = """\
    tl.static_assert({found}, "{label}: {wanted} must be a block or a scalar in the kernel")
    like = {like}
"""
OF_A_NUMBER = """\
    if not isinstance({operand}, tl.tensor):
        {operand} = tl.full((), {operand}, like.dtype)
    tl.static_assert({operand}.dtype == like.dtype, "{label}: operands must have the same dtype")
"""
BRANCH = """\
    {keyword} like.dtype == tl.{dtype}:
        results = tl.inline_asm_elementwise(
            '''{block}''',
            "{constraints}", [{arguments}], {dtypes}, is_pure=True, pack=1,
        )
        return {results}
"""
TAIL = """\
    else:
        tl.static_assert(False, "{label}: accepted are {floats}")
"""


def source_of(method: Method) -> str:
    """Return the source of a Triton function, with its PTX; Triton caches functions by their source."""
    # a number may be the first operand, and takes the dtype of another
    *candidates, last = [(operand, f"isinstance({operand}, tl.tensor)") for operand in method.operands]
    like = "".join(f"{operand} if {found} else " for operand, found in candidates) + last[0]
    # Triton does not take several `or` in a row
    found = "".join(f"True if {found} else " for _, found in candidates) + last[1]
    wanted = "at least one operand" if candidates else "the operand"
    lines = [HEAD.format(name=name_of(method), parameters=", ".join(parameters(method)))]
    if method.parametrised is not None:
        _, operands = method.with_parameter(method.operands, method.parameter)
        called = name_of(method.parametrised)
        given = ", ".join(operands)
        lines.append(WITH_PARAMETER.format(parameter=method.parameter, called=called, operands=given))
    lines.append(LIKE.format(found=found, like=like, label=method.label, wanted=wanted))
    if candidates:
        lines += [OF_A_NUMBER.format(operand=operand, label=method.label) for operand in method.operands]
    for i, dtype in enumerate(NAMES):
        lines.append(BRANCH.format(keyword="elif" if i else "if", **branch_of(method, dtype)))
    return "".join([*lines, TAIL.format(label=method.label, floats=FLOATS)])


def name_of(method: Method) -> str:
    return method.name.replace(".", "_")


def parameters(method: Method) -> list[str]:
    """Return the parameters of a function on scalars or blocks."""
    return [*method.operands, *([f"{method.parameter}=None"] if method.parameter else [])]


def branch_of(method: Method, dtype: str) -> dict[str, str]:
    """Return the parts of the branch for a dtype."""
    program = lower_for(method.formula, method.mode, dtype)
    count, format_name = len(program.outputs), program.format.name
    slots = [f"${i}" for i in range(count + len(program.inputs))]
    letter = program.format.constraint
    converted = "" if format_name == dtype else f".to(tl.{format_name})"
    returned = "" if format_name == dtype else f".to(tl.{dtype})"
    results = [f"results[{i}]" for i in range(count)] if count > 1 else ["results"]
    return {
        "dtype": dtype,
        "block": ptx_block(program, slots[:count], slots[count:]),
        "constraints": ",".join([f"={letter}"] * count + [letter] * len(program.inputs)),
        "arguments": ", ".join(f"{operand}{converted}" for operand in method.operands),
        "dtypes": f"({f'tl.{format_name}, ' * count})" if count > 1 else f"tl.{format_name}",
        "results": ", ".join(result + returned for result in results),
    }


def compiled(method: Method) -> Any:
    """Return the Triton function of a method."""
    import triton
    import triton.language

    source = source_of(method)
    # Triton reads the source of the functions that it compiles
    filename = f"<gpu_sigmoid.triton.{method.name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    scope = {"tl": triton.language, "__name__": __name__}
    if method.parametrised is not None:
        scope[name_of(method.parametrised)] = compiled(method.parametrised)
    exec(compile(source, filename, "exec"), scope)
    function = scope[name_of(method)]
    function.__doc__ = NOTES.format(summary=(method.__doc__ or "").partition("\n")[0])
    return triton.jit(function)


_functions: dict[str, Any] = {}


def __getattr__(name: str) -> Any:
    function = NAMED.get(name)
    if function is None:
        raise AttributeError(f"gpu_sigmoid.triton has no function {name!r}: {', '.join(NAMED)}")
    if function.name not in _functions:
        found = compiled(function)
        for mode in PUBLIC[1:]:
            setattr(found, mode, compiled(function.methods[mode]))
        _functions[function.name] = found
    return _functions[function.name]


def __dir__() -> list[str]:
    return sorted([*globals(), *NAMED])
