"""ARCHITECTURE.md names what there is: paths, names of the code, and a test for every invariant."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "app" / "foas_emulator"
TEXT = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
CODE = "\n".join(
    path.read_text("utf-8") for folder in (PACKAGE, ROOT / "tests") for path in sorted(folder.rglob("*.py"))
)
QUOTED = sorted(set(re.findall(r"`([^`\n]+)`", TEXT)))
PATHS = [each for each in QUOTED if re.fullmatch(r"[\w./-]+/[\w./-]*|[\w./-]+\.(py|md|toml)", each) and each[0] != "/"]
NAMES = [each for each in QUOTED if re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", each) and each not in PATHS]
_, _, AFTER = TEXT.partition("## Invariants")
INVARIANTS = [line for line in AFTER.partition("\n## ")[0].splitlines() if re.match(r"\| (?!invariant)", line)]


@pytest.mark.parametrize("path", PATHS)
def test_path_exists(path: str) -> None:
    operations = PACKAGE / "operations"
    places = (ROOT, PACKAGE, ROOT / "tests", operations, operations / "jobs", operations / "instances")
    assert any((place / path).exists() for place in places)


@pytest.mark.parametrize("name", NAMES)
def test_name_stands_in_the_code(name: str) -> None:
    *_, last = name.split(".")
    assert re.search(rf"\b{last}\b", CODE) or (PACKAGE / last).exists()


@pytest.mark.parametrize("line", INVARIANTS, ids=lambda line: line.split("|")[1].strip()[:60])
def test_invariant_names_the_test_that_shows_it(line: str) -> None:
    assert re.search(r"`tests/[\w/]+\.py`", line)


def test_there_are_paths_names_and_invariants() -> None:
    assert len(PATHS) > 20
    assert len(NAMES) > 40
    assert len(INVARIANTS) >= 10
