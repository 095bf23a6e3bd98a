"""The result of each effect on a call, in both formats and both kinds of store."""

import asyncio
import sqlite3

import pytest
from pydantic import ValidationError

from foas_emulator.faults import rules
from foas_emulator.faults.effects import CatalogueError
from foas_emulator.gateway.errors import catalogue
from foas_emulator.world.clock import machine_now
from foas_emulator.world.store import LARGE, Store
from tests.api import Api
from tests.faults.arming import arm, counts

GET = {"projectName": "project1", "jobName": "job1", "instanceId": 412536}
MS = 1_000_000
FOLDER = {"projectName": "project1", "path": "/made"}


def has_folder(api: Api, path: str) -> bool:
    return "Folder" in api.ok("GetFolder", projectName="project1", path=path)


def codes(api: Api, calls: int) -> list[str | None]:
    return [api.call("GetInstance", **GET).code for _ in range(calls)]


def test_an_error_of_the_catalogue_is_answered_in_the_gateways_form(seeded_api: Api) -> None:
    rule = arm(seeded_api, effect={"error": "Throttling.User"})
    outcome = seeded_api.call("GetInstance", **GET)
    assert (outcome.status, outcome.code) == (400, "Throttling.User")
    assert outcome.members["Message"] == "Request was denied due to user flow control."
    assert outcome.headers["x-acs-retry-after"] == "1000"
    assert f"DELETE /_emulator/worlds/default/faults/{rule['id']}" in outcome.hint


def test_a_parameters_error_is_spelled_as_the_parameter(seeded_api: Api) -> None:
    arm(seeded_api, effect={"error": "InvalidinstanceId"}, match={"operation": "GetInstance"})
    outcome = seeded_api.call("GetInstance", **GET)
    assert outcome.members["Message"] == "Specified parameter instanceId is not valid."


def test_a_message_may_name_the_parameter_and_a_rule_for_all_parameters_applies(seeded_api: Api) -> None:
    arm(seeded_api, effect={"error": "InvalidinstanceId", "message": "{parameter} is wrong"})
    outcome = seeded_api.call("GetInstance", **GET)
    assert (outcome.code, outcome.members["Message"]) == ("InvalidinstanceId", "instanceId is wrong")
    seeded_api.world.set({"error_overrides": {"Invalid{parameter}": {"code": "Bad.{parameter}", "status": 422}}})
    outcome = seeded_api.call("GetInstance", **GET)
    assert (outcome.status, outcome.code) == (422, "Bad.instanceId")


@pytest.mark.parametrize("code", catalogue())
def test_every_code_of_the_catalogue_can_be_answered(code: str) -> None:
    error = CatalogueError(error=code.replace("{parameter}", "jobName"), message="given")
    assert error.message == "given"


def test_a_message_that_depends_on_the_call_must_be_given(seeded_api: Api) -> None:
    needy = next(code for code, problem in catalogue().items() if problem.message == "{error}")
    with pytest.raises(ValidationError, match="depends on the call"):
        CatalogueError(error=needy)
    arm(seeded_api, effect={"error": needy, "message": "line 1: what?"})
    outcome = seeded_api.call("GetInstance", **GET)
    assert (outcome.code, outcome.members["Message"]) == (needy, "line 1: what?")


def test_an_error_that_users_taught_the_emulator_is_answered_as_they_did(seeded_api: Api) -> None:
    seeded_api.world.set({"error_overrides": {"Throttling.User": {"status": 429}}})
    arm(seeded_api, effect={"error": "Throttling.User"})
    assert seeded_api.call("GetInstance", **GET).status == 429


def test_an_error_can_be_made_up(seeded_api: Api) -> None:
    arm(seeded_api, effect={"status": 502, "code": "BadGateway", "message": "上游"})
    outcome = seeded_api.call("GetInstance", **GET)
    assert (outcome.status, outcome.code, outcome.members["Message"]) == (502, "BadGateway", "上游")


@pytest.mark.parametrize("at", ["before", "after_commit"])
def test_latency_delays_a_call_and_changes_nothing_else(seeded_api: Api, at: str) -> None:
    untouched = seeded_api.ok("GetInstance", **GET)
    arm(seeded_api, effect={"latency": ["1ms", "2ms"]}, at=at)
    assert seeded_api.ok("GetInstance", **GET) == untouched
    assert counts(seeded_api) == [(1, 1)]


def test_after_a_latency_the_world_is_entered_as_it_has_become(seeded_api: Api) -> None:
    """The change falls due while the call is held back."""
    world = seeded_api.world
    with world.transaction():
        world.clock.set(mode="real", now=world.now())
        world.schedule("put_state", "instance:412536", at=world.now() + 20, ActualState="FAILED", LastErrorMessage=None)
    arm(seeded_api, effect={"latency": "40ms"})
    assert seeded_api.call("GetInstance", **GET).code == "InvalidInstance.NotRunning"


