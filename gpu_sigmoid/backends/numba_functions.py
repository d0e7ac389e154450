"""The functions of `gpu_sigmoid.device` as Numba's compilers see them.

On the CPU the caller calls a function that is compiled separately, so that the caller's `fastmath`
does not apply to it. On the GPU the operations are emitted into the caller, as PTX.
"""

import inspect
import sys
from functools import cache
from typing import Any

from numba import types
from numba.core.errors import TypingError
from numba.core.registry import cpu_target
from numba.core.typing import Signature, signature
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate
from numba.extending import (
    NativeValue,
    box,
    infer_getattr,
    lower_builtin,
    lower_getattr_generic,
    models,
    register_model,
    unbox,
)

from gpu_sigmoid.backends.cpu.compile import scalar_function
from gpu_sigmoid.backends.cpu.native import jitted
from gpu_sigmoid.lowering import Program, lower_for, nvvm

SCALARS = {"float16": types.float16, "float32": types.float32, "float64": types.float64}
"""The scalar types by dtype, smallest first. On the CPU Numba has no float16."""


class DeviceFunctionType(types.Function):
    """The type of a function or method, a value that is known when a call is compiled."""

    def __init__(self, device_function: Any, template: type) -> None:
        self.device_function = device_function
        super().__init__(template)


register_model(DeviceFunctionType)(models.OpaqueModel)


@unbox(DeviceFunctionType)
def as_argument(typ: DeviceFunctionType, value: Any, c: Any) -> NativeValue:
    """A function passed to compiled code, alone or in a tuple, is entirely described by its type."""
    return NativeValue(c.context.get_dummy_value())


@box(DeviceFunctionType)
def as_result(typ: DeviceFunctionType, value: Any, c: Any) -> Any:
    return c.pyapi.unserialize(c.pyapi.serialize_object(typ.device_function))


@infer_getattr
class Methods(AttributeTemplate):
    """`sigmoid.grad` and the like inside compiled code."""

    key = DeviceFunctionType

    def generic_resolve(self, value: DeviceFunctionType, attr: str) -> DeviceFunctionType | None:
        method = getattr(value.device_function, attr, None)
        return type_of(method) if isinstance(method, type(value.device_function)) else None


@lower_getattr_generic(DeviceFunctionType)
def get_method(context: Any, builder: Any, value_type: Any, value: Any, attr: str) -> Any:
    return context.get_dummy_value()


@cache
def type_of(device_function: Any) -> DeviceFunctionType:
    """Return the Numba type of a function or method, and register it with Numba."""

    class Call(AbstractTemplate):
        key = device_function

        def generic(self, args: tuple, kws: dict) -> Signature:
            return typed(device_function, args, kws)

    @lower_builtin(device_function, types.VarArg(types.Any))
    def emit(context: Any, builder: Any, call: Signature, values: tuple) -> Any:
        method = device_function.method
        if len(values) > len(device_function.operands):
            # the argument passed by keyword comes last
            *positional, parameter = values
            given = None if call.args[-1] == types.none else parameter
            method, values = method.with_parameter(tuple(positional), given)
        program = program_of(method, call.args[0].name)
        if context.target_name != "cuda":
            return call_compiled(program, context, builder, call, values)
        given, computed = call.args[0], SCALARS[program.format.name]
        operands = [context.cast(builder, value, given, computed) for value in values]
        results = [
            context.cast(builder, result, computed, given) for result in nvvm.emit(program, builder, operands)
        ]
        return context.make_tuple(builder, call.return_type, results) if len(results) > 1 else results[0]

    refresh()
    return DeviceFunctionType(device_function, Call)


def typed(device_function: Any, args: tuple, kws: dict) -> Signature:
    """Return the signature of a call: the largest floating-point type; integers count as float64."""
    operands, method = device_function.operands, device_function.method
    if len(args) != len(operands):
        raise TypingError(device_function.refusal(len(args)))
    if kws.keys() - {method.parameter}:
        raise TypingError(device_function.unknown(kws))
    # a parameter that is None when the caller is compiled is no parameter
    parameters = [a for a in kws.values() if not is_none(a)]
    # Numba casts what may be None when it is called, and raises a TypeError of None
    args = tuple(a.type if isinstance(a, types.Optional) else a for a in (*args, *parameters))
    for arg in args:
        if not isinstance(arg, types.Integer | types.Boolean) and arg not in SCALARS.values():
            raise TypingError(
                f"{device_function!r} takes float16, float32 and float64 numbers, and bool and integers as "
                f"float64, not {arg}: convert it"
            )
    floats = list(SCALARS.values())
    scalar = floats[max(floats.index(arg) if arg in floats else len(floats) - 1 for arg in args)]
    count = len(method.mode.partials)
    given = [scalar] * len(args) + [types.none] * (len(kws) - len(parameters))
    found = signature(scalar if count == 1 else types.UniTuple(scalar, count), *given)
    # Numba orders types by it
    names = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in (*operands, *kws)]
    return found.replace(pysig=inspect.Signature(names))


def is_none(typ: Any) -> bool:
    """Return whether a type is that of None, also as the default of a function's argument."""
    return typ == types.none or (isinstance(typ, types.Omitted) and typ.value is None)


@cache
def program_of(method: Any, dtype: str) -> Program:
    return lower_for(method.formula, method.mode, dtype)


def call_compiled(program: Program, context: Any, builder: Any, call: Signature, values: tuple) -> Any:
    callee = types.Dispatcher(compiled(program))
    resolved = callee.get_call_type(context.typing_context, call.args[: len(values)], {})
    return context.get_function(callee, resolved)(builder, values)


@cache
def compiled(program: Program) -> Any:
    """Return the program as a function for the CPU, compiled when it is first called."""
    return jitted(scalar_function(program, program.format.name), fastmath=False, forceinline=True)


def refresh() -> None:
    """Make Numba's compilers refresh their tables, even one that is just compiling a function."""
    cuda = sys.modules.get("numba.cuda.descriptor")
    for target in (cpu_target, *([cuda.cuda_target] if cuda else [])):
        target.typing_context.refresh()
        target.target_context.refresh()


refresh()
