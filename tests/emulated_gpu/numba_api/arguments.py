"""The C types of the driver's functions, and results through pointers."""

import ctypes
from collections.abc import Callable
from typing import Any

POINTER, ADDRESS = ctypes.c_void_p, ctypes.c_uint64
INT, UINT, SIZE = ctypes.c_int, ctypes.c_uint, ctypes.c_size_t
TEXT = ctypes.c_char_p

Function = tuple[tuple[Any, ...], Callable[..., int | None]]
"""The types of the arguments, and what is called with them: it may return a status."""


def put(pointer: int | None, value: Any, kind: Any = ADDRESS) -> None:
    """Store a result where the caller wants one."""
    if pointer:
        ctypes.cast(pointer, ctypes.POINTER(kind))[0] = value


def gives(*types: Any, kind: Any = ADDRESS) -> Callable[[Callable[..., Any]], Function]:
    """Make a driver function, which stores its result by its first argument, of one that returns it."""

    def wrap(function: Callable[..., Any]) -> Function:
        return (POINTER, *types), lambda pointer, *arguments: put(pointer, function(*arguments), kind)

    return wrap


def does(*types: Any) -> Callable[[Callable[..., Any]], Function]:
    """Make a driver function, which gives a status alone, of one whose result does not matter."""

    def wrap(function: Callable[..., Any]) -> Function:
        def call(*arguments: Any) -> None:
            function(*arguments)

        return types, call

    return wrap
