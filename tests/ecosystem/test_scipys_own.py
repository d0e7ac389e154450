"""SciPy's own tests of expit, logit and log_expit, run on our functions.

They come with SciPy. One asks for more than we offer: `TestExpit.test_large` goes over
longdouble too, which is refused; it is run on the dtypes that are accepted.
"""

from typing import Any

import numpy as np
import pytest
from helpers.required import library

import gpu_sigmoid as gs

library("scipy")
theirs = pytest.importorskip("scipy.special.tests.test_logit", reason="SciPy is installed without its tests")

OURS = {"expit": gs.sigmoid, "logit": gs.logit, "log_expit": gs.log_sigmoid}
TESTS = [
    pytest.param(group, name, id=f"{group.__name__}.{name}")
    for group in vars(theirs).values()
    if isinstance(group, type)
    for name in vars(group)
    if name.startswith("test_")
]


@pytest.mark.parametrize(("group", "name"), TESTS)
def test_theirs(group: type, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for replaced, function in OURS.items():
        monkeypatch.setattr(theirs, replaced, function)
    if name == "test_large":
        with pytest.raises(TypeError, match="accepted are float16"):
            gs.sigmoid(np.longdouble(88))
        monkeypatch.setattr(np, "longdouble", np.float64)
    test: Any = getattr(group(), name)
    test()


def test_they_are_found() -> None:
    assert len(TESTS) >= 9
    assert {test.values[0].__name__ for test in TESTS} >= {"TestExpit", "TestLogit", "TestLogExpit"}
