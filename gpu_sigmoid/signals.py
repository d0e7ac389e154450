"""The signals that end a program, and whether an exception may come from a handler of one.

A signal handler may raise an exception of any class in any Python function. Wherever an expected exception
is handled, one of the same class from a signal handler must still reach the caller unchanged.
"""

import signal

ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def raised_in_c(error: BaseException) -> bool:
    """Return whether C code raised an error that the function which calls this has caught.

    Python functions below that one, signal handlers too, would have frames in the traceback.
    """
    return error.__traceback__ is not None and error.__traceback__.tb_next is None
