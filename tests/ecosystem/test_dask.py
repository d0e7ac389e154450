"""Dask arrays: lazy, blockwise, in one pass, on processes of a cluster."""

from typing import Any

import numpy as np
import pytest
from helpers.floats import DTYPES
from helpers.methods import as_tuple, interval, operands
from helpers.required import library

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

da = library("dask.array")

CHUNKS = 100


def lazy(arrays: tuple[np.ndarray, ...]) -> tuple[Any, ...]:
    return tuple(da.from_array(a, chunks=CHUNKS) for a in arrays)


def inputs(function: Any, name: str, dtype: np.dtype) -> tuple[np.ndarray, ...]:
    low, high = interval(function)
    return operands(function, name, np.linspace(low, high, 1000).astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
@pytest.mark.parametrize("name", PUBLIC)
def test_same_bits_as_numpy(function: Any, name: str, dtype: np.dtype) -> None:
    arrays = inputs(function, name, dtype)
    got, want = function.methods[name](*lazy(arrays)), function.methods[name](*arrays)
    for lazily, w in zip(as_tuple(got), as_tuple(want), strict=True):
        assert isinstance(lazily, da.Array)
        assert lazily.dtype == lazily._meta.dtype == dtype
        assert lazily.chunks == ((CHUNKS,) * 10,)
        y = lazily.compute()
        assert type(y) is np.ndarray
        assert y.dtype == dtype
        assert y.tobytes() == w.tobytes()


def test_nothing_is_computed_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(block: Any) -> Any:
        raise AssertionError("computed")

    x = da.ones(10, chunks=5).map_blocks(fail, dtype="f8", meta=np.empty(0))
    s, _ = gs.sigmoid.value_and_grad(x)
    with pytest.raises(AssertionError, match="computed"):
        s.compute()


def test_value_and_grad_is_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = []

    def seen(block: np.ndarray) -> np.ndarray:
        blocks.append(block)
        return block

    x = da.ones(40, chunks=10).map_blocks(seen, dtype="f8", meta=np.empty(0))
    s, ds = da.compute(*gs.sigmoid.value_and_grad(x))
    assert len(blocks) == 4
    np.testing.assert_array_equal(s, gs.sigmoid(np.ones(40)))
    np.testing.assert_array_equal(ds, gs.sigmoid.grad(np.ones(40)))


@pytest.mark.parametrize(("name", "tasks"), [("value", 1), ("vjp", 1), ("value_and_grad", 3)])
def test_the_graph_is_linear_in_the_blocks(name: str, tasks: int) -> None:
    for blocks in (10, 1000):
        x = da.zeros(10 * blocks, chunks=10)
        arguments = (x, 2.0) if name == "vjp" else (x,)
        results = gs.silu.methods[name](*arguments)
        results = as_tuple(results)
        layers = {key: layer for r in results for key, layer in r.dask.layers.items()}
        own = sum(len(layer) for key, layer in layers.items() if key not in x.dask.layers)
        assert own == tasks * blocks


def test_shapes_broadcast_and_host_operands_are_taken() -> None:
    x, t = da.ones((6, 4), chunks=(3, 2)), np.linspace(0, 1, 4)
    got = gs.bce_with_logits(x, t)
    assert got.shape == (6, 4)
    np.testing.assert_array_equal(got, gs.bce_with_logits(np.ones((6, 4)), t))
    np.testing.assert_array_equal(gs.bce_with_logits(x, 1.0), gs.bce_with_logits(np.ones((6, 4)), 1.0))
    assert gs.sigmoid(da.asarray(0.0)).compute() == 0.5
    assert gs.sigmoid(da.zeros((0, 3))).compute().shape == (0, 3)
    for part in gs.sigmoid.value_and_grad(da.asarray(0.0)):
        assert part.shape == ()


def test_unknown_chunks() -> None:
    x = da.linspace(-5, 5, 100, chunks=20)
    kept = x[x > 0]
    np.testing.assert_array_equal(gs.softplus(kept), gs.softplus(kept.compute()))
    np.testing.assert_array_equal(gs.sigmoid.vjp(kept, kept[:, None] * 0), np.zeros((50, 50)))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (da.ones(6, chunks=3), [1.0, 2.0, 3.0]),
        (da.ones((2, 6)), np.ones((6, 2))),
        (da.ones(6), da.ones(4)),
        (da.ones(6)[da.ones(6) > 0], np.ones(6)),
        (da.ones(6)[da.ones(6) > 0], da.ones((2, 6))),
    ],
    ids=str,
)
def test_shapes_that_do_not_broadcast(first: Any, second: Any) -> None:
    for method in (gs.sigmoid.vjp, gs.swiglu.value_and_grad):
        with pytest.raises(ValueError, match=r"operands of shapes .* do not broadcast together") as caught:
            method(first, second)
        message = str(caught.value)
        assert message.startswith(f"{method.label}: operands of shapes {first.shape}, {np.shape(second)} do")
        assert ("compute_chunk_sizes()" in message) == np.isnan(first.shape).any()


def test_packed_refusals() -> None:
    packed = gs.glu.packed
    kept = da.ones(6)[da.ones(6) > 0]
    frame = library("dask.dataframe").from_dict({"a": [1.0, 2.0]}, npartitions=1)
    for call in (packed, packed.value_and_grad, lambda x: packed.vjp(x, 1.0)):
        with pytest.raises(ValueError, match=r"length is unknown \(x\.compute_chunk_sizes\(\)"):
            call(kept)
        for wrong in (frame, frame.a, frame.index, library("dask").delayed(1.0)):
            with pytest.raises(
                TypeError, match=rf"^glu\.packed takes an array of .* or Dask, not {type(wrong).__name__}"
            ):
                call(wrong)
    assert packed(kept.compute_chunk_sizes()).shape == (3,)


