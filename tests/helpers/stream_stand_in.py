"""A stand-in for CuPy's streams, for NumPy: a stream's calls run when somebody waits for it."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np


class Stream:
    """A queue of calls; while it captures, calls are added to a graph and do not run."""

    stack: ClassVar[list["Stream"]] = []

    def __init__(self, non_blocking: bool = False) -> None:
        assert non_blocking or not Stream.stack
        self.waiting: list[Callable[[], Any]] = []
        self.captured: list[Callable[[], Any]] | None = None

    def __enter__(self) -> "Stream":
        Stream.stack.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        Stream.stack.pop()

    def synchronize(self) -> None:
        if self.captured is not None:
            raise RuntimeError("cannot wait for a stream that captures")
        while self.waiting:
            self.waiting.pop(0)()

    def begin_capture(self) -> None:
        self.captured = []

    def end_capture(self) -> Any:
        calls, self.captured = self.captured or [], None
        return SimpleNamespace(launch=lambda: [put(call) for call in calls])


def put(call: Callable[[], Any]) -> None:
    """Put a call on the current stream; the default one runs it at once."""
    if not Stream.stack:
        call()
        return
    stream = Stream.stack[-1]
    (stream.waiting if stream.captured is None else stream.captured).append(call)


def copyto(target: Any, source: Any) -> None:
    put(lambda: np.copyto(target, source))


XP = SimpleNamespace(
    asarray=np.array,
    copyto=copyto,
    cuda=SimpleNamespace(Stream=Stream, Device=lambda: SimpleNamespace(synchronize=lambda: None)),
)
