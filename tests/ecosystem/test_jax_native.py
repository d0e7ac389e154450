"""The native handler: what XLA's programs hold, other processes, and what happens where it cannot be had."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.processes import printed
from helpers.required import library

import gpu_sigmoid as gs
from gpu_sigmoid import configuration
from gpu_sigmoid.backends.cpu.loop import MOST_OPERANDS
from gpu_sigmoid.backends.cpu.threads import SPLIT_FROM

jax = library("jax")
export = library("jax.export")
jnp = jax.numpy

from gpu_sigmoid.backends.jax import cuda, frame, native, table

ALLOWED = [export.DisabledSafetyCheck.custom_call("gpu_sigmoid")]


def run(program: str, *arguments: Any, limit: float = 120) -> str:
    return printed("-c", program, *arguments, timeout=limit)


def test_programs_call_native_code_and_hold_no_address() -> None:
    text = jax.jit(jax.value_and_grad(gs.softplus)).lower(jnp.float32(1)).as_text()
    assert text.count("custom_call @gpu_sigmoid(") == 2
    assert "callback" not in text
    program = (
        "import jax, gpu_sigmoid as gs; print(jax.jit(jax.value_and_grad(gs.softplus)).lower(1.0).as_text())"
    )
    assert run(program) == run(program)


def test_the_installed_header_is_the_one_that_is_known() -> None:
    assert native.why_not() is None
    assert frame.version_of(frame.read_header()) >= (0, 1)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("#define XLA_FFI_API_MAJOR 0", "#define XLA_FFI_API_MAJOR 1", r"version 1\.\d+ is not known"),
        ("void* data;\n  int64_t rank;", "int64_t rank;\n  void* data;", "XLA_FFI_Buffer.data is at 32, not"),
        ("void* stream;", "void* stream;\n  int64_t more;", "XLA_FFI_Stream_Get_Args has 40 bytes, not 32"),
        ("XLA_FFI_ExecutionStage stage;", "", "XLA_FFI_CallFrame.args is at 32, not at 40"),
        (
            "XLA_FFI_DataType dtype;\n  void* value;",
            "T dtype;\n  void* value;",
            "dtype has a type that is not known: T",
        ),
        ("struct XLA_FFI_Rets {", "struct XLA_FFI_Results {", "a type that is not known: XLA_FFI_Rets"),
    ],
)
def test_another_layout_is_noticed(before: str, after: str, reason: str) -> None:
    header = frame.read_header()
    assert before in header
    with pytest.raises(ValueError, match=reason):
        frame.version_of(header.replace(before, after))


def test_without_the_handler_results_come_by_a_call_back(monkeypatch: pytest.MonkeyPatch) -> None:
    jax.clear_caches()
    monkeypatch.setattr(native, "why_not", lambda: "jaxlib has no header")
    x = np.linspace(-9, 9, 7, dtype=np.float32)
    program = jax.jit(lambda x: gs.silu.value_and_grad(x))
    assert "callback" in program.lower(x).as_text()
    for y, want in zip(program(x), gs.silu.value_and_grad(x), strict=True):
        np.testing.assert_array_equal(y, want)
    np.testing.assert_array_equal(jax.vmap(jax.grad(gs.silu))(x), gs.silu.grad(x))
    jax.clear_caches()


def test_a_release_that_is_too_old_is_named() -> None:
    program = """
import jax
jax.__version_info__, jax.__version__ = (0, 8, 1), "0.8.1"
import gpu_sigmoid as gs
gs.show_config()
try:
    gs.sigmoid(jax.numpy.ones(3))
except ImportError as error:
    print(error)
"""
    printed = run(program)
    reason = "gpu_sigmoid takes arrays of JAX 0.8.2 and later, this is 0.8.1"
    assert f", not served: {reason}\n" in printed
    assert printed.endswith(f"\n{reason}\n")


def test_why_there_is_no_handler_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def without() -> str:
        raise ValueError("jaxlib has no include/xla/ffi/api/c_api.h")

    monkeypatch.setattr(frame, "read_header", without)
    native.why_not.cache_clear()
    try:
        assert native.why_not() == "jaxlib has no include/xla/ffi/api/c_api.h"
    finally:
        monkeypatch.undo()
        native.why_not.cache_clear()
        assert native.why_not() is None


@pytest.mark.parametrize(
    ("reason", "said"), [("no CuPy", "; not on a GPU: no CuPy"), (None, "; on a GPU too, experimentally")]
)
def test_whether_a_gpu_is_reached_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, reason: str | None, said: str
) -> None:
    monkeypatch.setattr(configuration, "why_no_gpu", lambda: None)
    monkeypatch.setattr(cuda, "why_not", lambda: reason)
    gs.show_config()
    assert f"{jax.__version__}, by native calls{said}\n" in capsys.readouterr().out


TRAINING = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import jax, numpy as np, gpu_sigmoid as gs
X = jax.numpy.asarray(np.random.default_rng(0).normal(size=(4000, 200)), np.float32)
Y = (X[:, 0] > 0).astype(np.float32)
W = jax.numpy.zeros(200, np.float32)
step = jax.jit(lambda W: W - 0.1 * jax.grad(lambda W: gs.bce_with_logits(X @ W, Y).mean())(W))
for _ in range(150):
    W = step(W)
print(float(W[0]) > 0.1)
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system binds no process to CPUs")
def test_a_training_loop_ends_on_one_cpu() -> None:
    """A call back to Python waits for a thread that waits for it."""
    assert run(TRAINING, limit=60).strip() == "True"


LOADING = """
import sys
import jax, numpy as np
from jax import export
import gpu_sigmoid.backends.jax
for path, length in ((sys.argv[1], 5), (sys.argv[1], 8), (sys.argv[2], 4)):
    loaded = export.deserialize(bytearray(open(path, "rb").read()))
    for result in loaded.call(np.linspace(-30, 30, length, dtype=np.float32)):
        print(np.asarray(result).tobytes().hex())
