"""docs/recipes.md: every recipe is run as it stands, against a server that listens."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from foas_emulator.testing import Emulator, World

PAGE = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text("utf-8")
BLOCK = re.compile(r"```(python|yaml)\n(.*?)```", re.DOTALL)
OF_OTHER_TOOLS = re.compile(r"```(sh|ts)\n")
PREAMBLE, *SECTIONS = re.split(r"^## ", PAGE, flags=re.MULTILINE)
ALL = dict(section.split("\n", 1) for section in SECTIONS)
RECIPES = {name: section for name, section in ALL.items() if not OF_OTHER_TOOLS.search(section)}
"""Those that are tests in Python; test_recipes_with_tools.py has the others."""


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    """Runs the blocks of a section, its files in the working directory; gives what they define."""
    monkeypatch.chdir(tmp_path)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PACT_DO_NOT_TRACK", "true")

    def define(section: str) -> dict[str, Any]:
        defined: dict[str, Any] = {"__name__": "recipes"}
        for language, text in BLOCK.findall(PREAMBLE + section):
            if language == "yaml":
                file = text.partition("\n")[0].removeprefix("# ")
                (tmp_path / file).write_text(text, "utf-8")
            else:
                exec(compile(text, "recipes.md", "exec"), defined)
        return defined

    return define


def test_there_are_ten_recipes_and_four_of_contracts() -> None:
    assert len(ALL) == 10 + 4
    assert len(RECIPES) == 10 + 2


@pytest.mark.parametrize("name", RECIPES)
def test_the_recipe_works(name: str, program: Callable[[str], dict[str, Any]], emulator: Emulator) -> None:
    defined = program(RECIPES[name])
    tests = [value for key, value in defined.items() if key.startswith("test_")]
    assert tests
    for number, test in enumerate(tests):
        world = World(emulator.control, f"recipe-{list(RECIPES).index(name)}-{number}")
        world.create()
        test(world)
        world.drop()
