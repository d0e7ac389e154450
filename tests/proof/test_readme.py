"""The README's snippets and commands run as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
# indented commands are not among them: they set up an environment, which .ci/run does
BLOCKS = re.findall(r"^```(python|sh)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("language, text", BLOCKS, ids=[text.splitlines()[0] for _, text in BLOCKS])
def test_block_runs(language: str, text: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", text] if language == "python" else ["sh", "-euxc", text]
    scripts = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": os.pathsep.join([scripts, os.environ["PATH"]])}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_there_are_blocks_of_both_kinds() -> None:
    assert {language for language, _ in BLOCKS} == {"python", "sh"}
