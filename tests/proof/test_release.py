"""What is said of a release in several files is the same in all."""

import re
from pathlib import Path

from gpu_sigmoid import __version__

ROOT = Path(__file__).parents[2]


def test_the_version_and_its_date() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    releases = re.findall(r"^## \[([\d.]+)\] - (\d{4}-\d\d-\d\d)$", changelog, re.MULTILINE)
    cited = re.search(r"^version: (.*)\ndate-released: (.*)$", citation, re.MULTILINE)
    assert cited is not None
    assert releases[0] == cited.groups()
    assert releases[0][0] == __version__
