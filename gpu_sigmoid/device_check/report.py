"""The findings as a table and as JSON."""

import json
from pathlib import Path
from typing import Any

from gpu_sigmoid import machine
from gpu_sigmoid.device_check.subject import Finding


def table(findings: list[Finding]) -> str:
    """Return a line per kind of check, and one per failure."""
    lines = [f"{'check':10}{'cases':>8}{'elements':>18}{'failures':>10}"]
    for kind in dict.fromkeys(f.check for f in findings):
        those = [f for f in findings if f.check == kind]
        failed = sum(f.failure is not None for f in those)
        lines.append(f"{kind:10}{len(those):>8}{sum(f.elements for f in those):>18,}{failed:>10}")
    lines += [f"FAILED {f.check}: {f.subject}: {f.failure}" for f in findings if f.failure]
    return "\n".join(lines)


def write(path: Path, findings: list[Finding], planned: int, device: dict[str, Any]) -> None:
    """Write the findings and the number of planned checks, with the device and the versions."""
    versions = machine.versions([*machine.ON_GPU, "torch"])
    content = {
        "device": device,
        "versions": versions,
        "planned": planned,
        "findings": [vars(f) for f in findings],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
