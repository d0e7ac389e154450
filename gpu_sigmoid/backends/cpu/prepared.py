"""A method's ufunc on NumPy arrays of its dtype, without conversions and with few checks.

A method makes such a call before anything else, since a microsecond matters for one element.
"""

from typing import Any

import numpy as np
from numpy import broadcast, ndarray

from gpu_sigmoid.backends.cpu import spinning
from gpu_sigmoid.backends.cpu.addresses import WORK
from gpu_sigmoid.backends.cpu.bits import bits_of
from gpu_sigmoid.backends.cpu.jobs import contiguous_job, job_on, loops_of
from gpu_sigmoid.backends.cpu.threads import SMALL_BYTES, allocated, placed, run, shared_file, threads_for
from gpu_sigmoid.backends.outputs import broadcast_shape, checked_out
from gpu_sigmoid.backends.prepared import Call
from gpu_sigmoid.signals import raised_in_c

LARGE = 1_000_000
"""Bytes of an array. The time that `on_any_layout` takes does not matter for a larger one."""

LEAST, LARGEST = 1e-4, 6e4
"""A number between these neither overflows nor becomes subnormal when cast to any dtype."""


def on_arrays(method: Any, dtype: np.dtype, ufunc: Any) -> Call:
    """Return the call of a method whose first operand is a NumPy array of a dtype."""
    single = ufunc.nout == 1

    def quick_call(operands: tuple, out: Any) -> Any:
        # one operand of a few elements, which `call` would compute too, but after more checks
        first = operands[0]
        if first.nbytes <= SMALL_BYTES:
            if out is None:
                return ufunc(first)
            if type(out) is ndarray and single and out.dtype is dtype and out.shape == first.shape:
                try:
                    return ufunc(first, out)
                except ValueError as error:
                    refuse(error, method, dtype, operands, out)
                    raise
        return call(operands, out)

    def call(operands: tuple, out: Any) -> Any:
        first = operands[0]
        small = first.nbytes <= SMALL_BYTES
        if not all_in_one_run(operands, dtype, small):
            return on_any_layout(ufunc, dtype, operands, out)
        if not small and (threads := threads_for(ufunc, first.size)) > 1:
            result = on_contiguous(ufunc, dtype, operands, out, threads)
            return on_any_layout(ufunc, dtype, operands, out) if result is NotImplemented else result
        try:
            if out is None:
                return ufunc(*operands)
            # outputs by position: NumPy takes longer for a keyword
            if type(out) is tuple:
                if len(out) == ufunc.nout and all_take(out, operands, dtype):
                    return ufunc(*operands, *out)
            elif type(out) is ndarray and single and out.dtype is dtype and takes_in_one_run(out, operands):
                return ufunc(*operands, out)
        except ValueError as error:
            refuse(error, method, dtype, operands, out)
            raise
        return on_any_layout(ufunc, dtype, operands, out)

    return quick_call if ufunc.nin == 1 else call


def on_numbers(ufunc: Any) -> Call:
    """Return the call of a method of one operand, a Python number."""
    return lambda operands, out: ufunc(operands[0]) if out is None else NotImplemented


def refuse(error: ValueError, method: Any, dtype: np.dtype, operands: tuple, out: Any) -> None:
    """Raise an error that names the function, if the one caught is a ufunc's about shapes or outputs."""
    if raised_in_c(error):
        try:
            broadcast_shape(method, operands)
            checked_out(method, dtype, operands, out, ndarray, placed)
        except ValueError as better:
            raise better from None


def is_number(operand: Any, dtype: np.dtype) -> bool:
    """Return whether this is a number of a dtype, or one that NumPy casts to it without a warning."""
    kind = type(operand)
    if kind is float or kind is int:
        return dtype.kind == "f" and (LEAST < operand < LARGEST or LEAST < -operand < LARGEST or operand == 0)
    return kind is dtype.type and dtype.kind == "f"


def in_one_run(array: ndarray) -> bool:
    """Return whether NumPy's iterator handles a larger array without copies."""
    return array.nbytes < LARGE and (array.ndim < 2 or array.flags.c_contiguous)


def all_in_one_run(operands: tuple, dtype: np.dtype, small: bool) -> bool:
    """Return whether these are numbers and arrays of `dtype`, all small or all contiguous in the same way.

    The first one is an array, and is `small` or not.
    """
    for operand in operands:
        if type(operand) is not ndarray:
            if not is_number(operand, dtype):
                return False
        elif operand.dtype is not dtype:
            return False
        elif small and operand.nbytes <= SMALL_BYTES:
            continue
        elif operand.shape != operands[0].shape or not in_one_run(operand):
            return False
    return True


