"""What must not go wrong: memory, caches, odd floating-point modes, other CPUs."""

import ctypes
import gc
import os
import platform
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.floats import DTYPES
from helpers.processes import printed, python

import gpu_sigmoid as gs

ON_X86 = platform.machine().lower() in ("x86_64", "amd64")


def allocated(call: Callable[[], Any]) -> int:
    """Return how many bytes a call allocates.

    That is the least of several calls: one that compiles or starts threads allocates for all that follow.
    """
    peaks = []
    tracemalloc.start()
    try:
        for _ in range(5):
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            call()
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    return min(peaks)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [100_000, 1_000_000])
def test_nothing_is_allocated_but_the_result(dtype: str, size: int) -> None:
    x = np.ones(size, DTYPES[dtype])
    out = (np.empty_like(x), np.empty_like(x))
    assert allocated(lambda: gs.sigmoid.value_and_grad(x, out=out)) < 100_000
    assert x.nbytes <= allocated(lambda: gs.sigmoid(x)) < x.nbytes + 100_000


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


# Of glibc's fenv_t, the word that holds the modes, and its bits that flush subnormal numbers and round up:
# x86's MXCSR, ARM's FPCR.
MODES = {"x86_64": (7, 0x8040, 0x4000), "aarch64": (0, 0x1000000, 0x400000)}


@pytest.mark.skipif(
    not (sys.platform == "linux" and platform.machine() in MODES), reason="sets the modes by glibc's fenv_t"
)
@pytest.mark.parametrize("mode", [1, 2], ids=["flush to zero", "round up"])
def test_a_floating_point_mode_of_another_library_changes_nothing(mode: int) -> None:
    libm = ctypes.CDLL("libm.so.6")
    x = np.linspace(-103, 10, 10_000, dtype=np.float32)
    expected = gs.sigmoid(x)
    assert 0 < expected[1] < np.finfo(np.float32).tiny
    word, *bits = MODES[platform.machine()]
    environment = (ctypes.c_uint32 * 8)()
    libm.fegetenv(environment)
    normal = environment[word]
    environment[word] = normal | bits[mode - 1]
    libm.fesetenv(environment)
    try:
        got = gs.sigmoid(x)
        sums = np.array([1e-38, 1.0], np.float32) + np.array([-9.9e-39, 1e-9], np.float32)
        libm.fegetenv(environment)
        kept = environment[word] & bits[mode - 1]
    finally:
        environment[word] = normal
        libm.fesetenv(environment)
    assert (sums[0] == 0, sums[1] > 1) == (mode == 1, mode == 2), "the mode was not set"
    assert kept == bits[mode - 1]
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


def digest(before: str = "", **environment: Any) -> str:
    done = python("-c", before + DIGEST, **environment)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return done.stdout


CPUS = {"x86-64": "", "sandybridge": "+avx", "haswell": "+avx2,+fma,+f16c"}


@pytest.mark.skipif(not ON_X86, reason="names x86 CPUs")
def test_other_cpus_give_the_same_bits_by_code_of_their_own(tmp_path: Path) -> None:
    expected, cached = digest(), [0]
    for name, features in CPUS.items():
        other = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": tmp_path}
        assert digest(**other) == expected, name
        cached.append(len(list(tmp_path.rglob("*.nbc"))))
    assert cached == [cached[1] * k for k in range(len(CPUS) + 1)]


@pytest.mark.parametrize("other", ["ARM64", "AMD64"])
def test_a_process_of_another_architecture_than_the_computers(other: str, tmp_path: Path) -> None:
    """Windows for ARM names itself to a Python for x86 that it emulates."""
    before = f"import platform\nplatform.machine = lambda: {other!r}\n"
    assert digest(before, NUMBA_CACHE_DIR=tmp_path) == digest()


WITHOUT_FMA = """
import re
import gpu_sigmoid as gs
from gpu_sigmoid.backends.cpu.compile import scalar_function, signature_of
from gpu_sigmoid.backends.cpu.vectorize import ELEMENT, UFuncBuilder
from gpu_sigmoid.lowering import lower_for
for dtype in ("float32", "float64"):
    program = lower_for(gs.sigmoid.formula, gs.sigmoid.mode, dtype)
    builder = UFuncBuilder(scalar_function(program, dtype), None, cache=False, targetoptions={})
    builder.add(signature_of(program, ELEMENT[dtype]))
    llvm = builder.kernel.inspect_llvm()
    vectors = len(re.findall(r"call <\\d x \\w+> @gpu_sigmoid_fused", llvm))
    operations = sum(operation.name == "fma" for operation in program.operations)
    print(vectors >= 4 * operations > 0, "llvm.fma" in llvm)
gs.show_config()
"""


@pytest.mark.skipif(not ON_X86, reason="names an x86 CPU")
def test_a_cpu_without_fma_computes_in_vectors_and_says_so() -> None:
    lines = printed("-c", WITHOUT_FMA, NUMBA_CPU_NAME="x86-64", NUMBA_CPU_FEATURES="").splitlines()
    assert lines[:2] == ["True False"] * 2
    assert any("multiply-add in several" in line for line in lines)


READ_ONLY = """
import tempfile
from numba.core.ccallback import CFunc

def refused(*args, **keywords):
    raise PermissionError("nothing can be written, and nothing is to be compiled")

# by which Numba finds out whether a folder can be written to
tempfile.TemporaryFile = refused
CFunc._compile_uncached = refused
"""


def test_a_cache_that_cannot_be_written_to_is_read(tmp_path: Path) -> None:
    expected = digest(NUMBA_CACHE_DIR=tmp_path)
    assert digest(READ_ONLY, NUMBA_CACHE_DIR=tmp_path) == expected


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
    assert digest(NUMBA_CACHE_DIR=cache) == expected

    shutil.rmtree(cache)
    cache.write_text("in the way")
    assert digest(NUMBA_CACHE_DIR=cache) == expected