def test_duplicate_lets_a_write_take_effect_twice_and_answers_the_second_time(seeded_api: Api) -> None:
    arm(seeded_api, effect={"duplicate": True}, match={"operation": "CreateFolder"})
    assert seeded_api.call("CreateFolder", **FOLDER).code == "InvalidFolder.Duplicate"
    assert has_folder(seeded_api, "/made")


def test_duplicate_after_commit_leaves_failed_calls_alone(seeded_api: Api) -> None:
    arm(seeded_api, effect={"duplicate": True}, match={"operation": "CreateFolder"}, at="after_commit")
    assert seeded_api.call("CreateFolder", projectName="absent", path="/a").code == "InvalidProject.NotFound"
    assert counts(seeded_api) == [(0, 0)]
    assert seeded_api.call("CreateFolder", **FOLDER).code == "InvalidFolder.Duplicate"
    assert counts(seeded_api) == [(1, 1)]


def test_an_error_after_commit_hides_a_write_that_has_happened(seeded_api: Api) -> None:
    arm(seeded_api, effect={"error": "ServiceUnavailable"}, match={"operation": "CreateFolder"}, at="after_commit")
    assert seeded_api.call("CreateFolder", **FOLDER).status == 503
    assert has_folder(seeded_api, "/made")


@pytest.mark.parametrize("at", ["before", "after_commit"])
def test_a_call_that_took_effect_succeeds_though_it_cannot_be_counted(
    seeded_api: Api, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """The write itself took the last page of the disk; one that has not happened yet is refused."""
    arm(seeded_api, effect={"latency": "1ms"}, match={"operation": "CreateFolder"}, at=at)

    def fail(*_: object, **__: object) -> int:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(Store, "update_without_revision", fail)
    outcome = seeded_api.call("CreateFolder", **FOLDER)
    assert outcome.status == (200 if at == "after_commit" else 503)
    assert has_folder(seeded_api, "/made") is (at == "after_commit")


def test_an_error_before_keeps_a_write_from_happening(seeded_api: Api) -> None:
    arm(seeded_api, effect={"error": "ServiceUnavailable"}, match={"operation": "CreateFolder"})
    assert seeded_api.call("CreateFolder", **FOLDER).status == 503
    assert not has_folder(seeded_api, "/made")


def test_stale_reads_answer_as_before_the_last_write(seeded_api: Api) -> None:
    arm(seeded_api, effect={"stale": True}, match={"operation": "GetFolder"})
    seeded_api.ok("CreateFolder", projectName="project1", path="/first")
    seeded_api.ok("CreateFolder", projectName="project1", path="/second")
    assert has_folder(seeded_api, "/first")
    assert not has_folder(seeded_api, "/second")


def test_stale_reads_are_current_while_nothing_was_written(seeded_api: Api) -> None:
    seeded_api.ok("CreateFolder", **FOLDER)
    arm(seeded_api, effect={"stale": True})
    assert has_folder(seeded_api, "/made")


def test_a_write_that_failed_is_no_write_to_be_behind_of(seeded_api: Api) -> None:
    arm(seeded_api, effect={"stale": True})
    seeded_api.ok("CreateFolder", **FOLDER)
    assert seeded_api.call("CreateFolder", **FOLDER).code == "InvalidFolder.Duplicate"
    assert not has_folder(seeded_api, "/made")


def test_stale_reads_follow_the_clock(seeded_api: Api) -> None:
    """Only calls are missed: what falls due meanwhile is seen."""
    arm(seeded_api, effect={"stale": True})
    world = seeded_api.world
    with world.transaction():
        at = world.now() + 1000
        world.schedule("put_state", "instance:412536", at=at, ActualState="FAILED", LastErrorMessage=None)
    seeded_api.ok("CreateFolder", **FOLDER)
    seeded_api.ok("GetInstance", **GET)
    seeded_api.advance("2s")
    seeded_api.ok("CreateFolder", projectName="project1", path="/another")
    assert seeded_api.call("GetInstance", **GET).code == "InvalidInstance.NotRunning"


def test_rules_inside_a_stale_one_apply_to_what_it_reads(seeded_api: Api) -> None:
    arm(seeded_api, effect={"stale": True}, match={"operation": "GetFolder"})
    arm(seeded_api, effect={"error": "Throttling.User"}, match={"operation": "GetFolder"}, skip=2, times=1)
    seeded_api.ok("CreateFolder", **FOLDER)
    assert [has_folder(seeded_api, "/made") for _ in range(2)] == [False, False]
    assert seeded_api.call("GetFolder", **FOLDER).code == "Throttling.User"
    assert not has_folder(seeded_api, "/made")
    assert counts(seeded_api) == [(4, 4), (3, 1)]


def test_stale_reads_are_current_again_once_the_rule_is_gone(seeded_api: Api) -> None:
    rule = arm(seeded_api, effect={"stale": True})
    seeded_api.ok("CreateFolder", **FOLDER)
    assert not has_folder(seeded_api, "/made")
    assert seeded_api.request("DELETE", f"/_emulator/worlds/default/faults/{rule['id']}").status_code == 204
    assert has_folder(seeded_api, "/made")


@pytest.mark.parametrize("until", [{"times": 1}, {"ttl": "1h"}])
def test_a_stale_rule_that_is_used_up_takes_no_more_images(
    seeded_api: Api, monkeypatch: pytest.MonkeyPatch, until: dict[str, object]
) -> None:
    arm(seeded_api, effect={"stale": True}, match={"operation": "GetFolder"}, **until)
    seeded_api.ok("CreateFolder", **FOLDER)
    assert not has_folder(seeded_api, "/made")
    if "ttl" in until:
        monkeypatch.setattr(rules, "machine_now", lambda: machine_now() + 2 * 3_600_000)
    monkeypatch.setattr(Store, "image", None)
    seeded_api.ok("CreateFolder", projectName="project1", path="/more")
    assert has_folder(seeded_api, "/made")


def test_a_rate_limit_that_takes_the_place_of_another_counts_from_nothing(seeded_api: Api) -> None:
    for calls in (1, 2):
        limit = {"effect": {"rate_limit": {"calls": calls, "per": "1h"}}, "match": {"operation": "GetInstance"}}
        answer = seeded_api.request("POST", "/_emulator/worlds/default/seed", json={"faults": [{"id": 1, **limit}]})
        assert answer.status_code == 204, answer.text
        assert codes(seeded_api, calls + 1) == [*[None] * calls, "Throttling.User"]


def test_others_are_served_while_the_previous_image_of_a_large_world_is_taken(
    seeded_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_beside = Store.image_beside
    taken: list[bytes] = []

    def take(store: Store) -> bytes:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        taken.append(image_beside(store))
        return taken[-1]

    monkeypatch.setattr(Store, "image_beside", take)
    monkeypatch.setattr(Store, "image", None)
    seeded_api.ok("UpdateJob", projectName="demo", jobName="draft", code="-- " + "x" * 2 * LARGE)
    arm(seeded_api, effect={"stale": True}, match={"operation": "GetFolder"})
    seeded_api.ok("CreateFolder", projectName="project1", path="/first")
    seeded_api.ok("CreateFolder", projectName="project1", path="/second")
    assert len(taken) == 2
    assert has_folder(seeded_api, "/first")
    assert not has_folder(seeded_api, "/second")


def test_a_world_larger_than_the_budget_of_images_is_not_copied_for_stale_reads(
    seeded_api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seeded_api.ok("UpdateJob", projectName="demo", jobName="draft", code="-- " + "x" * 2 * LARGE)
    arm(seeded_api, effect={"stale": True})
    seeded_api.registry.images.limit = LARGE
    monkeypatch.setattr(Store, "image", None)
    monkeypatch.setattr(Store, "image_beside", None)
    seeded_api.ok("CreateFolder", projectName="demo", path="/new")
    assert "larger than image_bytes" in caplog.text


def test_a_rate_limit_throttles_what_is_beyond_it_and_says_for_how_long(seeded_api: Api) -> None:
    arm(seeded_api, effect={"rate_limit": {"calls": 2, "per": "1h"}}, match={"operation": "GetInstance"})
    assert codes(seeded_api, 4) == [None, None, "Throttling.User", "Throttling.User"]
    assert counts(seeded_api) == [(4, 2)]
    left = int(seeded_api.call("GetInstance", **GET).headers["x-acs-retry-after"])
    assert 3_590_000 < left <= 3_600_000


def test_a_rate_limit_lets_calls_pass_again_when_its_time_is_over(seeded_api: Api) -> None:
    arm(seeded_api, effect={"rate_limit": {"calls": 1, "per": "1ms"}}, match={"operation": "GetInstance"})
    arm(seeded_api, effect={"latency": "5ms"}, match={"operation": "GetInstance"})
    assert codes(seeded_api, 3) == [None, None, None]


def test_a_rate_limit_counts_the_calls_of_any_period(seeded_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0
    monkeypatch.setattr(rules, "stopwatch", lambda: now)
    arm(seeded_api, effect={"rate_limit": {"calls": 3, "per": "10ms"}}, match={"operation": "GetInstance"})
    passed = []
    for now in (millisecond * MS for millisecond in range(24)):
        passed += [now // MS for code in codes(seeded_api, 1 + (now == 4 * MS)) if code is None]
    assert passed == [0, 1, 2, 10, 11, 12, 20, 21, 22]


@pytest.mark.parametrize("effect", [{"drop": True}, {"reset": True}, {"truncate": 0.5}])
def test_a_connection_that_is_not_ours_to_end_is_told_so(seeded_api: Api, effect: object) -> None:
    arm(seeded_api, effect=effect)
    outcome = seeded_api.call("GetInstance", **GET)
    assert (outcome.status, outcome.code) == (503, "ServiceUnavailable")
    assert "foas-emulator serve" in outcome.hint