def takes_in_one_run(out: ndarray, operands: tuple) -> bool:
    """Return whether NumPy's iterator writes the result of operands to an array without a copy."""
    return (out.nbytes <= SMALL_BYTES or in_one_run(out)) and takes(out, operands)


def takes(out: ndarray, operands: tuple) -> bool:
    """Return whether an array has the shape that the operands broadcast to.

    A ufunc would repeat its result over a larger array, but it refuses a smaller one. So it is enough that
    one operand has the array's shape.
    """
    shape = out.shape
    for operand in operands:
        if type(operand) is ndarray and operand.shape == shape:
            return True
    return common_shape(operands) == shape


def common_shape(operands: tuple) -> tuple[int, ...] | None:
    """Return the shape that operands broadcast to, None if they do not."""
    try:
        return broadcast(*operands).shape
    except ValueError as error:
        if not raised_in_c(error):
            raise
        return None


def all_take(outs: tuple, operands: tuple, dtype: np.dtype) -> bool:
    """Return whether these are different arrays, not views, that can each take a contiguous result."""
    shape = operands[0].shape
    for k, out in enumerate(outs):
        # arrays that own their memory share it with no others
        if type(out) is not ndarray or out.dtype is not dtype or out.base is not None:
            return False
        for other in outs[:k]:
            if out is other:
                return False
        if out.shape != shape and not takes(out, operands):
            return False
        # for a result in an operand's place NumPy would make a copy
        if out.nbytes > SMALL_BYTES and (
            not in_one_run(out) or any([out is operand for operand in operands])
        ):
            return False
    return True


def on_contiguous(ufunc: Any, dtype: np.dtype, operands: tuple, out: Any, threads: int) -> Any:
    """Compute on arrays of one shape if all are contiguous; return NotImplemented if more is to be checked.

    A call of 25 us is not worth the time that `on_any_layout` takes.
    """
    first = operands[0]
    for operand in operands:
        if type(operand) is not ndarray or not operand.flags.c_contiguous:
            return NotImplemented
    if out is None:
        results = tuple([np.empty_like(first) for _ in range(ufunc.nout)])
    else:
        results = out if type(out) is tuple else (out,)
        if len(results) != ufunc.nout:
            return NotImplemented
        for result in results:
            if (
                type(result) is not ndarray
                or result.dtype is not dtype
                or result.shape != first.shape
                or not result.flags.carray
                or result.base is not None
            ):
                return NotImplemented
    kernel = bits_of(ufunc)
    job = contiguous_job(kernel, [*operands, *results])
    if job is None:
        return NotImplemented
    size = first.size
    spinning.share(loops_of(dtype.itemsize)[1], job, size, threads, size * WORK[kernel])
    return results if len(results) > 1 else results[0]


def on_any_layout(ufunc: Any, dtype: np.dtype, operands: tuple, out: Any) -> Any:
    """Compute on arrays of any layout; return NotImplemented if more has to be checked."""
    shape = operands[0].shape
    for operand in operands:
        if type(operand) is ndarray:
            if operand.dtype is not dtype:
                return NotImplemented
            if operand.shape != shape:
                shape = None
        elif not is_number(operand, dtype):
            return NotImplemented
    if shape is None:
        shape = common_shape(operands)
        if shape is None:
            return NotImplemented
    outs = out if type(out) is tuple else (None,) * ufunc.nout if out is None else (out,)
    if len(outs) != ufunc.nout:
        return NotImplemented
    for result in outs:
        if result is not None and (
            type(result) is not ndarray
            or result.dtype is not dtype
            or result.shape != shape
            or not result.flags.writeable
        ):
            return NotImplemented
    results = allocated(operands, outs, dtype) if any([o is None for o in outs]) else outs
    arrays = [o if type(o) is ndarray else np.asarray(o, dtype) for o in operands]
    if any([result.base is not None for result in results]) and shared_file(arrays, results):
        return NotImplemented
    plan, job = job_on(bits_of(ufunc), [*arrays, *results])
    if job is None:
        return NotImplemented
    run(plan, job, bits_of(ufunc))
    return results if len(results) > 1 else results[0]
