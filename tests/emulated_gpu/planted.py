"""Faults planted in copies of the library, the tests that are to notice, and what those are to say."""

from dataclasses import dataclass, field

CUPY, NUMBA = "backends/cupy", "backends/numba_cuda"
SIZES = "tests/shared/test_sizes.py::test_every_size_and_alignment"
MANY = "tests/shared/test_sizes.py::test_many_elements_of_16_bits"
LAUNCH = "linear_launch(threads, arguments, 0, THREADS, stream)"
WRONG_BITS = r"AssertionError|assert False|assert np\.False_|assert \(.* == .*\)\.all\(\)"


@dataclass(frozen=True)
class Fault:
    """What is replaced in a file of gpu_sigmoid, and the tests, by file or name and by keywords."""

    name: str
    file: str
    old: str
    new: str
    tests: str
    keywords: str = ""
    noticed: str = WRONG_BITS
    """A pattern of what the tests print."""
    settings: dict[str, int] = field(default_factory=dict)


FAULTS = [
    Fault(
        "no dynamic shared memory is asked for",
        f"{CUPY}/lut.py",
        "kernel().max_dynamic_shared_size_bytes = TABLE_BYTES",
        "pass",
        f"{MANY}_in_place",
        "cupy and float16-0",
        r"CUDA_ERROR_INVALID_VALUE: 131072 bytes of dynamic shared memory, set are 49152",
    ),
    Fault(
        "the table is read before all of it is there",
        f"{CUPY}/lut.py",
        "    __syncthreads();\n",
        "",
        f"{MANY}_in_place",
        "cupy and float16-0",
    ),
    Fault(
        "the table is not waited for",
        f"{CUPY}/lut.py",
        "cupy.cuda.get_current_stream().synchronize()",
        "pass",
        "tests/emulated_gpu/test_library.py::test_a_table_is_made_on_one_stream_and_used_on_another",
    ),
    Fault(
        "the second result's blocks compute the first",
        f"{CUPY}/lut.py",
        "if (blockIdx.y)",
        "if (false)",
        "tests/emulated_gpu/test_library.py::test_two_results_are_looked_up_side_by_side",
    ),
    Fault(
        "one element too many before the first vector",
        f"{CUPY}/packed.py",
        "-distance % VECTOR // itemsize",
        "(-distance % VECTOR // itemsize) + 1",
        SIZES,
        "cupy and float32-33-3",
        "cudaErrorMisalignedAddress",
    ),
    Fault(
        "what is behind the last vector is left out",
        f"{CUPY}/packed.py",
        "const long long rest = size - vectors * LANES;",
        "const long long rest = 0;",
        SIZES,
        "cupy and float32-33-0",
    ),
    Fault(
        "one element too many",
        f"{CUPY}/packed.py",
        "(*arrays, size, peeled)",
        "(*arrays, size + 1, peeled)",
        SIZES,
        "cupy and float32-33-0",
        r"assert \(after\[",
    ),
    Fault(
        "vectors of arrays that begin elsewhere",
        f"{CUPY}/pitched.py",
        "if others or any(",
        "if any(",
        "tests/shared/test_sizes.py::test_operands_that_begin_elsewhere",
        "cupy and 33 and vjp and bce_with_logits",
        "cudaErrorMisalignedAddress",
    ),
    Fault(
        "strided arrays are taken for contiguous",
        f"{CUPY}/pitched.py",
        "(layout.extents[-1], layout.columns[-1])",
        "(layout.extents[-1], alike)",
        "tests/shared/test_layouts.py::test_every_layout",
        "cupy and sigmoid and value and not grad",
    ),
    Fault(
        "the last thread of a row is taken for one of the next row's",
        f"{CUPY}/pitched.py",
        "((1 << 64) - 1) // across",
        "((1 << 64) - 1) // across + 1",
        "tests/cuda/test_pitched.py::test_rows",
        "float32 and tail and glu and not vjp",
    ),
    Fault(
        "the launch is on the default stream",
        f"{CUPY}/packed.py",
        LAUNCH,
        "linear_launch(threads, arguments, 0, THREADS, cupy.cuda.Stream.null)",
        "tests/emulated_gpu/test_library.py::test_a_call_is_in_the_order_of_the_current_stream",
    ),
    Fault(
        "the host waits in a capture",
        f"{CUPY}/packed.py",
        LAUNCH,
        f"cupy.cuda.get_current_stream().synchronize(); {LAUNCH}",
        "tests/cuda/test_captures.py::test_replays_write_to_out_and_to_new_results",
        noticed="cudaErrorStreamCaptureUnsupported",
    ),
    Fault(
        "a kernel is given the host's address",
        f"{CUPY}/packed.py",
        LAUNCH,
        "linear_launch(threads, (__import__('numpy').uint64(id(arrays)), *arguments[1:]), 0, THREADS)",
        SIZES,
        "cupy and float32-33-0",
        "cudaErrorIllegalAddress",
    ),
    Fault(
        "more threads than a block can have",
        f"{CUPY}/packed.py",
        "\nTHREADS = 128\n",
        "\nTHREADS = 2048\n",
        SIZES,
        "cupy and float32-4099-0",
        "CUDA_ERROR_INVALID_VALUE",
    ),
    Fault(
        "overlap is ignored",
        f"{CUPY}/__init__.py",
        "return operand.copy()",
        "return operand",
        "tests/shared/test_overlap.py::test_every_overlap",
        "cupy and bce_with_logits and float32 and value and not grad",
    ),
    Fault(
        "temporaries in a capture",
        f"{CUPY}/__init__.py",
        "if cupy.cuda.get_current_stream().is_capturing():",
        "if False:",
        "tests/cuda/test_captures.py::test_temporaries_are_refused",
        "overlap",
        "DID NOT RAISE",
    ),
    Fault(
        "an exporter's stream is not waited for",
        f"{CUPY}/foreign.py",
        "    runtime.streamWaitEvent(then, event.ptr)",
        "    pass",
        "tests/cuda/test_foreign_streams.py::test_the_exporters_stream_is_waited_for",
    ),
    Fault(
        "bfloat16 is truncated",
        f"{CUPY}/storage.py",
        '(rounded) : "f"(number)',
        '(rounded) : "f"(__uint_as_float(__float_as_uint(number) & 0xffff0000u))',
        SIZES,
        "cupy and bfloat16-33-0",
    ),
    Fault(
        "products flush subnormals",
        "lowering/primitives.py",
        '"mul.rn.{f}"',
        '"mul.rn.ftz.{f}"',
        "tests/shared/test_accuracy.py::test_bound",
        "cupy and silu-cupy-value-float32 or silu and cupy and float32 and value and not grad",
        r"assert .*<= ",
    ),
    Fault(
        "a quotient is not corrected",
        "lowering/division.py",
        "fma.rn.f32 {r}, e, y, q;",
        "mov.f32 {r}, q;",
        "tests/shared/test_layouts.py::test_every_function",
        "cupy and logit and float32 and value and not grad",
    ),
    Fault(
        "one step of Newton's for a reciprocal that is a unit off",
        "lowering/division.py",
        '    "fma.rn.f32 e, n, y, 0f3F800000; fma.rn.f32 y, e, y, y; "\n'
        '    "fma.rn.f32 e, n, y, 0f3F800000; fma.rn.f32 y, e, y, y; "\n',
        "",
        SIZES,
        "cupy and float32-4099-0",
        settings={"RECIPROCAL_ULP": 1},
    ),
    Fault(
        "Numba: the launch is on the default stream",
        f"{NUMBA}/prepared.py",
        "streams.launchable(stream)",
        "streams.launchable(0)",
        "tests/cuda/test_numba_streams.py::test_results_are_bound_to_the_stream",
    ),
    Fault(
        "Numba: other streams are not waited for",
        f"{NUMBA}/prepared.py",
        "streams.wait(stream, other)",
        "pass",
        "tests/cuda/test_numba_streams.py::test_operands_on_two_streams_are_waited_for",
    ),
    Fault(
        "Numba: overlap is ignored",
        f"{NUMBA}/prepared.py",
        "elif i not in copies:",
        "elif False:",
        "tests/shared/test_overlap.py::test_every_overlap",
        "numba_cuda and bce_with_logits and float32 and value and not grad",
    ),
    Fault(
        "Numba: all blocks compute the first one's elements",
        f"{NUMBA}/kernels.py",
        "range(cuda.grid(1), n, cuda.gridsize(1))",
        "range(cuda.threadIdx.x, n, cuda.gridsize(1))",
        SIZES,
        "numba_cuda and float32-513-0",
    ),
    Fault(
        "Numba: axes are joined that do not follow each other",
        "backends/layout.py",
        "if columns and columns[-1] == tuple(step * shape[axis] for step in column):",
        "if columns:",
        "tests/shared/test_layouts.py::test_every_layout",
        "numba_cuda and sigmoid and value and not grad",
    ),
]
