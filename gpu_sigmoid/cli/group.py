"""The command's outer layer, which reports the errors common to all subcommands in one line."""

import errno
import io
import os
import signal
import sys
from concurrent.futures import BrokenExecutor
from typing import Any, NoReturn

import click

from gpu_sigmoid.cli.paths import reason
from gpu_sigmoid.cli.signals import Interrupted
from gpu_sigmoid.environment import THREADS_VARIABLE, get_num_threads

HELP = {"help_option_names": ["-h", "--help"]}
OF_WRITING = (errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC)


class Commands(click.Group):
    """A group that handles standard output and the environment for its subcommands."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a subcommand and end the program, even if standard output fails."""
        keep_standard_streams_apart()
        try:
            try:
                return super().main(*args, **kwargs)
            finally:
                # a failure must show here, not when the interpreter ends
                if sys.stdout is not None:
                    sys.stdout.flush()
        except Interrupted:
            click.echo("\ninterrupted", err=True)
            raise
        except MemoryError as error:
            fail(f"not enough memory: {error}".rstrip(": "))
        except OSError as error:
            drop_standard_output()
            # a reader that closes a pipe has read enough; Windows then reports EINVAL
            at_pipe = os.name == "nt" and error.errno == errno.EINVAL and not error.filename
            if at_pipe or isinstance(error, BrokenPipeError):
                sys.exit(1)
            # other files that cannot be written come with a name
            unnamed = "standard output" if error.errno in OF_WRITING else "the system refused"
            fail(f"{error.filename or unnamed}: {reason(error)}")
        except ModuleNotFoundError as error:
            fail(str(error))
        except BrokenExecutor:
            fail("a measuring process was killed, perhaps because memory ran out")
        except RuntimeError as error:
            if "start new thread" not in str(error):
                raise
            fail("the system refused to start another thread; `ulimit -u` gives the limit")

    def invoke(self, ctx: click.Context) -> Any:
        """Run a subcommand if the environment variables are valid."""
        try:
            if {*ctx.help_option_names}.isdisjoint(ctx.args):
                get_num_threads()
        except ValueError:
            value = repr(os.environ.get(THREADS_VARIABLE))[:40]
            raise click.ClickException(
                f"{THREADS_VARIABLE} is {value}; set it to a positive integer or unset it"
            ) from None
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted(128 + signal.SIGINT) from None


def fail(message: str) -> NoReturn:
    click.ClickException(message).show()
    sys.exit(1)


def keep_standard_streams_apart() -> None:
    """Open the standard streams that are closed, lest the next file take their numbers.

    Anything written to standard error, even by a C library, would then go into that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # processes that are started have it too
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for number, name in enumerate(("stdout", "stderr"), 1):
        if getattr(sys, name) is None:
            # NumPy 2.0 needs one in f2py, which SciPy imports
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8"))
    if isinstance(sys.stdout, io.TextIOWrapper):
        # a file's name may contain characters that the encoding lacks
        sys.stdout.reconfigure(errors="backslashreplace")


def drop_standard_output() -> None:
    """Drop output that cannot be written, since the interpreter would try again."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
