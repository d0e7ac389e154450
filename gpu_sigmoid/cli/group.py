"""The command's outer layer: what may go wrong in every subcommand is said in one line."""

import errno
import io
import os
import sys
from concurrent.futures import BrokenExecutor
from typing import Any, NoReturn

import click

from gpu_sigmoid.cli.paths import reason
from gpu_sigmoid.cli.signals import Interrupted
from gpu_sigmoid.environment import THREADS_VARIABLE, get_num_threads

OF_WRITING = (errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC)


class Commands(click.Group):
    """A group whose subcommands need not look after standard output and the environment."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a subcommand and end the program, whatever happens to standard output."""
        keep_standard_streams_apart()
        try:
            try:
                return super().main(*args, **kwargs)
            finally:
                # a failure is to be seen here, not when the interpreter ends
                if sys.stdout is not None:
                    sys.stdout.flush()
        except Interrupted:
            click.echo("\ninterrupted", err=True)
            raise
        except MemoryError as error:
            fail(f"not enough memory: {error}".rstrip(": "))
        except OSError as error:
            drop_standard_output()
            # who closes a pipe has read enough; Windows then says EINVAL
            at_pipe = os.name == "nt" and error.errno == errno.EINVAL and not error.filename
            if at_pipe or isinstance(error, BrokenPipeError):
                sys.exit(1)
            # what fails to be written elsewhere comes with a name
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
        """Run a subcommand where the environment allows it."""
        try:
            if "--help" not in ctx.args:
                get_num_threads()
        except ValueError:
            value = repr(os.environ.get(THREADS_VARIABLE))[:40]
            raise click.ClickException(
                f"{THREADS_VARIABLE} is {value}; set it to a positive integer or unset it"
            ) from None
        return super().invoke(ctx)


def fail(message: str) -> NoReturn:
    click.ClickException(message).show()
    sys.exit(1)


def keep_standard_streams_apart() -> None:
    """Open what of standard input, output and error is closed, lest the next file take its number.

    Whatever is then written to standard error, by a library in C too, would go into that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # a file's name may hold what the encoding cannot say
        sys.stdout.reconfigure(errors="backslashreplace")


def drop_standard_output() -> None:
    """Drop what cannot be written to standard output, which the interpreter would try again."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
