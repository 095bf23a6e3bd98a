"""The states that verifiers of Pact contracts ask for."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import current_thread
from typing import Any
from unittest.mock import patch

import pytest

from foas_emulator.seeds.applying import apply
from foas_emulator.seeds.states import States
from foas_emulator.settings import SettingError
from tests.api import open_api
from tests.control.conftest import Control

STATES = """\
a running job:
  projects:
    - Name: shop
      jobs: [{JobName: {param: job}, instances: [{ActualState: RUNNING}]}]
a busy service:
  faults: [{effect: {error: Throttling.User}}]
a job of an unknown cluster:
  projects: [{Name: shop, ClusterId: absent}]
"""
PATH = "/worlds/pact/pact-states"
LARGE = {"projects": [{"Name": "shop", "jobs": [{"JobName": f"j{number}"} for number in range(2000)]}]}


@pytest.fixture
def control(data_dir: Path | None, tmp_path: Path) -> Iterator[Control]:
    file = tmp_path / "states.yaml"
    file.write_text(STATES, "utf-8")
    with open_api(data_dir=data_dir, pact_states=file) as api:
        yield Control(api)


def instance(control: Control, job: str) -> int:
    path = f"/api/v2/projects/shop/jobs/{job}/instances/-1"
    return control.api.request("GET", path, headers={"x-emulator-world": "pact"}).status_code


def test_a_state_is_set_up_with_its_parameters_and_taken_away(control: Control) -> None:
    asked = {"state": "a running job", "params": {"job": "orders"}, "action": "setup", "consumer": "reports"}
    control.ok("POST", PATH, asked, status=204)
    assert instance(control, "orders") == 200
    control.ok("POST", PATH, {**asked, "action": "teardown"}, status=204)
    assert instance(control, "orders") == 404


def test_several_states_of_an_interaction_add_up(control: Control) -> None:
    control.ok("POST", PATH, {"state": "a running job", "params": {"job": "orders"}}, status=204)
    control.ok("POST", PATH, {"state": "a busy service", "params": None}, status=204)
    assert instance(control, "orders") == 400


def test_the_empty_state_of_every_interaction_changes_nothing_until_it_ends(control: Control) -> None:
    control.ok("POST", PATH, {"state": "a running job", "params": {"job": "orders"}}, status=204)
    control.ok("POST", PATH, {"state": "", "params": {}, "action": "setup"}, status=204)
    assert instance(control, "orders") == 200
    control.ok("POST", PATH, {"state": "", "params": {}, "action": "teardown"}, status=204)
    assert instance(control, "orders") == 404


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"state": "a runing job"}, "There is no state 'a runing job' (the nearest is 'a running job')."),
        ({"state": "a runing job"}, "There are: a running job, a busy service, a job of an unknown cluster."),
        ({"state": "a running job"}, "takes the parameters job, and no parameters came with it"),
        ({"state": "a busy service", "params": {"job": "x"}}, "takes no parameters, and the parameters job came"),
        ({"state": "a running job", "params": {"job": ""}}, "states.yaml:4"),
        ({"state": "a job of an unknown cluster"}, "absent"),
        ({"state": "a busy service", "action": "begin"}, "action"),
        ({"action": "setup"}, "state"),
        ("{", "The body is not JSON."),
    ],
)
def test_what_cannot_be_set_up_is_refused_with_the_reason(asked: Any, reason: str, control: Control) -> None:
    assert reason in control.refused("POST", PATH, asked)


def test_a_name_that_no_state_can_have_is_refused_and_not_repeated(control: Control) -> None:
    said = control.refused("POST", PATH, {"state": "x" * 100_000})
    assert "state" in said
    assert len(said) < 1000


@pytest.mark.parametrize("action", ["setup", "teardown"])
def test_a_name_that_no_world_can_have_is_refused_for_the_empty_state_too(control: Control, action: str) -> None:
    asked = {"state": "", "action": action}
    assert "No world can have this name." in control.refused("POST", "/worlds/BAD/pact-states", asked)


def test_without_a_file_of_states_the_setting_is_named() -> None:
    with open_api() as api:
        said = Control(api).refused("POST", PATH, {"state": "a running job"})
    assert said == "There is no state 'a running job'. There are: none; --pact-states FILE names seeds."


def test_a_wrong_file_of_states_refuses_to_start_with_every_fault(tmp_path: Path) -> None:
    file = tmp_path / "states.yaml"
    file.write_text("a: {projects: [{}]}\nb: {more: 1}\n", "utf-8")
    with (
        pytest.raises(SettingError, match=r"pact_states: .*states\.yaml:1: .*; .*states\.yaml:2: "),
        open_api(pact_states=file),
    ):
        pass


def test_a_large_state_is_checked_and_merged_by_another_thread(tmp_path: Path) -> None:
    file = tmp_path / "states.json"
    file.write_text(json.dumps({"large": LARGE}), "utf-8")
    at_work: list[str] = []

    def noting(function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*given: Any, **more: Any) -> Any:
            at_work.append(current_thread().name)
            return function(*given, **more)

        return noted

    with (
        open_api(pact_states=file) as api,
        patch("foas_emulator.control.merging.apply", noting(apply)),
        patch.object(States, "seed", noting(States.seed)),
    ):
        Control(api).ok("POST", PATH, {"state": "large"}, status=204)
        answer = api.request("GET", "/api/v2/projects/shop/jobs/j1999", headers={"x-emulator-world": "pact"})
    assert (answer.status_code, at_work) == (200, ["small documents"] * 2)


def test_a_state_that_is_refused_makes_no_world(control: Control) -> None:
    control.refused("POST", PATH, {"state": "unknown", "action": "setup"})
    assert [world["name"] for world in control.ok("GET", "/worlds")["worlds"]] == ["default"]
