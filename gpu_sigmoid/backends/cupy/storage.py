"""The format of numbers in memory, and the conversion of 16-bit ones to float32 and back, as CUDA C++.

Kernels take 16-bit numbers as their bits. The hardware converts float16, and from compute capability 8.0 on
rounds to bfloat16, with PTX without `.ftz`; otherwise bfloat16 is converted by integer arithmetic.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Storage:
    """A dtype in a kernel: its C type, CuPy's name of it, and the conversions to and from float32."""

    c_type: str
    cupy_name: str
    load: str = "{0}"
    store: str = "{0}"


STORAGES = {
    "float16": Storage("unsigned short", "uint16", "load_half({0})", "store_half({0})"),
    "bfloat16": Storage("unsigned short", "uint16", "load_bfloat16({0})", "store_bfloat16({0})"),
    "float32": Storage("float", "float32"),
    "float64": Storage("double", "float64"),
}

CONVERSIONS = """\
#ifndef GPU_SIGMOID_CONVERSIONS
#define GPU_SIGMOID_CONVERSIONS
namespace gpu_sigmoid {

GS_FUNCTION float load_half(unsigned short bits) {
#ifdef __CUDA_ARCH__
    float number;
    asm("cvt.f32.f16 %0, %1;" : "=f"(number) : "h"(bits));
    return number;
#else
    return bit_cast<_Float16>(bits);
#endif
}

GS_FUNCTION unsigned short store_half(float number) {
#ifdef __CUDA_ARCH__
    unsigned short bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(number));
    return bits;
#else
    return bit_cast<unsigned short>(static_cast<_Float16>(number));
#endif
}

GS_FUNCTION float load_bfloat16(unsigned short bits) {
    return bit_cast<float>(static_cast<unsigned int>(bits) << 16);
}

GS_FUNCTION unsigned short store_bfloat16(float number) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    unsigned short rounded;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(rounded) : "f"(number));
    return rounded;
#else
    const unsigned int bits = bit_cast<unsigned int>(number);
    // a nan must not be rounded up to infinity
    if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<unsigned short>(bits >> 16 | 0x40u);
    // to nearest, ties to even
    return static_cast<unsigned short>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
#endif
}

}  // namespace gpu_sigmoid
#endif
"""
