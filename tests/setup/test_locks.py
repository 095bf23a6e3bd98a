"""A locked installation resolves nothing: whatever a locked package requires is pinned, wherever we promise to run."""

import re
import tomllib
from dataclasses import replace
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

INSTALLS = re.compile(r"(?:pip3?\s+install|\$\(PIP\)\s+install|(?m:^ +install))(?P<rest>\s(?:\\\n|[^\n&|;`#])*)")
LOCKED = r'(?:--no-cache-dir )?--no-deps --require-hashes -r (?:"\$GITHUB_ACTION_PATH/)?requirements[a-z-]*\.lock"?'
OURS = r'(?:--no-cache-dir )?--no-deps --no-build-isolation (?:-e )?(?:\.|"\$GITHUB_ACTION_PATH")'
MAKES = re.compile(rf"(?:{LOCKED}|{OURS})(?: >)?")  # its output goes elsewhere
READERS = {
    "docs/ci.md": ('"$FOAS_EMULATOR"', '--no-deps "$FOAS_EMULATOR"', '-r requirements.txt "$FOAS_EMULATOR"'),
    "action.yml": ('"$VERSION"',),
}
"""What projects of our readers install, which no lock of ours can hold: their own list, a release that they name."""


@pytest.fixture(scope="module")
def known() -> dict[str, Metadata]:
    return {name: metadata(pin, ELSEWHERE) for pins in LOCKS.values() for name, pin in pins.items()}


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_requirement_is_met_by_a_pin(lock: str, environment: str, known: dict[str, Metadata]) -> None:
    lacks, _ = unmet(ROOTS[lock], LOCKS[lock], known, ENVIRONMENTS[environment])
    assert not lacks


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_is_installed_is_what_is_needed(lock: str, environment: str, known: dict[str, Metadata]) -> None:
    """A marker that is lost would install what a system cannot have, such as uvloop on Windows."""
    pins, where = LOCKS[lock], ENVIRONMENTS[environment]
    _, needed = unmet(ROOTS[lock], pins, known, where)
    assert needed == {name for name, pin in pins.items() if pin.applies(where)}
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


ALL_LOCKS = [
    str(file.relative_to(ROOT))
    for directory in ("examples", "tests")
    for file in (ROOT / directory).rglob("*lock*")
    if file.name.endswith((".lock", "-lock.json"))
]
"""What the examples and the programs of the tests install."""


@pytest.mark.parametrize("lock", ALL_LOCKS)
def test_lock_of_another_project_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    assert "sha" in text, "nothing is pinned by a hash"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_that_is_missing_is_found(lock: str, known: dict[str, Metadata]) -> None:
    for dropped, pin in LOCKS[lock].items():
        pins = {name: each for name, each in LOCKS[lock].items() if name != dropped}
        where = next(each for each in ENVIRONMENTS.values() if pin.applies(each))
        lacks, _ = unmet(ROOTS[lock], pins, known, where)
        assert [lack for lack in lacks if f" requires {dropped}" in canonical(lack)], dropped


def test_every_marker_that_is_lost_is_found(known: dict[str, Metadata]) -> None:
    pins = LOCKS["requirements-dev.lock"]
    for name in ("uvloop", "colorama"):
        assert pins[name].marker is not None
        everywhere = {**pins, name: replace(pins[name], marker=None)}
        needs = [unmet(ROOTS["requirements-dev.lock"], everywhere, known, each)[1] for each in ENVIRONMENTS.values()]
        assert [needed for needed in needs if name not in needed], name


def canonical(text: str) -> str:
    """A sentence about requirements with every name as locks spell it."""
    return re.sub(r"[-_.]+", "-", text.lower())


def test_pin_of_another_version_is_found(known: dict[str, Metadata]) -> None:
    old = Pin(name="click", version="7.0", marker=None, hashes=frozenset())
    lacks, _ = unmet(RUN_TIME, {**LOCKS["requirements.lock"], "click": old}, known, ENVIRONMENTS["macos arm64 3.14"])
    assert "the project requires click>=8.2, and 7.0 is pinned" in lacks


def test_requirement_of_an_extra_is_followed() -> None:
    """The case that once stopped every fresh clone: `coverage[toml]` beside a pinned `coverage`."""
    pins = {name: Pin(name=name, version="1", marker=None, hashes=frozenset()) for name in ("plain", "other")}
    known = {
        "plain": Metadata(requires=(Requirement('more; extra == "rich"'),), python=""),
        "other": Metadata(requires=(Requirement("plain[rich]"),), python=""),
    }
    lacks, _ = unmet([Requirement("plain"), Requirement("other")], pins, known, ENVIRONMENTS["linux x86_64 3.11"])
    assert lacks == ['plain requires more; extra == "rich", which is not installed']


def installs(text: str) -> list[str]:
    """The arguments of everything in a text that installs packages."""
    return [" ".join(found["rest"].replace("\\\n", " ").split()) for found in INSTALLS.finditer(text)]


def test_everything_that_installs_installs_a_lock_or_this_project_alone() -> None:
    files = [ROOT / name for name in ("Makefile", "Dockerfile", "action.yml", ".ci/run")]
    for folder, pattern in ((".github", "*.yml"), ("scripts", "*.py"), ("benchmarks", "*.py"), ("examples", "*")):
        files += (ROOT / folder).rglob(pattern)
    files += [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    found = {
        (file.relative_to(ROOT).as_posix(), rest)
        for file in files
        if file.is_file() and "node_modules" not in file.parts
        for rest in installs(file.read_text("utf-8", "replace"))
    }
    assert {"Makefile", "Dockerfile", "action.yml", "docs/ci.md"} <= {name for name, _ in found}
    unlocked = {(name, rest) for name, rest in found if MAKES.fullmatch(rest) is None}
    assert unlocked == {(name, rest) for name, allowed in READERS.items() for rest in allowed}, "and none is needless"


@pytest.mark.parametrize(
    "command",
    [
        "pip install .",
        "pip install -r requirements.lock",
        "pip install --require-hashes -r requirements.lock",
        "pip install --no-deps -r requirements.lock",
        "pip install --no-deps --no-build-isolation . httpx",
        "  install --no-deps --require-hashes -r requirements.lock httpx",
    ],
)
def test_an_installation_that_resolves_anything_is_found(command: str) -> None:
    (rest,) = installs(command + "\n")
    assert MAKES.fullmatch(rest) is None
