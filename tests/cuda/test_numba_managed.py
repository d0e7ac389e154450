"""Numba's mapped and managed arrays, which are NumPy's in memory that a GPU uses too."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers.backends import need

import gpu_sigmoid as gs

need("numba_cuda")

from numba import cuda
from numba.cuda.cudadrv.devicearray import ManagedNDArray, MappedNDArray

HOST = np.linspace(-5, 5, 1 << 20, dtype=np.float32)


@pytest.fixture(params=[MappedNDArray, ManagedNDArray])
def late(request: pytest.FixtureRequest) -> Any:
    """An array that the GPU is yet to fill with HOST: page-locked memory, which it writes to."""
    source, stream = cuda.to_device(HOST), cuda.stream()
    array = cuda.pinned_array(HOST.shape, HOST.dtype).view(request.param)
    array.device_setup(SimpleNamespace(context=cuda.current_context()), stream)
    array[:] = 0
    cuda.synchronize()
    source.copy_to_host(np.asarray(array), stream=stream)
    yield array
    stream.synchronize()


def test_the_gpu_is_waited_for(late: Any) -> None:
    got = gs.sigmoid(late)
    assert type(got) is np.ndarray
    assert got.tobytes() == gs.sigmoid(HOST).tobytes()


def test_views_are_waited_for(late: Any) -> None:
    assert gs.sigmoid(late[5:][::2]).tobytes() == gs.sigmoid(HOST[5:][::2]).tobytes()


def test_out_is_written_after_the_gpu(late: Any) -> None:
    assert gs.sigmoid(HOST, out=late) is late
    cuda.synchronize()
    assert late.tobytes() == gs.sigmoid(HOST).tobytes()


def test_beside_numpys(late: Any) -> None:
    target = np.full(HOST.shape, 0.25, np.float32)
    assert gs.bce_with_logits(late, target).tobytes() == gs.bce_with_logits(HOST, target).tobytes()
    with pytest.raises(TypeError, match="cannot be mixed"):
        gs.bce_with_logits(late, cuda.to_device(target))


def test_what_numpy_makes_of_them_is_in_the_hosts_memory() -> None:
    array = np.exp(np.zeros(3, np.float32).view(MappedNDArray))
    assert type(array) is MappedNDArray
    assert gs.sigmoid(array).tobytes() == gs.sigmoid(np.ones(3, np.float32)).tobytes()
