"""`gpu-sigmoid apply` on Zarr arrays that are stored with loss, or that are cut into odd chunks."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import done, refused
from helpers.required import library

import gpu_sigmoid as gs

zarr = library("zarr")
numcodecs = library("numcodecs")
v3 = pytest.importorskip("zarr.codecs.numcodecs", reason="of Zarr 3.1.3 or later")

pytestmark = pytest.mark.filterwarnings("ignore:Numcodecs codecs are not in")
X = np.linspace(-4, 4, 64)


def make(path: Path, x: np.ndarray = X, **options: Any) -> Any:
    array = zarr.create_array(path, shape=x.shape, dtype=x.dtype, chunks=(16,), **options)
    array[:] = x
    return array


def check_results(folder: Path, function: Any = gs.sigmoid) -> Any:
    """Check the results against those of what the source reads as, and return the target."""
    x = zarr.open_array(folder / "x.zarr", mode="r")[:]
    for what, method in (("value", function), ("both", function.value_and_grad)):
        done("apply", folder / "x.zarr", folder / "y.zarr", "--what", what, "--function", function.__name__)
        y = zarr.open_array(folder / "y.zarr", mode="r")
        np.testing.assert_array_equal(y[:], method(x))
    return y


@pytest.mark.parametrize(
    "codec",
    [
        numcodecs.FixedScaleOffset(0, 10, "f8", "i2"),
        numcodecs.Quantize(1, "f8"),
        numcodecs.BitRound(3),
        numcodecs.AsType("f4", "f8"),
        numcodecs.Delta("f8", "f4"),
    ],
    ids=lambda c: c.codec_id,
)
@pytest.mark.parametrize("place", ["compressors", "filters"])
def test_lossy_codecs_of_format_2_are_not_copied(tmp_path: Path, codec: Any, place: str) -> None:
    make(tmp_path / "x.zarr", zarr_format=2, **{place: codec})
    check_results(tmp_path)


def test_truth_values_packed_into_bits(tmp_path: Path) -> None:
    make(tmp_path / "x.zarr", X > 0, zarr_format=2, compressors=numcodecs.PackBits())
    check_results(tmp_path)


@pytest.mark.parametrize(
    ("place", "name", "configuration"),
    [
        ("filters", "Quantize", {"digits": 1, "dtype": "f8"}),
        ("filters", "FixedScaleOffset", {"offset": 0, "scale": 10, "dtype": "f8", "astype": "f8"}),
        ("filters", "BitRound", {"keepbits": 3}),
        ("compressors", "Shuffle", {"elementsize": 8}),
    ],
)
@pytest.mark.parametrize("shards", [None, (32,)])
def test_codecs_of_format_3(tmp_path: Path, place: str, name: str, configuration: dict, shards: Any) -> None:
    codec = getattr(v3, name)(**configuration)
    make(tmp_path / "x.zarr", shards=shards, **{place: codec})
    y = check_results(tmp_path)
    assert codec not in (*y.filters, *y.compressors)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("name", ["Blosc", "Zstd", "Zlib", "GZip", "LZ4", "BZ2", "LZMA"])
def test_lossless_compression_is_kept(tmp_path: Path, version: int, name: str) -> None:
    codec = getattr(numcodecs if version == 2 else v3, name)()
    source = make(tmp_path / "x.zarr", zarr_format=version, compressors=codec)
    assert check_results(tmp_path).compressors == source.compressors


def test_no_compression_is_kept(tmp_path: Path) -> None:
    make(tmp_path / "x.zarr", compressors=None)
    assert check_results(tmp_path).compressors == ()


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("side", [0, -1])
def test_chunks_without_extent(tmp_path: Path, version: int, side: int) -> None:
    make(tmp_path / "x.zarr", zarr_format=version)
    path = tmp_path / "x.zarr" / ("zarr.json" if version == 3 else ".zarray")
    metadata = json.loads(path.read_text())
    if version == 3:
        metadata["chunk_grid"]["configuration"]["chunk_shape"] = [side]
    else:
        metadata["chunks"] = [side]
    path.write_text(json.dumps(metadata))
    assert "x.zarr" in refused("apply", tmp_path / "x.zarr", tmp_path / "y.zarr")
    assert os.listdir(tmp_path) == ["x.zarr"]


def test_as_many_dimensions_as_numpy_has(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "x.zarr", shape=(1,) * 64, dtype="f8", chunks=(1,) * 64)
    message = refused("apply", tmp_path / "x.zarr", tmp_path / "y.zarr", "--what", "both")
    assert "x.zarr has 64 dimensions, NumPy's limit" in message
