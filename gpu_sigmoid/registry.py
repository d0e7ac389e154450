"""The table of all functions, filled by `functions`.

It is below the backends, because some of them need to know all functions before the first call.
"""

from typing import Any

FUNCTIONS: dict[str, Any] = {}
"""The functions by the names of their formulas; one with a parameter follows the one without."""
