"""The bounds, and the worst errors that stand beside them."""

from pathlib import Path

import numpy as np
import pytest
from helpers.methods import as_tuple
from helpers.processes import printed

from gpu_sigmoid.bounds import BOUNDS
from gpu_sigmoid.dtypes import DTYPES
from gpu_sigmoid.modes import MEASURED
from gpu_sigmoid.registry import FUNCTIONS
from gpu_sigmoid.verify.exact import exact
from gpu_sigmoid.verify.units import UNITS

TOOL = Path(__file__).parents[2] / "tools" / "write_bounds.py"
ROWS = [(name, c, d) for name in FUNCTIONS for c in MEASURED for d in DTYPES]


@pytest.mark.parametrize(("name", "part", "dtype"), ROWS)
def test_the_worst_error_found_is_what_it_is_said_to_be(name: str, part: str, dtype: str) -> None:
    bound, unit = BOUNDS[name][part, dtype], UNITS[dtype]
    operands = [np.asarray(o).astype(unit.dtype) for o in bound.operands]
    got = as_tuple(FUNCTIONS[name].methods[part](*operands))
    errors = [unit.error(float(y), *exact(name, part, *operands, result=k)) for k, y in enumerate(got)]
    assert max(errors) == pytest.approx(bound.worst, abs=1e-4)
    assert bound.worst <= bound.ulp


def test_they_are_those_of_the_committed_results() -> None:
    printed(TOOL, "--check")
