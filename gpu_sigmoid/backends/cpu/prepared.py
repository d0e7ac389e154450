"""Calls of a compiled ufunc on NumPy arrays of its dtype, without conversions and with few checks."""

from typing import Any

import numpy as np
from numpy import broadcast, ndarray

from gpu_sigmoid.backends.cpu import spinning
from gpu_sigmoid.backends.cpu.addresses import WORK
from gpu_sigmoid.backends.cpu.bits import bits_of
from gpu_sigmoid.backends.cpu.jobs import contiguous_job, job_on, loops_of
from gpu_sigmoid.backends.cpu.threads import SMALL, allocated, run, shared_file

LARGE = 1_000_000
"""Bytes of an array. The time that `on_arrays` takes does not matter for a larger one."""

LEAST, LARGEST = 1e-4, 6e4
"""A number between these neither overflows nor becomes subnormal when cast to any dtype."""


def is_number(operand: Any, dtype: np.dtype) -> bool:
    """Return whether this is a number of a dtype, or one that NumPy casts to it without a warning."""
    kind = type(operand)
    if kind is float or kind is int:
        return dtype.kind == "f" and (LEAST < operand < LARGEST or LEAST < -operand < LARGEST or operand == 0)
    return kind is dtype.type and dtype.kind == "f"


def in_one_run(array: ndarray) -> bool:
    """Return whether NumPy's iterator handles a larger array without copies."""
    return array.nbytes < LARGE and (array.ndim < 2 or array.flags.c_contiguous)


def all_in_one_run(operands: Any, dtype: np.dtype) -> bool:
    """Return whether these are numbers and arrays of `dtype`, all small or all contiguous in the same way."""
    if type(operands) is not tuple:
        return False
    first = operands[0]
    small = first.nbytes <= SMALL
    for operand in operands:
        if type(operand) is ndarray:
            if operand.dtype is not dtype:
                return False
            if not (small and operand.nbytes <= SMALL) and not (
                operand.shape == first.shape and in_one_run(operand)
            ):
                return False
        elif not is_number(operand, dtype):
            return False
    return True


def takes(out: ndarray, operands: tuple) -> bool:
    """Return whether an array has the shape that the operands broadcast to.

    A ufunc would repeat its result over a larger array, but it refuses a smaller one. So it is enough that
    one operand has the array's shape.
    """
    shape = out.shape
    for operand in operands:
        if type(operand) is ndarray and operand.shape == shape:
            return True
    try:
        return broadcast(*operands).shape == shape
    except ValueError:
        return False


def all_take(outs: tuple, operands: tuple, dtype: np.dtype) -> bool:
    """Return whether these are different arrays, not views, that can each take a contiguous result."""
    shape = operands[0].shape
    before: tuple = ()
    for out in outs:
        if type(out) is not ndarray or out.dtype is not dtype:
            return False
        # arrays that own their memory do not share it
        if out.base is not None or any([out is other for other in before]):
            return False
        if out.shape != shape and not takes(out, operands):
            return False
        # for a result in an operand's place NumPy would make a copy
        if out.nbytes > SMALL and (not in_one_run(out) or any([out is operand for operand in operands])):
            return False
        before += (out,)
    return True


def on_contiguous(ufunc: Any, dtype: np.dtype, operands: tuple, out: Any, threads: int) -> Any:
    """Compute on arrays of one shape if all are contiguous; return NotImplemented if more is to be checked.

    A call of 25 us is not worth the time that `on_arrays` takes.
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


def on_arrays(ufunc: Any, dtype: np.dtype, operands: tuple, out: Any) -> Any:
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
        try:
            shape = broadcast(*operands).shape
        except ValueError:
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
