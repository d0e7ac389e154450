"""Operands of several shapes: broadcast against each other, into new arrays and into `out`."""

from typing import Any

import numpy as np
import pytest
from helpers.backends import Backend
from helpers.calls import checked, checked_into, laid, sample
from helpers.combinations import with_a_dtype
from helpers.floats import DTYPES
from helpers.methods import methods_of_several_operands

METHODS = methods_of_several_operands()

SHAPES = {
    "row and column": ((3, 1), (4,)),
    "column and row": ((4,), (3, 1)),
    "one and matrix": ((1,), (3, 4)),
    "matrix and 0-d": ((3, 4), ()),
    "0-d and matrix": ((), (3, 4)),
    "matrix and row": ((3, 4), (4,)),
    "cube and inner ones": ((2, 3, 4), (2, 1, 4)),
    "outer ones": ((1, 1, 4), (2, 3, 1)),
    "0-d and 0-d": ((), ()),
    "empty": ((3, 1), (0,)),
}


def operands(method: Any, dtype: str, shapes: tuple) -> list[np.ndarray]:
    """Return operands of these shapes in turn."""
    arrays = sample(method, DTYPES[dtype], 24)
    turns = (shapes[i % 2] for i in range(len(arrays)))
    return [a[: int(np.prod(shape))].reshape(shape) for a, shape in zip(arrays, turns, strict=True)]


@with_a_dtype(method=METHODS, shapes=SHAPES)
def test_shapes(method: Any, dtype: str, shapes: str, backend: Backend) -> None:
    hosts = operands(method, dtype, SHAPES[shapes])
    checked(backend, method, *hosts)
    shape = np.broadcast_shapes(*(h.shape for h in hosts))
    # the first call prepares, and takes another way than the second
    for _ in range(2):
        outs = [backend.lay(np.full(shape, 7, DTYPES[dtype]))[0] for _ in method.mode.partials]
        checked_into(backend, method, tuple(hosts), tuple(outs))


# a view is broadcast as the array is
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", METHODS, ids=str)
def test_views_are_broadcast(method: Any, dtype: str, backend: Backend) -> None:
    x, *more = sample(method, DTYPES[dtype], 60)
    column = more[0][::-5].reshape(12, 1)[::2]
    checked(backend, method, x.reshape(10, 6).T, column, *(m[:10] for m in more[1:]))


@pytest.mark.parametrize("shapes", [((3,), (4,)), ((2, 3), (2,)), ((3, 4), (3, 1, 5)), ((0,), (2,))], ids=str)
@pytest.mark.parametrize("method", METHODS, ids=str)
def test_shapes_that_do_not_fit_are_refused(method: Any, shapes: tuple, backend: Backend) -> None:
    arrays = [laid(backend, np.full(shapes[i % 2], 0.25)) for i in range(len(method.operands))]
    for _ in range(2):
        with pytest.raises(
            ValueError, match=rf"^{method.label}: operands of shapes .* do not broadcast"
        ) as caught:
            method(*arrays)
        assert all(str(shape) in str(caught.value) for shape in shapes)
        method(*(laid(backend, np.full(3, 0.25)) for _ in arrays))
