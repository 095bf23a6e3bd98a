"""docs/control-api.md: its examples are run as they stand, and every route is on the page."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from foas_emulator.main import describe_control_api
from foas_emulator.testing import Emulator
from tests.docs.curl import run_curl

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "control-api.md").read_text("utf-8")
BLOCK = re.compile(r"```(sh|json)\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"curl (?:'[^']*'|\\\n|[^'\n])*")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


def commands(block: str) -> list[str]:
    return [command.replace("\\\n", " ") for command in COMMAND.findall(block)]


def fits(shown: Any, answered: Any) -> bool:
    """Whether an answer is the one that a page shows, where `...` stands for anything."""
    if shown == "...":
        return True
    if isinstance(shown, dict) and isinstance(answered, dict):
        return list(shown) == list(answered) and all(fits(shown[name], answered[name]) for name in shown)
    if isinstance(shown, list) and isinstance(answered, list):
        return len(shown) == len(answered) and all(map(fits, shown, answered))
    return bool(shown == answered)


def test_the_examples_answer_what_the_page_shows(emulator: Emulator, tmp_path: Path) -> None:
    answer = ""
    shown = 0
    for language, block in BLOCK.findall(PAGE):
        if language == "json":
            assert fits(json.loads(block), json.loads(answer)), f"the page shows {block}, the answer is {answer}"
            shown += 1
            continue
        for command in commands(block):
            answer = run_curl(command, url=emulator.url, directory=tmp_path)
    assert shown == 4
    assert (tmp_path / "alice.json").read_text("utf-8").startswith('{"snapshot_version": 1')
    assert (tmp_path / "bob.yaml").read_text("utf-8").startswith("snapshot_version: 1")


def test_the_examples_of_testing_md_for_other_languages_run(emulator: Emulator, tmp_path: Path) -> None:
    blocks = [block for language, block in BLOCK.findall((DOCS / "testing.md").read_text("utf-8")) if language == "sh"]
    ran = [run_curl(command, url=emulator.url, directory=tmp_path) for block in blocks for command in commands(block)]
    assert len(ran) == 4
    assert emulator.worlds() == ["default"]


NAMES_ON_THE_PAGE = {
    "{name}": "{w}",
    "{project_name}": "{p}",
    "{job_name}": "{j}",
    "{instance_id}": "{id}",
    "/{rule_id}": "",
    "/{request_id}": "",
}


def on_the_page(path: str) -> str:
    for name, shown in NAMES_ON_THE_PAGE.items():
        path = path.replace(name, shown)
    return path


def test_every_route_of_the_control_api_is_on_the_page() -> None:
    rows = re.findall(r"^\| `([A-Z`, ]+) (\S+)` \|", PAGE, re.MULTILINE)
    shown = {(method, path) for methods, path in rows for method in re.findall("[A-Z]+", methods)}
    routes = {
        (method.upper(), on_the_page(path))
        for path, methods in describe_control_api()["paths"].items()
        if path.startswith("/_emulator")
        for method in methods
    }
    assert routes <= shown
    assert shown - routes == {("GET", "/_emulator/ca.pem")}