class Block:
    """An array of another library's: a ufunc's operand that has no more methods than Dask needs."""

    def __init__(self, host: np.ndarray) -> None:
        self.host = host
        self.dtype, self.shape, self.ndim, self.size = host.dtype, host.shape, host.ndim, host.size

    def __array_function__(self, *arguments: Any) -> Any:
        return NotImplemented

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any) -> Any:
        results = ufunc(*(x.host if isinstance(x, Block) else x for x in inputs))
        return tuple(map(Block, results)) if isinstance(results, tuple) else Block(results)

    def __getitem__(self, index: Any) -> "Block":
        return Block(self.host[index])

    def reshape(self, *shape: int) -> "Block":
        return Block(self.host.reshape(*shape))


def test_blocks_of_other_kinds() -> None:
    """Masked arrays, and such as sparse.COO."""
    host = np.eye(4, dtype=np.float32)
    for block in (Block(host), np.ma.masked_array(host, host == 0)):
        lazy = da.from_array(block, chunks=4, meta=block[:0, :0], asarray=False)
        for y, w in zip(gs.sigmoid.value_and_grad(lazy), gs.sigmoid.value_and_grad(host), strict=True):
            got = y.compute()
            assert (type(got), got.dtype) == (type(block), np.float32)
            if isinstance(got, Block):
                np.testing.assert_array_equal(got.host, w)
            else:
                np.testing.assert_array_equal(got.filled(9), np.where(host == 0, 9, w))


@pytest.mark.parametrize("name", PUBLIC)
def test_frames_and_series(function: Any, name: str) -> None:
    pd, dd = library("pandas"), library("dask.dataframe")
    method = function.methods[name]
    host = pd.DataFrame({"a": np.linspace(0.1, 0.9, 7, dtype=np.float32), "b": [True] * 7})
    frame = dd.from_pandas(host, npartitions=3)
    more = (0.25, 3.0, 0.5)[: len(method.operands) - 1]
    for lazily, w in (
        (method(frame, *more), method(host, *more)),
        (method(frame.a, *more), method(host.a, *more)),
    ):
        for y, want in zip(as_tuple(lazily), as_tuple(w), strict=True):
            dd.utils.assert_eq(y, want, check_divisions=True)


def test_series_are_aligned() -> None:
    pd, dd = library("pandas"), library("dask.dataframe")
    x, t = pd.Series([1.0, 2.0, 3.0]), pd.Series([True, False, True], [1, 2, 5])
    lazy = [dd.from_pandas(s, npartitions=n) for s, n in ((x, 2), (t, 3))]
    dd.utils.assert_eq(gs.bce_with_logits(*lazy), gs.bce_with_logits(x, t))
    dd.utils.assert_eq(gs.bce_with_logits(lazy[0], lazy[0].mean()), gs.bce_with_logits(x, 2.0))
    for wrong in (np.ones(3), [0.0, 1.0, 0.0], da.ones(3), np.ma.masked):
        with pytest.raises(TypeError, match="only those and numbers are accepted"):
            gs.bce_with_logits(lazy[0], wrong)
    with pytest.raises(TypeError, match=r"accepted only with Series and DataFrames: compute\(\) it"):
        gs.sigmoid(lazy[0].sum())
    with pytest.raises(TypeError, match="dtype string is not accepted"):
        gs.sigmoid(lazy[0].astype("string"))


def test_refusals() -> None:
    x = da.ones(4)
    with pytest.raises(TypeError, match="complex128 is not accepted"):
        gs.sigmoid(x.astype(complex))
    with pytest.raises(TypeError, match=r"dask\.array\.store"):
        gs.sigmoid(x, out=x)
    frame = library("dask.dataframe").from_dict({"a": [1.0, 2.0], "b": [0, 1]}, npartitions=1)
    bag, delayed = library("dask.bag").from_sequence([1.0]), library("dask").delayed(1.0)
    for other in (frame.groupby("b"), x.blocks, x.dask, da.Array):
        with pytest.raises(TypeError, match=r"^sigmoid: .*dask\S+ is not accepted; accepted are numbers"):
            gs.sigmoid(other)
    with pytest.raises(TypeError, match=r"^glu\.packed takes an array of NumPy, .*, not Delayed"):
        gs.glu.packed(delayed)
    for other in (bag, delayed):
        with pytest.raises(TypeError, match=f"are accepted, not {type(other).__name__}: pass the function"):
            gs.sigmoid(other)


def test_processes_of_a_cluster() -> None:
    distributed = library("distributed")
    cluster = distributed.LocalCluster(2, processes=True, threads_per_worker=1, dashboard_address=None)
    with cluster, distributed.Client(cluster):
        x = da.linspace(-20, 20, 10_000, chunks=1000)
        got = da.compute(*gs.sigmoid.value_and_grad(x), gs.log_sigmoid(x).sum())
    for y, w in zip(got, (*gs.sigmoid.value_and_grad(x.compute()), None), strict=True):
        if w is not None:
            np.testing.assert_array_equal(y, w)
    assert got[2] == pytest.approx(gs.log_sigmoid(x.compute()).sum())
