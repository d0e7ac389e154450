"""The GPU's float32 division is exact, whatever its approximate reciprocal is within what is documented."""

import ctypes
import re

import pytest
from helpers import host_compiler

from gpu_sigmoid.lowering import division

# the instructions that occur, as C
STATEMENTS = {
    r"\.reg \.f32 (.*)": r"float \1",
    r"\.reg \.b32 (.*)": r"uint32_t \1",
    r"\.reg \.pred (.*)": r"bool \1",
    r"rcp\.approx\.ftz\.f32 (\w+), (\w+)": r"\1 = guess",
    r"fma\.rn\.f32 (\w+), (\w+), (\w+), (\w+)": r"\1 = std::fma(\2, \3, \4)",
    r"mul\.rn\.f32 (\w+), (\w+), (\w+)": r"\1 = \2 * \3",
    r"neg\.f32 (\w+), (\w+)": r"\1 = -\2",
    r"mov\.f32 (\w+), (\w+)": r"\1 = \2",
    r"mov\.b32 (\w+), (\w+)": r"memcpy(&\1, &\2, 4)",
    r"not\.b32 (\w+), (\w+)": r"\1 = ~\2",
    r"and\.b32 (\w+), (\w+), (\w+)": r"\1 = \2 & \3",
    r"sub\.u32 (\w+), (\w+), (\w+)": r"\1 = \2 - \3",
    r"setp\.eq\.u32 (\w+), (\w+), (\w+)": r"\1 = \2 == \3",
    r"selp\.f32 (\w+), (\w+), (\w+), (\w+)": r"\1 = \4 ? \2 : \3",
}
SOURCE = """
#include <cmath>
#include <cstdint>
#include <cstring>
using std::memcpy;
static float number(uint32_t bits) {{ float x; memcpy(&x, &bits, 4); return x; }}
static float reciprocal(float a, float guess) {{ float r; {reciprocal} return r; }}
static float quotient(float a, float b, float guess) {{ float r; {quotient} return r; }}

// the nearest reciprocal is half a unit off at most: within one there is none but its neighbours
static float guesses(float b, int k) {{
    const float nearest = 1.0f / b;
    uint32_t bits;
    memcpy(&bits, &nearest, 4);
    return number(bits + k);
}}
extern "C" long wrong_reciprocals(uint32_t exponent_and_sign) {{
    long wrong = 0;
    for (uint32_t mantissa = 0; mantissa < 1u << 23; ++mantissa) {{
        const float a = number(exponent_and_sign | mantissa);
        for (int k = -1; k <= 1; ++k) wrong += reciprocal(a, guesses(a, k)) != 1.0f / a;
    }}
    return wrong;
}}
extern "C" long wrong_quotients(uint32_t count) {{
    long wrong = 0;
    uint64_t state = 1;
    for (uint32_t i = 0; i < count; ++i) {{
        state = state * 6364136223846793005u + 1442695040888963407u;
        // every eighth denominator's mantissa is all ones
        const uint32_t mantissa = i % 8 ? state >> 41 : 0x7fffff;
        const float a = number(0x3f000000u + (state >> 17 & 0xffffff)), b = number(0x3f800000u | mantissa);
        for (int k = -1; k <= 1; ++k) wrong += quotient(a, b, guesses(b, k)) != a / b;
    }}
    return wrong;
}}
"""


def as_c(ptx: str) -> str:
    """Translate PTX that computes {r} of {a} and {b}."""
    statements = [s.strip() for s in ptx.format(r="r", a="a", b="b").split(";") if s.strip()]
    translated = []
    for statement in statements:
        statement = statement.replace("0f3F800000", "ONE")
        (c,) = [re.sub(p, to, statement) for p, to in STATEMENTS.items() if re.fullmatch(p, statement)]
        translated.append(c.replace("ONE", "1.0f") + ";")
    return " ".join(translated)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    directory = tmp_path_factory.mktemp("division")
    text = SOURCE.format(reciprocal=as_c(division.RECIPROCAL), quotient=as_c(division.QUOTIENT))
    library = host_compiler.library(directory, text)
    library.wrong_reciprocals.restype = library.wrong_quotients.restype = ctypes.c_long
    return library


@pytest.mark.parametrize("power", [-125, -64, 0, 64, 125])
@pytest.mark.parametrize("sign", [0, 1])
def test_every_reciprocal_is_exact(sign: int, power: int, library: ctypes.CDLL) -> None:
    assert library.wrong_reciprocals(ctypes.c_uint32(sign << 31 | (127 + power) << 23)) == 0


def test_quotients_are_exact(library: ctypes.CDLL) -> None:
    assert library.wrong_quotients(ctypes.c_uint32(20_000_000)) == 0
