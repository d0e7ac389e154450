"""On the path of processes that are to find the emulated GPU: turns it on before anything is imported."""

import sys
from pathlib import Path

tests = str(Path(__file__).parents[2])
sys.path.append(tests)
import emulated_gpu.turned_on  # noqa: E402, F401

sys.path.remove(tests)
