"""What a run's document says of the machine, from what Linux tells."""

import shutil
import subprocess
from pathlib import Path

import pytest

from bench import conditions


def test_caches_and_clock_as_the_system_tells(tmp_path: Path) -> None:
    files = {
        "cpu0/cache/index0/level": "1",
        "cpu0/cache/index0/type": "Data",
        "cpu0/cache/index0/size": "48K",
        "cpufreq/boost": "1",
        "cpu0/cpufreq/scaling_governor": "performance",
        "smt/active": "0",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{content}\n")
    assert conditions.caches(tmp_path) == "L1 data 48 KiB"
    assert conditions.clock(tmp_path).endswith("boost on, governor performance, one thread a core")
    (tmp_path / "cpufreq/boost").unlink()
    (tmp_path / "intel_pstate").mkdir()
    (tmp_path / "intel_pstate/no_turbo").write_text("1")
    assert "boost off" in conditions.clock(tmp_path)


def test_what_is_not_told_is_said(tmp_path: Path) -> None:
    assert conditions.caches(tmp_path) == ""
    assert conditions.clock(tmp_path).endswith("boost not told")


def test_the_target_is_what_kernels_are_compiled_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert conditions.target()
    monkeypatch.setattr(conditions.config, "CPU_NAME", "haswell")
    assert conditions.target() == "haswell"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_commit_is_named_and_whether_files_differ(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        command = ["git", *identity, "-C", str(tmp_path), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    assert conditions.revision(tmp_path) == ""
    git("init")
    (tmp_path / "x").write_text("1")
    git("add", "x")
    git("commit", "-m", "x")
    git("tag", "v1", "-m", "v1")
    commit = git("rev-parse", "HEAD")[:7]
    assert conditions.revision(tmp_path) == commit
    (tmp_path / "x").write_text("2")
    assert conditions.revision(tmp_path) == f"{commit}-dirty"
