"""Combinations of a test's parameters, each with one dtype, where all dtypes would take too long."""

from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest

from helpers.floats import DTYPES


def with_a_dtype(**axes: Iterable[Any]) -> pytest.MarkDecorator:
    """Parametrise by all combinations of the axes, each with the next `dtype` in turn.

    With three axes, each pair of values meets every dtype if the third axis has as many values as there are
    dtypes.
    """
    combinations, dtypes = [], list(DTYPES)
    for places in product(*(enumerate(axis) for axis in axes.values())):
        dtype = dtypes[sum(place for place, _ in places) % len(dtypes)]
        values = [value for _, value in places]
        label = "-".join([*(getattr(v, "name", None) or str(v) for v in values), dtype])
        combinations.append(pytest.param(*values, dtype, id=label))
    return pytest.mark.parametrize([*axes, "dtype"], combinations)
