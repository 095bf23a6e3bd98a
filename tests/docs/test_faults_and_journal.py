"""docs/faults.md and docs/journal.md: their examples are accepted, and nothing there is goes unmentioned."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from foas_emulator.faults.document import FaultDocument
from foas_emulator.faults.effects import EFFECTS
from foas_emulator.journal.queries import Filter
from foas_emulator.journal.verification import Expectation
from tests.api import Api, open_api

DOCS = Path(__file__).parents[2] / "docs"
FAULTS = (DOCS / "faults.md").read_text("utf-8")
JOURNAL = (DOCS / "journal.md").read_text("utf-8")
BLOCK = re.compile(r"```json\n(.*?)```", re.DOTALL)
EFFECT = re.compile(r"`(\{.*?\})`[,| ]")


@pytest.fixture(scope="module")
def api() -> Any:
    with open_api() as api:
        yield api


def post(api: Api, path: str, document: Any) -> int:
    return api.request("POST", f"/_emulator/worlds/default/{path}", json=document).status_code


def effects() -> list[dict[str, Any]]:
    table = FAULTS.partition("## Effects")[2].partition("## What to know")[0]
    return [json.loads(text) for text in EFFECT.findall(table)]


@pytest.mark.parametrize("text", BLOCK.findall(FAULTS))
def test_a_rule_of_the_page_can_be_armed(api: Api, text: str) -> None:
    assert post(api, "faults", json.loads(text)) == 201


@pytest.mark.parametrize("effect", effects(), ids=json.dumps)
def test_an_effect_of_the_page_can_be_armed(api: Api, effect: dict[str, Any]) -> None:
    assert post(api, "faults", {"effect": effect}) == 201


def test_every_effect_is_on_the_page() -> None:
    assert {kind for effect in effects() for kind in effect if kind in EFFECTS} == set(EFFECTS)


@pytest.mark.parametrize("text", BLOCK.findall(JOURNAL))
def test_an_expectation_of_the_page_can_be_verified(api: Api, text: str) -> None:
    assert post(api, "journal/verify", json.loads(text) | {"timeout": 0}) in (200, 422)


@pytest.mark.parametrize(
    ("page", "names"),
    [
        (FAULTS, FaultDocument.model_fields),
        (JOURNAL, Expectation.model_fields),
        (JOURNAL, Filter.__dataclass_fields__),
    ],
    ids=["rules", "expectations", "filters"],
)
def test_every_member_is_on_its_page(page: str, names: dict[str, Any]) -> None:
    assert [name for name in names if f"`{name}`" not in page] == []


def test_every_member_of_an_entry_is_on_the_page(api: Api) -> None:
    api.request("DELETE", "/_emulator/worlds/default/faults")
    api.request("GET", "/api/v2/nothing", headers={"authorization": "acs test:x", "x-acs-action": "StartJob"})
    api.request("GET", "/api/v2/projects/project1", headers={"authorization": "acs test:x", "x-acs-action": "StartJob"})
    entries = api.request("GET", "/_emulator/worlds/default/journal").json()["entries"]
    members = {member for entry in entries for member in entry}
    assert members >= {"nearest", "warning", "contradicting_action"}
    assert [member for member in members if f"`{member}`" not in JOURNAL] == []
