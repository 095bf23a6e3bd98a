"""SECURITY.md: every promise names tests that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_, _, *ROWS = [line for line in (ROOT / "SECURITY.md").read_text("utf-8").splitlines() if line.startswith("|")]


def test_there_are_promises() -> None:
    assert len(ROWS) > 15


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_promise_names_tests_that_are_there(row: str) -> None:
    against, promise, tests = (cell.strip() for cell in row.strip("|").split(" | "))
    assert against
    assert promise
    named = re.findall(r"`(tests/[a-z0-9_/]+\.py)`", tests)
    assert named
    assert [path for path in named if not (ROOT / path).is_file()] == []
