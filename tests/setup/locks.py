"""What a lock pins, and what the pinned packages require of each other."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from itertools import product

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

Environment = Mapping[str, str]
"""The variables of environment markers, as one interpreter on one system has them."""

SYSTEMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "macos": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
}
MACHINES = {"linux": ("x86_64", "aarch64"), "macos": ("arm64",), "windows": ("AMD64",)}
PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")

_PIN = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?: ; (?P<marker>[^\\\n]+?))? \\\n(?P<rest>(?: .*\n|\n)*)", re.MULTILINE
)
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One locked package: its only version, where it is installed, and the files that may be."""

    name: str
    version: str
    marker: Marker | None
    hashes: frozenset[str]

    def applies(self, environment: Environment) -> bool:
        return self.marker is None or self.marker.evaluate(dict(environment))


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What a package says of itself."""

    requires: tuple[Requirement, ...]
    python: str


def environments() -> dict[str, Environment]:
    """Every environment that is promised, by name."""
    common = {"implementation_name": "cpython", "platform_python_implementation": "CPython", "extra": ""}
    return {
        f"{system} {machine} {python}": {
            **common,
            **SYSTEMS[system],
            "platform_machine": machine,
            "python_version": python,
            "python_full_version": f"{python}.0",
            "implementation_version": f"{python}.0",
        }
        for system, python in product(SYSTEMS, PYTHONS)
        for machine in MACHINES[system]
    }


def read_lock(text: str) -> dict[str, Pin]:
    """The pins of a lock by canonical name."""
    pins: dict[str, Pin] = {}
    for found in _PIN.finditer(text):
        name = canonicalize_name(found["name"])
        assert name not in pins, f"{name} is pinned twice"
        marker = Marker(found["marker"]) if found["marker"] else None
        hashes = frozenset(_HASH.findall(found["rest"]))
        pins[name] = Pin(name=name, version=found["version"], marker=marker, hashes=hashes)
    return pins


def metadata(pin: Pin, elsewhere: Mapping[str, Metadata]) -> Metadata:
    """What the installed package says; `elsewhere` says it for one that this system does not install."""
    try:
        installed = distribution(pin.name)
    except PackageNotFoundError:
        return elsewhere[pin.name]
    assert installed.version == pin.version, f"{pin.name} {installed.version} is installed, not {pin.version}"
    requires = tuple(map(Requirement, installed.requires or ()))
    return Metadata(requires=requires, python=str(installed.metadata.json.get("requires_python", "")))


def unmet(
    roots: Iterable[Requirement], pins: Mapping[str, Pin], known: Mapping[str, Metadata], environment: Environment
) -> tuple[list[str], set[str]]:
    """What an installation lacks in an environment, a sentence each, and the names of all that it needs.

    A package is visited again for every extra that somebody asks of it.
    """
    lacks: list[str] = []
    waiting = [("the project", requirement, "") for requirement in roots]
    visited: set[tuple[str, str]] = set()
    while waiting:
        by, requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({**environment, "extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        pin = pins.get(name)
        if pin is None or not pin.applies(environment):
            lacks.append(f"{by} requires {requirement}, which is not installed")
            continue
        if not requirement.specifier.contains(pin.version, prereleases=True):
            lacks.append(f"{by} requires {requirement}, and {pin.version} is pinned")
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in visited:
                visited.add((name, wanted))
                waiting += [(name, each, wanted) for each in known[name].requires]
    return lacks, {name for name, _ in visited}
