"""What tests need of the system."""

import os
import signal

import pytest

from gpu_sigmoid.cli.signals import ENDING

POSIX = os.name == "posix"
REASON = "of POSIX's signals, pipes, links and limits"
SIGNALS = [signal.Signals(number) for number in ENDING]

posix = pytest.mark.skipif(not POSIX, reason=REASON)


def need_posix() -> None:
    """Skip the module that asks on another system."""
    if not POSIX:
        pytest.skip(REASON, allow_module_level=True)
