"""docs/testing.md and docs/interception.md: each of their suites is run by pytest as it stands."""

import re
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from foas_emulator.cli import main
from foas_emulator.testing import Emulator

pytest_plugins = ["pytester"]

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "testing.md").read_text("utf-8")
BOTH = PAGE + (DOCS / "interception.md").read_text("utf-8")
SUITES = [block for block in re.findall(r"```python\n(.*?)```", BOTH, re.DOTALL) if "def test_" in block]
PROGRAMS = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "def test_" not in block]
TASKS = [re.findall(r"`([^`]+)`", row) for row in re.findall(r"^\| [^|]+ \| `foas_world.*\|$", PAGE, re.MULTILINE)]
CHINESE = (DOCS / "testing.zh-CN.md").read_text("utf-8")
IN_CHINESE = re.findall(r"^\| [^|]+ \| `foas_world.*\|$", CHINESE, re.MULTILINE)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: str(task[0]))
def test_a_common_task_is_done_in_each_way(task: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shop.yaml").write_text("projects: [{Name: shop}]\n", "utf-8")
    with Emulator() as emulator:
        exec(task[0], {"foas_world": emulator.world("default"), "Path": Path})
        for cell in task[1:]:
            method, _, path = cell.partition(" ")
            if method == "foas-emulator":
                result = CliRunner().invoke(main, [*path.split(), "--url", emulator.url])
                assert result.exit_code == 0, result.output
            elif method.isupper():
                body = task[-1] if task[-1].startswith("{") else None
                answer = httpx.request(method, f"{emulator.url}/_emulator/worlds/default{path}", content=body)
                assert answer.is_success, answer.text


def test_the_common_tasks_are_the_same_in_chinese() -> None:
    assert len(TASKS) > 5
    assert [re.findall(r"`([^`]+)`", row) for row in IN_CHINESE] == TASKS


def test_the_examples_are_the_same_in_chinese() -> None:
    english, chinese = (re.findall(r"^```.*?^```", page, re.DOTALL | re.MULTILINE) for page in (PAGE, CHINESE))
    assert chinese == english


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
