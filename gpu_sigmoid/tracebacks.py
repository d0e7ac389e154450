"""What a traceback says of an exception's origin.

A signal handler may raise an exception of any class in any Python function. Wherever an expected exception
is handled, one of the same class from a signal handler must still reach the caller unchanged.
"""


def raised_in_c(error: BaseException) -> bool:
    """Return whether C code raised an error that the function which calls this has caught.

    Python functions below that one, signal handlers too, would have frames in the traceback.
    """
    return error.__traceback__ is not None and error.__traceback__.tb_next is None
