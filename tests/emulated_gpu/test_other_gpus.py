"""The library's kernels on GPUs of other kinds, and on memory that ends where an array does."""

import os
import sys
from typing import Any

import pytest
from helpers.processes import printed

SCRIPT = """
import cupy, numpy as np
import gpu_sigmoid as gs
from gpu_sigmoid.backends.cupy import lut
from helpers.floats import DTYPES

cupy.cuda.set_allocator(None)  # else arrays lie within larger blocks
lut.SERVED_FROM = 64
compared = 0
for name, dtype in DTYPES.items():
    for size in (1, 2, 7, 8, 9, 31, 100, 1025):
        host = np.resize(np.linspace(-9, 9, 41), size + 3).astype(dtype)
        for start in (0, 1, 3):
            for function in (gs.sigmoid, gs.bce_with_logits):
                for method in (function.value_and_grad, function.vjp):
                    more = len(method.operands) - 1
                    ends, within = cupy.asarray(host[start:]), cupy.asarray(host)[start:]
                    calls = (ends, [ends] * more), (within, [within] * more), (ends, [0.25] * more)
                    for x, others in calls:
                        gots = method(x, *others)
                        wants = method(x.get(), *(o if isinstance(o, float) else o.get() for o in others))
                        pairs = zip(gots, wants) if isinstance(gots, tuple) else [(gots, wants)]
                        for got, want in pairs:
                            assert got.get().tobytes() == want.tobytes(), (name, size, start, method)
                            compared += got.size
print(compared)
"""


def run(**settings: int) -> str:
    """Return what SCRIPT prints on an emulated GPU of these settings."""
    variables = {f"EMULATED_GPU_{name}": value for name, value in settings.items()}
    paths = os.pathsep.join(filter(None, sys.path))
    return printed("-c", f"import emulated_gpu.turned_on\n{SCRIPT}", PYTHONPATH=paths, **variables)


@pytest.mark.parametrize("capability", [75, 80, 86, 90, 100, 120])
def test_capabilities(capability: int, emulated: Any) -> None:
    shared = {75: 64, 80: 163, 86: 99, 90: 227, 100: 227, 120: 99}[capability]
    assert int(run(CAPABILITY=capability, SHARED_BYTES=shared << 10)) > 100_000


def test_nothing_is_read_or_written_beyond_an_arrays_end(emulated: Any) -> None:
    run(EXACT_ENDS=1)
