"""What NumPy's arrays alone can be: read-only, not aligned, memory maps, subclasses, with signalling nans."""

import collections
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.calls import bits, expected, sample
from helpers.floats import DTYPES
from helpers.methods import as_tuple

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

X = np.linspace(0.01, 0.99, 4200, dtype=np.float32)


def read_only(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.flags.writeable = False
    return x


def unaligned(x: np.ndarray) -> np.ndarray:
    memory = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype)
    memory[...] = x
    return memory


@pytest.mark.parametrize("make", [read_only, unaligned])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PUBLIC)
def test_operands_are_read_where_they_lie(function: Any, name: str, dtype: str, make: Any) -> None:
    method = function.methods[name]
    hosts = sample(method, DTYPES[dtype], 300)
    got = as_tuple(method(*map(make, hosts)))
    for y, w in zip(got, expected(method, *hosts), strict=True):
        assert type(y) is np.ndarray
        assert y.dtype == DTYPES[dtype]
        assert bits(y) == bits(w)


@pytest.mark.parametrize("dtype", DTYPES)
def test_unaligned_memory_takes_results(function: Any, dtype: str) -> None:
    hosts = sample(function, DTYPES[dtype], 300)
    out = unaligned(np.zeros(300, DTYPES[dtype]))
    assert function(*hosts, out=out) is out
    assert bits(out) == bits(expected(function, *hosts)[0])


def test_the_other_byte_order_takes_results(function: Any) -> None:
    hosts = sample(function, np.float32, 300)
    out = np.zeros(300, ">f4")
    assert function(*hosts, out=out) is out
    assert bits(out.astype("f4")) == bits(expected(function, *hosts)[0])


def test_read_only_memory_takes_no_results(function: Any) -> None:
    hosts, method = [np.full(4, 0.25)] * len(function.operands), function.methods["value_and_grad"]
    for out in (read_only(np.zeros(4)), np.broadcast_to(np.zeros(1), (4,))):
        for _ in range(2):
            with pytest.raises(ValueError, match=f"^{function.label}: out is read-only"):
                function(*hosts, out=out)
            with pytest.raises(ValueError, match=rf"^{method.label}: out is read-only"):
                method(*hosts, out=(*[None] * (len(method.mode.partials) - 1), out))
        function(*hosts)
        assert not out.any()


def test_memory_maps(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    assert gs.sigmoid(np.load(tmp_path / "x.npy", mmap_mode="r")).tobytes() == gs.sigmoid(X).tobytes()


class Own(np.ndarray):
    pass


@pytest.mark.parametrize("name", PUBLIC)
def test_subclasses_and_masks_are_kept(function: Any, name: str) -> None:
    method = function.methods[name]
    x, *more = sample(method, np.float32, 5)
    mask = np.array([False, True, False, False, True])
    want = as_tuple(method(x, *more))
    for operand in (x.view(Own), np.ma.masked_array(x, mask)):
        for y, w in zip(as_tuple(method(operand, *more)), want, strict=True):
            assert type(y) is type(operand)
            assert bits(np.asarray(y)[~mask]) == bits(w[~mask])
            assert np.ma.getmaskarray(y).tolist() == (mask & np.ma.isMA(operand)).tolist()


@pytest.mark.parametrize("size", [4, 20_000])
def test_masks_go_to_outputs_as_those_of_a_ufunc(size: int) -> None:
    """A plain array takes all results, those of masked elements too; a masked one takes the mask as well."""
    masked = np.ma.masked_array(np.linspace(-3, 3, size), mask=np.arange(size) % 2)
    for x in (masked, masked.data):
        for make in (np.zeros, np.ma.zeros, lambda n: np.ma.masked_array(np.zeros(n), mask=np.arange(n) < 2)):
            of_exp, out = make(size), make(size)
            np.exp(x, out=of_exp)
            for _ in range(2):
                assert gs.sigmoid(x, out=out) is out
                assert bits(np.ma.getdata(out)) == bits(gs.sigmoid(masked.data))
                assert np.array_equal(np.ma.getmaskarray(out), np.ma.getmaskarray(of_exp))


def test_what_gradients_of_halves_are(tmp_path: Path) -> None:
    """They have the masks and the dtypes of the gradients by two operands, and of memory maps lie in none."""
    x, g = np.ma.masked_array([0.0, 0.5, 1.0, 2.0], mask=[False, True, False, False]), np.ones(2)
    packed = gs.swiglu.packed
    for got in (
        packed.vjp(x, g),
        packed.value_and_grad(x)[1],
        packed.vjp(x.data, np.ma.array(g, mask=x.mask[:2])),
    ):
        assert got.mask.tolist() == [False, True] * 2
    with pytest.raises(TypeError, match="out is not accepted with masked arrays"):
        packed.vjp(x, g, out=np.ma.zeros(4))
    single = x.data.astype(np.float32)
    assert bits(packed.vjp(single, [1.0, 1.0])) == bits(packed.vjp(single, g))
    swapped = packed.vjp(single.astype(">f4"), g.astype(">f4"))
    np.testing.assert_array_equal(swapped, packed.vjp(single, np.float32(g)), strict=True)
    mapped = np.memmap(tmp_path / "x", np.float64, "w+", shape=4)
    assert type(packed.vjp(mapped, g)) is np.ndarray


def test_masks_are_not_lost_in_sequences() -> None:
    row = np.ma.masked_array([0.0, 0.5], mask=[False, True])
    for sequence in ([row, row], ([0.5, 0.5], row), [[row]], [0.5, np.ma.masked]):
        with pytest.raises(TypeError, match=r"sigmoid: a sequence of numpy\.ma\.\S+ is not accepted"):
            gs.sigmoid(sequence)
    assert gs.sigmoid(np.ma.stack([row, row])).mask.tolist() == [[False, True]] * 2
    np.testing.assert_array_equal(gs.sigmoid([row.data, (0.0, 1)]), gs.sigmoid([[0.0, 0.5], [0.0, 1.0]]))


@pytest.mark.parametrize("size", [5, 2_000_000])
def test_signalling_nans_are_cast_in_silence(size: int) -> None:
    x = np.full(size, 0x7FA00000, np.uint32).view(np.float32)
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(gs.sigmoid.vjp(x, np.ones(size))).all()


def test_strings_of_any_length_are_refused() -> None:
    for x in (np.array(["1"], np.dtypes.StringDType()), np.array(["1"], "U3")):
        with pytest.raises(TypeError, match=r"^sigmoid: dtype .* is not accepted; accepted are float16"):
            gs.sigmoid(x)


def test_the_way_for_what_only_numpy_takes() -> None:
    file = type("File", (), {"__array__": lambda self, dtype=None, copy=None: np.ones(2)})()
    with pytest.raises(
        TypeError, match=r"File is not accepted; numpy\.asarray converts .* of NumPy, CuPy, Dask"
    ):
        gs.sigmoid(file)
    for sequence in (collections.deque([0.5]), collections.UserList([0.5])):
        with pytest.raises(TypeError, match=r"^sigmoid: .* is not accepted; numpy\.array\(list\(x\)\) makes"):
            gs.sigmoid(sequence)
    for wrong in ([file], [np.ones(2).view(Own)]):
        with pytest.raises(TypeError, match=r"^sigmoid: a sequence of .* is not accepted: join it"):
            gs.sigmoid(wrong)
