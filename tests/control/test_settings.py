import pytest

from foas_emulator.control.documents import MAX_VALUES
from foas_emulator.gateway.errors import catalogue
from foas_emulator.showing import Suggestions
from foas_emulator.world.settings import NAMES
from tests.api import open_api
from tests.control.conftest import Control

SETTINGS = "/worlds/default/settings"


@pytest.fixture
def data_dir() -> None:
    """In memory alone: what is tested here does not depend on the kind of store."""


def test_every_setting_of_a_world_is_shown(control: Control) -> None:
    settings = control.ok("GET", SETTINGS)
    assert tuple(settings) == NAMES
    assert settings["start_delay"] == "0s"
    assert settings["batch_duration"] is None


def test_flags_give_the_defaults() -> None:
    with open_api(start_delay=30_000, not_running="answer") as api:
        settings = Control(api).ok("GET", SETTINGS)
        assert (settings["start_delay"], settings["not_running"]) == ("30s", "answer")


def test_what_is_shown_can_be_put_back(control: Control) -> None:
    changes = {
        "start_delay": "1500ms",
        "batch_duration": 60,
        "signature": "off",
        "error_overrides": {"InvalidJob.NotFound": {"code": "JobGone", "status": 410}},
    }
    changed = control.ok("PUT", SETTINGS, changes)
    assert (changed["start_delay"], changed["batch_duration"], changed["stop_delay"]) == ("1500ms", "1m", "0s")
    control.ok("PUT", "/worlds/alice/settings", changed)
    assert control.ok("GET", "/worlds/alice/settings") == changed


def test_settings_belong_to_one_world(control: Control) -> None:
    control.ok("PUT", "/worlds/alice/settings", {"not_running": "answer"})
    assert control.ok("GET", SETTINGS)["not_running"] == "fail"


def test_settings_take_effect_at_once(control: Control) -> None:
    control.ok("PUT", SETTINGS, {"default_format": "xml", "error_overrides": {"InvalidJob.NotFound": {"code": "Gone"}}})
    answer = control.api.request("GET", "/api/v2/projects/project1/jobs/nojob/instances/1", headers={"accept": "*/*"})
    assert "<Code>Gone</Code>" in answer.text


def test_the_error_of_one_parameter_can_be_overridden_too(control: Control) -> None:
    taught = {"Missing{parameter}": {"message": "Give {parameter}!"}, "MissingjobType": {"code": "JobTypeMissing"}}
    control.ok("PUT", SETTINGS, {"error_overrides": taught})
    assert control.api.refused("ListInstance", projectName="project1", code="JobTypeMissing")
    assert control.ok("GET", SETTINGS)["error_overrides"] == taught


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"start_delay": "30s", "gravity": 1}, "there is no setting 'gravity'"),
        ({"start_delay": "30s", "not_running": "maybe"}, "not_running is 'maybe'; allowed: fail, answer"),
        ({"start_delay": "soon"}, "start_delay: 'soon' is not a duration"),
        ({"latency": [1, 2], "error_rate": 7}, "latency: a list is neither"),
        ({"latency": [1, 2], "error_rate": 7}, "; error_rate: 7 is not a rate"),
        ({"error_overrides": {"NoSuchCode": {"status": 410}}}, "the catalogue has no error 'NoSuchCode'"),
        ({"error_overrides": {"MissingjobTyp": {"status": 410}}}, "no parameter 'jobTyp' (the nearest is 'jobType')"),
        ({"error_overrides": {"InvalidJob.NotFound": {"status": 410.0}}}, "has status 410.0; allowed: 400 to 599"),
        ("[]", "Input should be a valid dictionary"),
    ],
)
def test_settings_that_are_wrong_change_nothing(control: Control, body: object, reason: str) -> None:
    before = control.ok("GET", SETTINGS)
    assert reason in control.refused("PUT", SETTINGS, body)
    assert control.ok("GET", SETTINGS) == before


def test_all_error_overrides_together_have_a_bound(control: Control) -> None:
    half = {code: {"message": "x" * 10_000} for code in list(catalogue())[:50]}
    control.ok("PUT", SETTINGS, {"error_overrides": half})
    more = {code: {"message": "x" * 10_000, "code": "x" * 10_000} for code in list(catalogue())[:51]}
    told = control.refused("PUT", SETTINGS, {"error_overrides": more})
    assert "allowed: 1000000" in told


def test_not_all_of_many_problems_are_looked_for(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand codes that the catalogue does not have held all others for a quarter of a second."""
    compared: list[str] = []

    def compare(_: object, name: str, __: object) -> str:
        compared.append(name)
        return ""

    monkeypatch.setattr(Suggestions, "nearest", compare)
    codes = [f"InvalidJob.NotFound{number}" for number in range(100)]
    told = control.refused("PUT", SETTINGS, {"error_overrides": {code: {"status": 410} for code in codes}})
    assert "'InvalidJob.NotFound0'; the catalogue has no error 'InvalidJob.NotFound1'" in told
    assert compared == codes[:20]


def test_a_body_of_too_many_values_is_refused_in_both_languages(control: Control) -> None:
    values = ",".join(["1"] * (MAX_VALUES + 1))
    for kind, body in (
        ("application/json", f'{{"latency": [{values}]}}'),
        ("application/yaml", f"latency: [{values}]"),
    ):
        answer = control.send("PUT", "/worlds/default/settings", body, content_type=kind)
        assert (answer.status_code, answer.json()["error"]) == (413, f"The body holds more than {MAX_VALUES} values.")
