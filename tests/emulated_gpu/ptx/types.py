"""PTX's types: their widths, and LLVM's names for them."""

WIDTHS = {
    **dict.fromkeys(("b8", "u8", "s8"), 8),
    **dict.fromkeys(("b16", "u16", "s16", "f16", "bf16"), 16),
    **dict.fromkeys(("b32", "u32", "s32", "f32"), 32),
    **dict.fromkeys(("b64", "u64", "s64", "f64"), 64),
    "pred": 1,
}
FLOATS = {"f16": "half", "f32": "float", "f64": "double"}


class PtxError(Exception):
    """PTX that the emulated GPU does not run."""


def size(kind: str) -> int:
    """Return a type's bytes in memory."""
    return WIDTHS[kind] // 8


def word(kind: str) -> str:
    """Return LLVM's integer type of a PTX type's width, which registers hold."""
    return f"i{WIDTHS[kind]}"


def rounded_up(offset: int, align: int) -> int:
    return -(-offset // align) * align
