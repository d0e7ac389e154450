"""What the packages that gpu_sigmoid and its extras install say of their licences."""

import importlib.metadata
from collections.abc import Iterator

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOR_USERS = ("cuda12", "cuda13", "numba-cuda", "torch", "jax", "dask", "stores", "demo")
"""The extras that are not for those who work on the library."""


def rows() -> list[tuple[str, str, str, str]]:
    """Return name, version, licence, and the extras that bring it, of all packages found here."""
    brought: dict[str, list[str]] = {}
    for extra in ("", *FOR_USERS):
        for name in dict.fromkeys(installed_with("gpu-sigmoid", (extra,), set())):
            brought.setdefault(name, []).append(extra)
    return [
        (name, *licence(name), "always" if extras[0] == "" else ", ".join(extras))
        for name, extras in sorted(brought.items())
    ]


def installed_with(package: str, extras: tuple[str, ...], seen: set) -> Iterator[str]:
    """Yield what a package asks for, and what that asks for, where markers hold on this machine."""
    if (package, extras) in seen:
        return
    seen.add((package, extras))
    try:
        requirements = map(Requirement, importlib.metadata.requires(package) or ())
    except importlib.metadata.PackageNotFoundError:
        return
    for asked in requirements:
        if asked.marker is None or any(asked.marker.evaluate({"extra": extra}) for extra in extras or ("",)):
            name = canonicalize_name(asked.name)
            yield name
            yield from installed_with(name, tuple(sorted(asked.extras)), seen)


def licence(package: str) -> tuple[str, str]:
    """Return an installed package's version, and what its metadata says of the licence."""
    try:
        said = importlib.metadata.metadata(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed here", ""
    named = [c.rpartition(" :: ")[2] for c in said.get_all("Classifier", []) if c.startswith("License ::")]
    text = said.get("License-Expression") or ", ".join(named) or (said.get("License") or "").split("\n")[0]
    return said["Version"], text or "not said"
