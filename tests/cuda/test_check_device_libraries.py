"""check-device's sections of torch and Numba, on host arrays in a GPU's place."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers.floats import DTYPES
from helpers.required import library
from helpers.stream_stand_in import Stream, put

import gpu_sigmoid as gs
from gpu_sigmoid.device_check import libraries, streams
from gpu_sigmoid.device_check.subject import Device, Streams, as_tuple, call_public


class HeldArray(np.ndarray):
    """An array with the way back to the host that Numba's have."""

    def copy_to_host(self) -> np.ndarray:
        return np.array(self)


def held(array: Any) -> Any:
    return np.array(array).view(HeldArray)


def on_held(method: Any, operands: tuple, out: Any = None) -> Any:
    results = as_tuple(call_public(method, tuple(map(np.asarray, operands))))
    return tuple(map(held, results))


def failures(section: str, device: Device, dtype: str) -> list[str | None]:
    findings = [
        check()
        for function in (gs.silu, gs.bce_with_logits)
        for check in libraries.checks(section, device, function, DTYPES[dtype])
    ]
    assert {f.check for f in findings} == {section}
    return [f.failure for f in findings]


@pytest.mark.parametrize("dtype", DTYPES)
def test_numba(dtype: str) -> None:
    device = replace(libraries.numba_device(SimpleNamespace(to_device=held)), call=on_held)
    assert not any(failures("numba", device, dtype))

    def one_bit_off(*args: Any) -> Any:
        results = on_held(*args)
        flat = results[0].reshape(-1).view(f"u{results[0].itemsize}")
        flat[-1] ^= 1
        return (flat.view(results[0].dtype).reshape(results[0].shape), *results[1:])

    assert all(failures("numba", replace(device, call=one_bit_off), dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_torch(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = library("torch")
    monkeypatch.setattr(streams, "SIZE", 4099)
    monkeypatch.setattr(streams, "BALLAST_BYTES", 8)
    queues = Streams(
        new=lambda: Stream(non_blocking=True),
        current=lambda stream: stream,
        wait=lambda stream: stream.synchronize(),
        wait_for_all=lambda: None,
        copy=lambda target, source: put(lambda: target.copy_(source)),
    )

    def call(method: Any, operands: tuple, out: Any = None) -> Any:
        if out is None:
            return call_public(method, operands)
        return put(lambda: call_public(method, operands, out))

    device = replace(libraries.torch_device(torch, "cpu"), call=call, streams=queues)
    assert not any(failures("torch", device, dtype))
    # on a stream of the library's own, which does not wait for torch's
    found = failures("torch", replace(device, call=call_public), dtype)
    assert sum(f is not None for f in found) == 2 * len(streams.MODES)


@pytest.mark.parametrize("section", ["torch", "numba"])
def test_without_a_gpu_a_library_says_so(section: str) -> None:
    if gs.gpu_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ImportError, match=section):
        libraries.load(section)
