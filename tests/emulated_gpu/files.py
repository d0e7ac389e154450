"""Where compiled things are kept: a folder of the emulated GPU's own among the user's caches."""

import os
import tempfile
from pathlib import Path


def cache_folder(name: str) -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "gpu_sigmoid_emulated_gpu" / name


def written(path: Path, content: bytes) -> Path:
    """Write a file that other processes may read or write at the same time: whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    os.replace(file.name, path)
    return path
