import json
import re
from pathlib import Path
from unittest.mock import patch

import pytest

from foas_emulator.seeds import loading
from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.states import StateError, read_states

STATES = """\
x-note: mine
a project:
  projects: [{Name: shop}]
a job:
  projects:
    - Name: shop
      jobs: [{JobName: {param: job}, instances: [{Id: {param: id}, ActualState: RUNNING}]}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "states.yaml"


def test_a_state_is_a_named_seed(file: Path) -> None:
    file.write_text(STATES, "utf-8")
    states = read_states(file)
    assert list(states.seeds) == ["a project", "a job"]
    assert [project.name for project in states.seed("a project", {}).projects] == ["shop"]


def test_parameters_take_their_places_whatever_their_type(file: Path) -> None:
    file.write_text(STATES, "utf-8")
    (project,) = read_states(file).seed("a job", {"job": "orders", "id": 7}).projects
    assert (project.jobs[0].job_name, project.jobs[0].instances[0].id) == ("orders", 7)


@pytest.mark.parametrize(
    ("name", "parameters", "reason"),
    [
        ("a jop", {}, "there is no state 'a jop' (the nearest is 'a job')"),
        ("x-note", {}, "there is no state 'x-note'"),
        ("a job", {}, "the state 'a job' takes the parameters id, job, and no parameters came with it"),
        ("a project", {"job": 1}, "the state 'a project' takes no parameters, and the parameters job came with it"),
    ],
)
def test_a_state_with_other_parameters_is_refused(
    name: str, parameters: dict[str, object], reason: str, file: Path
) -> None:
    file.write_text(STATES, "utf-8")
    with pytest.raises(StateError, match=re.escape(reason)):
        read_states(file).seed(name, parameters)


@pytest.mark.parametrize("name", ["", "x" * 1001])
def test_a_state_that_nobody_can_ask_for_is_a_fault_with_its_line(name: str, file: Path) -> None:
    file.write_text(f'a project: {{}}\n? "{name}"\n: {{}}\n', "utf-8")
    with pytest.raises(SeedError, match=r"states\.yaml:\d+: .*1 to 1000 characters"):
        read_states(file)


def test_a_parameter_that_does_not_fit_is_a_fault_with_its_line(file: Path) -> None:
    file.write_text(STATES, "utf-8")
    with pytest.raises(SeedError, match=r"states\.yaml:7: .*Id"):
        read_states(file).seed("a job", {"job": "orders", "id": "seven"})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[]", "states.yaml:1: document: it must be a mapping from the name of each state to its seed"),
        ("", "states.yaml:1: document: it must be a mapping"),
        ("a: {projects: [{}]}", "states.yaml:1: projects[0].Name"),
        ("a:\n  projects:\n  - Nmae: shop", "states.yaml:3: projects[0].Nmae"),
        ("a: [", "states.yaml:2: document: not YAML"),
    ],
)
def test_every_fault_is_reported_when_the_file_is_read(text: str, fault: str, file: Path) -> None:
    file.write_text(text, "utf-8")
    with pytest.raises(SeedError) as refused:
        read_states(file)
    assert fault in str(refused.value)


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match="it cannot be read"):
        read_states(tmp_path / "absent.yaml")


def test_the_lines_of_many_wrong_states_are_looked_for_once(file: Path) -> None:
    """For each they were looked for in the whole file: 250 states in 0.8 MB took six seconds."""
    file.write_text(json.dumps({f"state {number}": {"wrong": 1} for number in range(50)}, indent=1), "utf-8")
    with (
        patch.object(loading, "_composed_outline", wraps=loading._composed_outline) as outline,
        pytest.raises(SeedError) as refused,
    ):
        read_states(file)
    assert [fault.line for fault in refused.value.faults] == [3 * number + 3 for number in range(50)]
    assert outline.call_count == 1
