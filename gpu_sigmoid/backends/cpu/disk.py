"""Numba's disk cache: a file may be cut short, a disk full, a folder read-only.

Numba caches a kernel in the first folder that it can write to, and looks for it only there. In a container,
the folder that was filled when the image was built is often read-only; here it is read nevertheless.
"""

import contextlib
import os
from typing import Any

from numba.core.caching import FunctionCache, IndexDataCacheFile

PLACES = FunctionCache._impl_class._locator_classes


class Readable:
    """Turns one of Numba's cache locations into one that may be read-only."""

    get_cache_path: Any

    def ensure_cache_path(self) -> None:
        if not os.path.isdir(self.get_cache_path()):
            raise FileNotFoundError(self.get_cache_path())


# NUMBA_CACHE_DIR, and the folder beside the package
READABLE: list[Any] = [type(f"Readable{place.__name__}", (Readable, place), {}) for place in PLACES[:2]]


class Implementation(FunctionCache._impl_class):
    _locator_classes = (*PLACES, *READABLE)


class Cache(FunctionCache):
    """A function's kernels on disk; if one cannot be read or written, it is compiled."""

    _impl_class = Implementation
    _cache_file: Any

    def load_overload(self, *args: Any) -> Any:
        own = self._cache_file
        try:
            for file in (own, *self.others()):
                self._cache_file = file
                with contextlib.suppress(Exception):
                    if (found := super().load_overload(*args)) is not None:
                        return found
        finally:
            self._cache_file = own
        return None

    def others(self) -> list[IndexDataCacheFile]:
        """Return the other place where the kernels may be: NUMBA_CACHE_DIR leaves no second one."""
        for readable in READABLE:
            place = readable.from_function(self._py_func, self._py_func.__code__.co_filename)
            if place is not None:
                path, stamp = place.get_cache_path(), place.get_source_stamp()
                return [IndexDataCacheFile(path, self._impl.filename_base, stamp)]
        return []

    def save_overload(self, *args: Any) -> None:
        with contextlib.suppress(Exception):
            super().save_overload(*args)
