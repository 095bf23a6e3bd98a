"""A locked installation resolves nothing: whatever a locked package requires is pinned, wherever we promise to run."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.setup.locks import PYTHONS, Metadata, Pin, environments, metadata, read_lock, unmet

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
GROUPS = {name: list(map(Requirement, listed)) for name, listed in PROJECT["dependency-groups"].items()}
RUN_TIME = [*map(Requirement, PROJECT["project"]["dependencies"]), *GROUPS["build"]]
ROOTS = {"requirements.lock": RUN_TIME, "requirements-dev.lock": [*RUN_TIME, *GROUPS["dev"]]}
LOCKS = {name: read_lock((ROOT / name).read_text("utf-8")) for name in ROOTS}
ENVIRONMENTS = environments()

ELSEWHERE = {
    name: Metadata(requires=(), python=python)
    for name, python in (("colorama", ">=2.7"), ("tzdata", ">=2"), ("uvloop", ">=3.8.1"))
}
"""What is installed on some systems only. None of them requires a package; where one is installed, it says so."""

INSTALLS = re.compile(r"(?:pip3?|\$\(PIP\))\s+install\b(?P<rest>(?:\\\n|[^\n&|;`])*)")
LOCKED = re.compile(r"--no-deps --require-hashes -r requirements[a-z-]*\.lock")
READERS = re.compile(r'^(?:-r requirements\.txt|(?:--no-deps )?"\$FOAS_EMULATOR")')
"""What the project of a page's reader installs: its own list, and a release of the emulator."""
OURS = re.compile(r"--no-deps --no-build-isolation (?:-e )?\.")


@pytest.fixture(scope="module")
def known() -> dict[str, Metadata]:
    return {name: metadata(pin, ELSEWHERE) for pins in LOCKS.values() for name, pin in pins.items()}


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_requirement_is_met_by_a_pin(lock: str, environment: str, known: dict[str, Metadata]) -> None:
    lacks, _ = unmet(ROOTS[lock], LOCKS[lock], known, ENVIRONMENTS[environment])
    assert not lacks


@pytest.mark.parametrize("lock", LOCKS)
def test_no_pin_is_needless_and_each_has_hashes(lock: str, known: dict[str, Metadata]) -> None:
    pins = LOCKS[lock]
    needed = {name for each in ENVIRONMENTS.values() for name in unmet(ROOTS[lock], pins, known, each)[1]}
    assert needed == pins.keys()
    assert all(pin.hashes for pin in pins.values())


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_installs_on_every_python(lock: str, known: dict[str, Metadata]) -> None:
    refused = [
        f"{name} wants Python {known[name].python}"
        for name in LOCKS[lock]
        for python in PYTHONS
        if not SpecifierSet(known[name].python).contains(f"{python}.0")
    ]
    assert not refused


def test_locks_agree_on_what_they_share() -> None:
    run_time, development = LOCKS["requirements.lock"], LOCKS["requirements-dev.lock"]
    assert {name: development.get(name) for name in run_time} == run_time
    mutants = read_lock((ROOT / "requirements-mutants.lock").read_text("utf-8"))
    shared = mutants.keys() & development.keys()
    assert shared
    for name in shared:  # it is installed over the other
        assert (mutants[name].version, mutants[name].hashes) == (development[name].version, development[name].hashes)


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_address_and_nothing_but_pins(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    pins = [line for line in text.splitlines() if line[:1] not in (" ", "#", "")]
    assert len(pins) == len(LOCKS[lock]), "a line that is no pin with hashes"


@pytest.mark.parametrize("dropped", ["click", "pydantic-core", "setuptools", "uvloop", "pyyaml"])
def test_pin_that_is_missing_is_found(dropped: str, known: dict[str, Metadata]) -> None:
    pins = {name: pin for name, pin in LOCKS["requirements.lock"].items() if name != dropped}
    lacks, _ = unmet(RUN_TIME, pins, known, ENVIRONMENTS["linux x86_64 3.11"])
    assert [lack for lack in lacks if f" requires {dropped}" in lack.lower().replace("_", "-")]


def test_pin_of_another_version_is_found(known: dict[str, Metadata]) -> None:
    old = Pin(name="click", version="7.0", marker=None, hashes=frozenset())
    lacks, _ = unmet(RUN_TIME, {**LOCKS["requirements.lock"], "click": old}, known, ENVIRONMENTS["macos arm64 3.14"])
    assert "the project requires click>=8.1, and 7.0 is pinned" in lacks


def test_requirement_of_an_extra_is_followed() -> None:
    """The case that once stopped every fresh clone: `coverage[toml]` beside a pinned `coverage`."""
    pins = {name: Pin(name=name, version="1", marker=None, hashes=frozenset()) for name in ("plain", "other")}
    known = {
        "plain": Metadata(requires=(Requirement('more; extra == "rich"'),), python=""),
        "other": Metadata(requires=(Requirement("plain[rich]"),), python=""),
    }
    lacks, _ = unmet([Requirement("plain"), Requirement("other")], pins, known, ENVIRONMENTS["linux x86_64 3.11"])
    assert lacks == ['plain requires more; extra == "rich", which is not installed']


def test_everything_that_installs_installs_a_lock_or_this_project_alone() -> None:
    files = [ROOT / "Makefile", ROOT / "Dockerfile", ROOT / ".ci/run", ROOT / "docs/ci.md"]
    files += [*(ROOT / ".github").rglob("*.yml"), *(ROOT / "scripts").rglob("*"), *(ROOT / "benchmarks").rglob("*.py")]
    installs = [
        (file.name, " ".join(found["rest"].replace("\\\n", " ").split()))
        for file in files
        if file.is_file() and file.suffix != ".pyc"
        for found in INSTALLS.finditer(file.read_text("utf-8"))
    ]
    assert installs
    allowed = {"ci.md": (LOCKED, OURS, READERS)}
    assert not [
        (name, rest)
        for name, rest in installs
        if not any(pattern.search(rest) for pattern in allowed.get(name, (LOCKED, OURS)))
    ]
