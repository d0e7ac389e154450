"""The table of the public functions, which `functions` fills.

It stands below the backends, some of which need to know all functions before the first call.
"""

from typing import Any

FUNCTIONS: dict[str, Any] = {}
