"""What tests need from the operating system."""

import os
import signal

import pytest

from gpu_sigmoid.signals import ENDING

POSIX = os.name == "posix"
REASON = "needs the signals, pipes, links and limits of POSIX"
SIGNALS = [signal.Signals(number) for number in ENDING]

posix = pytest.mark.skipif(not POSIX, reason=REASON)
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
# Python warns of a fork in a process that has threads
forks = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def need_posix() -> None:
    """Skip the calling module on other systems."""
    if not POSIX:
        pytest.skip(REASON, allow_module_level=True)
