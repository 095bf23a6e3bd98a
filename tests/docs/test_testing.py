"""docs/testing.md and docs/interception.md: each of their suites is run by pytest as it stands."""

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "testing.md").read_text("utf-8")
BOTH = PAGE + (DOCS / "interception.md").read_text("utf-8")
SUITES = [block for block in re.findall(r"```python\n(.*?)```", BOTH, re.DOTALL) if "def test_" in block]
PROGRAMS = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "def test_" not in block]


@pytest.mark.parametrize("suite", SUITES, ids=[re.findall(r"def test_(\w+)", suite)[0] for suite in SUITES])
def test_a_suite_on_the_page_passes(pytester: pytest.Pytester, suite: str) -> None:
    # The SDK itself warns of what it uses; that is not what the page is about.
    pytester.makeini("[pytest]\nfilterwarnings = ignore\n")
    pytester.makepyfile(suite)
    pytester.runpytest_inprocess().assert_outcomes(passed=suite.count("def test_"))


def test_the_program_on_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = PROGRAMS
    exec(compile(program, "testing.md", "exec"), {})
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+ world-[0-9a-f]{32} test\n", capsys.readouterr().out)