"""


def test_exported_programs_run_in_a_fresh_process(tmp_path: Path) -> None:
    """Its kernels are compiled there when the program is loaded."""
    program = jax.jit(lambda x: gs.softplus.value_and_grad(x))
    (length,) = export.symbolic_shape("n")
    shapes = {"symbolic": length, "fixed": 4}
    for name, shape in shapes.items():
        like = jax.ShapeDtypeStruct((shape,), jnp.float32)
        exported = export.export(program, disabled_checks=ALLOWED)(like)
        (tmp_path / name).write_bytes(exported.serialize())
    lines = run(LOADING, tmp_path / "symbolic", tmp_path / "fixed").split()
    inputs = [np.linspace(-30, 30, n, dtype=np.float32) for n in (5, 8, 4)]
    assert lines == [y.tobytes().hex() for x in inputs for y in gs.softplus.value_and_grad(x)]


def test_a_kernel_that_there_is_not_is_an_error_where_the_program_is_loaded() -> None:
    call = jax.ffi.ffi_call(native.TARGET, jax.ShapeDtypeStruct((3,), jnp.float32))
    with pytest.raises(Exception, match="a kernel that this version of gpu_sigmoid does not have"):
        jax.jit(lambda x: call(x, kernel=np.int64(12345)))(jnp.ones(3, jnp.float32))


CACHED = """
import sys
import jax
jax.config.update("jax_compilation_cache_dir", sys.argv[1])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
hits = []
jax.monitoring.register_event_listener(lambda name, **_: hits.append(name))
import gpu_sigmoid as gs
y = jax.jit(lambda x: gs.log_sigmoid(x) * 2)(jax.numpy.float32(3.5))
print(float(y).hex(), hits.count("/jax/compilation_cache/cache_hits") > 0)
"""


def test_the_compilation_cache_serves_another_process(tmp_path: Path) -> None:
    want = (float(gs.log_sigmoid(np.float32(3.5))) * 2).hex()
    assert run(CACHED, tmp_path).split() == [want, "False"]
    assert run(CACHED, tmp_path).split() == [want, "True"]


def test_eight_threads_at_once() -> None:
    x = np.linspace(-30, 30, 1001, dtype=np.float32)
    want = {name: f(x) for name, f in gs.FUNCTIONS.items() if len(f.operands) == 1}
    table.ready.cache_clear()
    jax.clear_caches()

    def compute(number: int) -> bool:
        name = list(want)[number % len(want)]
        given = jnp.asarray(x)
        plain, compiled = gs.FUNCTIONS[name](given), jax.jit(lambda a: gs.FUNCTIONS[name](a))(given)
        return all(np.array_equal(y, want[name], equal_nan=True) for y in (plain, compiled))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(compute, range(200)))


def test_large_arrays_on_several_threads_at_once() -> None:
    """Their blocks are computed by XLA's threads, which then serve several calls."""
    x = np.linspace(-30, 30, 2_200_000, dtype=np.float32)
    assert x.nbytes > SPLIT_FROM
    want, given = gs.sigmoid.value_and_grad(x), jnp.asarray(x)

    def compute(_: int) -> bool:
        return all(map(np.array_equal, gs.sigmoid.value_and_grad(given), want))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(compute, range(40)))


def test_every_kernel_has_a_key_of_its_own() -> None:
    kernels = {(method.name, dtype) for method, dtype in table.methods().values()}
    assert len(kernels) == len(table.methods()) < table.CAPACITY / 2
    assert 0 not in table.methods()


def test_a_call_has_room_for_every_kernels_operands() -> None:
    methods = [method for method, _ in table.methods().values()]
    assert max(len(m.operands) + len(m.mode.partials) for m in methods) <= MOST_OPERANDS
