"""What the emulated GPU is like: environment variables, read once."""

import math
import os


def number(name: str, default: int, most: float = math.inf) -> int:
    variable = f"EMULATED_GPU_{name}"
    text = os.environ.get(variable) or str(default)
    try:
        found = int(text)
    except ValueError:
        raise SystemExit(f"{variable} is to be a whole number, not {text!r}") from None
    if found > most:
        raise SystemExit(f"{variable} is to be {most} at most, not {found}")
    return found


DEVICES = number("DEVICES", 1, most=8)
PROCESSORS = number("PROCESSORS", 8)
MEMORY_BYTES = number("MEMORY_BYTES", 16 << 30)
CAPABILITY = (number("CAPABILITY", 90) // 10, number("CAPABILITY", 90) % 10)
OPT_IN_SHARED_BYTES = number("SHARED_BYTES", 227 << 10)
"""The dynamic shared memory that a block may ask for, beyond what each may have."""
RECIPROCAL_ULP = number("RECIPROCAL_ULP", 0)
"""How far off `rcp.approx` is."""
EXACT_ENDS = bool(number("EXACT_ENDS", 0))
"""Whether an allocation's end is a page's, up to 15 bytes: what goes beyond faults."""
