"""The table of all functions, which `functions` fills.

It stands below the backends, some of which need to know all functions before the first call.
"""

from typing import Any

FUNCTIONS: dict[str, Any] = {}
"""By the names of their formulas: the public ones, each followed by the one with a parameter."""
