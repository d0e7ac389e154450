"""What must not go wrong: memory, caches, odd floating-point modes, other CPUs."""

import ctypes
import gc
import os
import platform
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from helpers.floats import DTYPES

import gpu_sigmoid as gs

ON_X86 = platform.machine().lower() in ("x86_64", "amd64")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [100_000, 1_000_000])
def test_nothing_is_allocated_but_the_result(dtype: str, size: int) -> None:
    x = np.ones(size, DTYPES[dtype])
    out = (np.empty_like(x), np.empty_like(x))
    # what compiles allocates
    gs.sigmoid.value_and_grad(x, out=out)
    gs.sigmoid(x)
    tracemalloc.start()
    try:
        gs.sigmoid.value_and_grad(x, out=out)
        assert tracemalloc.get_traced_memory()[1] < 100_000
        tracemalloc.reset_peak()
        y = gs.sigmoid(x)
        assert tracemalloc.get_traced_memory()[1] < y.nbytes + 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the process's size from /proc")
def test_no_call_leaks() -> None:
    x = np.ones(10, np.float32)
    out = np.empty_like(x)

    def pages() -> int:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1])

    def calls(n: int) -> None:
        for _ in range(n):
            gs.sigmoid(x)
            gs.sigmoid(x, out=out)
            gs.sigmoid.value_and_grad(x)
            gs.bce_with_logits.vjp(x, 0.5, x)

    calls(2_000)
    before = pages()
    calls(int(os.environ.get("GPU_SIGMOID_CALLS", "20000")))
    assert pages() - before < 64


@pytest.mark.skipif(not (ON_X86 and sys.platform == "linux"), reason="sets x86's flush-to-zero mode by glibc")
def test_flush_to_zero_mode_of_another_library_changes_nothing() -> None:
    libm = ctypes.CDLL("libm.so.6")
    x = np.linspace(-103, -87, 1000, dtype=np.float32)
    expected = gs.sigmoid(x)
    assert 0 < expected[1] < np.finfo(np.float32).tiny
    environment = (ctypes.c_uint32 * 8)()
    libm.fegetenv(environment)
    normal = environment[7]
    environment[7] = normal | 0x8040  # MXCSR: flush to zero, denormals are zero
    libm.fesetenv(environment)
    try:
        got = gs.sigmoid(x)
        flushed = np.float32(1e-38) * np.float32(0.1)
    finally:
        environment[7] = normal
        libm.fesetenv(environment)
    assert flushed == 0, "the mode was not set"
    assert got.tobytes() == expected.tobytes()


DIGEST = """
import hashlib, numpy as np, gpu_sigmoid as gs
digest = hashlib.sha256()
for dtype in ("float16", "float32", "float64"):
    x = np.random.default_rng(0).integers(0, 256, 8000, dtype=np.uint8).view(dtype)
    for result in (gs.sigmoid(x), *gs.softplus.value_and_grad(x), gs.bce_with_logits(x, x)):
        digest.update(np.where(np.isnan(result), 1, result).tobytes())
print(digest.hexdigest())
"""


def digest(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", DIGEST], env=os.environ | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return done.stdout


@pytest.mark.skipif(not ON_X86, reason="names x86 CPUs")
@pytest.mark.parametrize(
    ("name", "features"), [("x86-64", ""), ("haswell", "+avx2,+fma,+f16c"), ("sandybridge", "+avx")]
)
def test_other_cpus_give_the_same_bits(name: str, features: str, tmp_path: Path) -> None:
    other = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": str(tmp_path)}
    assert digest(**other) == digest()


def test_a_cache_is_shared_corrupted_or_impossible(tmp_path: Path) -> None:
    expected = digest()
    cache = tmp_path / "cache"
    command = [sys.executable, "-c", DIGEST]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    together = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert [p.communicate()[0] for p in together] == [expected] * 4

    for path in cache.rglob("*.nb?"):
        path.write_bytes(path.read_bytes()[:100])
    assert digest(NUMBA_CACHE_DIR=str(cache)) == expected

    shutil.rmtree(cache)
    cache.write_text("in the way")
    assert digest(NUMBA_CACHE_DIR=str(cache)) == expected
