"""The bytes from which on results bypass the caches."""

from pathlib import Path

import pytest

from gpu_sigmoid.backends.cpu import caches


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        (["48K", "1024K", "32768K"], 32 << 20),
        (["266240K", "2048K"], caches.MOST),
        (["unknown", ""], caches.UNKNOWN),
        ([], caches.UNKNOWN),
    ],
)
def test_last_cache(sizes: list[str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, size in enumerate(sizes):
        folder = tmp_path / f"index{number}"
        folder.mkdir()
        (folder / "size").write_text(size)
    monkeypatch.setattr(caches, "CACHES", tmp_path)
    assert caches.last_cache.__wrapped__() == expected
