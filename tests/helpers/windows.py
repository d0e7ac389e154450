"""An imitation of Windows on Linux: without POSIX's features, and with open files that cannot be replaced."""

import errno
import fcntl
import os
import signal
import sys
from pathlib import Path
from typing import Any

LACKS: dict[Any, tuple[str, ...]] = {
    os: (
        *("fork", "forkpty", "register_at_fork", "sched_getaffinity", "sched_setaffinity", "posix_fallocate"),
        *("getuid", "geteuid", "mkfifo", "chown", "killpg", "setsid"),
    ),
    signal: ("SIGHUP", "SIGALRM", "SIGKILL", "SIGUSR1", "setitimer", "pthread_sigmask", "pause"),
}
MODULES = ("fcntl", "resource", "pwd", "grp")


def pretend() -> None:
    """Let this process behave as on Windows from now on."""
    for module, names in LACKS.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    os.fsync = of_writable_files(os.fsync)
    for name in ("unlink", "remove", "rename", "replace", "rmdir"):
        setattr(os, name, of_closed_files(getattr(os, name)))


def of_writable_files(fsync: Any) -> Any:
    def on_windows(file: int) -> None:
        if fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        fsync(file)

    return on_windows


def of_closed_files(function: Any) -> Any:
    def on_windows(*paths: Any, **options: Any) -> Any:
        for path in paths:
            if any(is_within(file, path, options) for file in open_files()):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return function(*paths, **options)

    return on_windows


def open_files() -> list[Path]:
    """Return the files that this process has open or mapped."""
    found = [Path(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    files = [Path(os.readlink(path)) for path in found if os.path.lexists(path)]
    maps = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    return files + [Path(parts[5]) for line in maps if len(parts := line.split(maxsplit=5)) == 6]


def is_within(file: Path, path: Any, options: dict[str, Any]) -> bool:
    """Return whether a file is at a path or below it."""
    folder = options.get("dir_fd")
    at = Path(
        os.readlink(f"/proc/self/fd/{folder}") if folder is not None else ".", os.fsdecode(path)
    ).absolute()
    return file == at or (at.is_dir() and at in file.parents)
