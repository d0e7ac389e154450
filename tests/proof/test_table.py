"""That whatever is to be said of every function is said of each."""

import gpu_sigmoid as gs
from gpu_sigmoid.bounds import BOUNDS
from gpu_sigmoid.dtypes import DTYPES
from gpu_sigmoid.modes import MEASURED, PARAMETERS
from gpu_sigmoid.registry import FUNCTIONS
from gpu_sigmoid.verify.definitions import DEFINITIONS
from gpu_sigmoid.verify.reference import REFERENCES


def named(names: set) -> str:
    return ", ".join(sorted(map(str, names)))


def test_functions_are_public() -> None:
    assert not named(gs.FUNCTIONS.keys() - gs.__all__), "to be named in gpu_sigmoid/__init__.py"


def test_functions_are_defined() -> None:
    assert not named(FUNCTIONS.keys() ^ DEFINITIONS.keys()), "to be defined in verify/definitions.py"


def test_functions_have_references() -> None:
    wanted = {(name, mode) for name in FUNCTIONS for mode in MEASURED}
    assert not named(wanted ^ REFERENCES.keys()), "to be given a float64 form in verify/reference/"


def test_functions_have_bounds() -> None:
    wanted = {(mode, dtype) for mode in MEASURED for dtype in DTYPES}
    for name in FUNCTIONS:
        assert not named(wanted ^ BOUNDS[name].keys()), f"{name}: lines to be added in bounds.py"


def test_parameters_are_known_to_the_compiled_loops() -> None:
    wanted = {f.parameter for f in gs.FUNCTIONS.values() if f.parametrised}
    assert not named(wanted - set(PARAMETERS)), "to be named in modes.PARAMETERS"


def test_scipys_names_are_the_same_functions() -> None:
    assert gs.expit is gs.sigmoid and gs.log_expit is gs.log_sigmoid
    assert gs.sigmoid_prime is gs.sigmoid.grad
    assert gs.device.expit is gs.device.sigmoid and gs.device.log_expit is gs.device.log_sigmoid
    assert {"expit", "log_expit"} < {*dir(gs.device)} & {*gs.device.__all__} & {*gs.triton.__all__}
