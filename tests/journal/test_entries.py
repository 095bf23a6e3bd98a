"""The members of a journal entry."""

import asyncio
from contextlib import suppress
from difflib import SequenceMatcher
from typing import Any

import pytest

from foas_emulator.journal.calls import Call
from foas_emulator.journal.closest_operations import closest_operations
from foas_emulator.operations.catalogue import OPERATIONS
from tests.api import Api
from tests.journal.reading import GET, JOURNAL, only, read

INSTANCE = "/api/v2/projects/project1/jobs/job1/instances/412536"


def test_an_entry_tells_all_about_an_exchange(api: Api) -> None:
    with api.world.transaction():
        api.world.clock.set(mode="frozen", now=1_600_000_000_000)
    outcome = api.call("GetInstance", **GET)
    entry = only(api)
    assert entry.pop("milliseconds") > 0
    assert entry.pop("time") > "2026"
    assert entry == {
        "number": 1,
        "world_time": "2020-09-13T12:26:40.000Z",
        "operation": "GetInstance",
        "method": "GET",
        "path": "/api/v2/projects/{projectName}/jobs/{jobName}/instances/{instanceId}",
        "parameters": {"projectName": "project1", "jobName": "job1", "instanceId": "412536"},
        "unread": [],
        "access_key_id": None,
        "signature": "unsigned",
        "format": "json",
        "status": 200,
        "code": None,
        "request_id": outcome.headers["x-acs-request-id"],
        "faults": [],
    }


def test_the_worlds_time_runs_beside_the_real_one(api: Api) -> None:
    with api.world.transaction():
        api.world.clock.put(api.world.clock.ahead(86_400_000))
    api.ok("GetInstance", **GET)
    entry = only(api)
    assert entry["world_time"] > entry["time"]
    assert entry["world_time"][11:] == entry["time"][11:]


def test_a_refusal_has_its_code(api: Api) -> None:
    api.call("GetInstance", **GET | {"instanceId": 1})
    entry = only(api)
    assert (entry["status"], entry["code"]) == (404, "InvalidInstance.NotFound")


def test_an_answer_from_the_cache_has_an_entry_like_the_first(api: Api) -> None:
    for _ in range(2):
        assert api.request("GET", f"{INSTANCE}?Verbose=1").status_code == 200
    first, second = read(api)["entries"]
    assert first["unread"] == second["unread"] == ["Verbose"]
    assert first["request_id"] != second["request_id"]


def test_parameters_of_a_body_are_told_beside_those_of_the_path(api: Api) -> None:
    api.request("POST", "/api/v2/projects/project1/folders", data={"path": "/新", "colour": "red"})
    entry = only(api)
    assert entry["parameters"] == {"projectName": "project1", "path": "/新", "colour": "red"}
    assert entry["unread"] == ["colour"]


def test_what_every_sdk_sends_is_not_told_as_unread(api: Api) -> None:
    sent = "Version=2018-11-11&ServiceCode=foas&regionId=cn-hangzhou&format=json&INSTANCEID=1&Colour=red&color=red"
    api.request("GET", f"{INSTANCE}?{sent}")
    assert only(api)["unread"] == ["Colour", "color"]


def test_a_parameter_in_another_case_alone_is_unread(api: Api) -> None:
    api.request("POST", "/api/v2/projects/project1/folders", data={"Path": "/new"})
    assert only(api)["unread"] == ["Path"]


@pytest.mark.parametrize(
    "name",
    [
        *("Signature", "SecurityToken", "AccessKeySecret", "BearerToken", "access_key_secret", "accessKey", "password"),
        *("x-acs-security-token", "x" * 100_000 + "SecurityToken"),
    ],
)
def test_what_opens_doors_is_hidden(api: Api, name: str) -> None:
    api.request("POST", "/api/v2/projects", json={name: "open-sesame", "deep": [{name: "open-sesame", "key": "known"}]})
    shown = name if len(name) <= 200 else f"{name[:200]}... of {len(name)} characters"
    assert only(api)["parameters"] == {shown: "***", "deep": [{shown: "***", "key": "known"}]}
    assert "open-sesame" not in api.request("GET", JOURNAL).text


def test_a_long_name_that_nothing_reads_is_shown_in_part(api: Api) -> None:
    api.request("POST", "/api/v2/projects/project1/folders", data={"path": "/new", "y" * 5000: "1"})
    shown = f"{'y' * 200}... of 5000 characters"
    assert only(api)["unread"] == [shown]
    assert only(api)["parameters"][shown] == "1"


@pytest.mark.parametrize(
    "path",
    [
        JOURNAL,
        f"{JOURNAL}/{{request_id}}",
        f"{JOURNAL}/verify",
        "/_emulator/console/w/default/journal/{request_id}",
    ],
)
def test_entries_are_written_in_a_thread_while_others_are_served(
    api: Api, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    request_id = api.call("GetInstance", **GET).headers["x-acs-request-id"]
    on_loop: list[bool] = []
    given = Call.given

    def watched(call: Call) -> dict[str, Any]:
        with suppress(RuntimeError):
            on_loop.append(asyncio.get_running_loop() is not None)
        if not on_loop:
            on_loop.append(False)
        return given(call)

    monkeypatch.setattr(Call, "given", watched)
    expected = {"operation": "GetInstance", "params": {"jobName": "other"}}
    is_read = not path.endswith("/verify")
    heard = api.request("GET" if is_read else "POST", path.format(request_id=request_id), json=expected)
    assert heard.status_code == (200 if is_read else 422)
    assert on_loop
    assert not any(on_loop)


def test_an_authorization_leaves_its_key_id_and_nothing_else(api: Api) -> None:
    headers = {"authorization": "acs test:bm90IGEgc2lnbmF0dXJl", "date": "Thu, 01 Aug 2019 12:00:00 GMT"}
    api.request("GET", INSTANCE, headers=headers)
    entry = only(api)
    assert entry["access_key_id"] == "test"
    assert entry["signature"] == "InvalidTimeStamp.Expired"
    assert "signature=strict would refuse this" in entry["warning"]
    assert "bm90" not in api.request("GET", JOURNAL).text


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer open-sesame",
        "Basic open-sesame",
        "acs open-sesame",
        "ACS3-HMAC-SHA256 open-sesame",
        "ACS3-HMAC-SHA256 Credential=test;SignedHeaders=host;Signature=open-sesame",
    ],
)
def test_an_authorization_of_another_form_leaves_nothing(
    api: Api, authorization: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that confuses this API with the control API sends that one's token here."""
    response = api.request("GET", INSTANCE, headers={"authorization": authorization})
    assert only(api)["access_key_id"] is None
    entry = api.request("GET", f"{JOURNAL}/{response.headers['x-acs-request-id']}")
    assert "sesame" not in entry.text + api.request("GET", JOURNAL).text + caplog.text
    assert "access key ''" in caplog.text


def test_a_signature_that_nobody_checks_is_unchecked(api: Api) -> None:
    api.world.set({"signature": "off"})
    api.request("GET", INSTANCE, headers={"authorization": "acs someone:c2ln"})
    entry = only(api)
    assert (entry["access_key_id"], entry["signature"]) == ("someone", "unchecked")


def test_an_action_that_contradicts_the_path_is_noted(api: Api) -> None:
    api.request("GET", INSTANCE, headers={"x-acs-action": "GetInstance"})
    api.request("GET", INSTANCE, headers={"x-acs-action": "StartJob"})
    agreeing, contradicting = read(api)["entries"]
    assert "contradicting_action" not in agreeing
    assert contradicting["contradicting_action"] == "StartJob"


def test_a_path_that_matched_nothing_is_told_what_it_came_near_to(api: Api) -> None:
    api.request("GET", "/api/v2/projects/project1/jobs/job1/instance/412536")
    entry = only(api)
    assert entry["operation"] is None
    assert entry["path"] == "/api/v2/projects/project1/jobs/job1/instance/412536"
    assert len(entry["nearest"]) == 3
    assert entry["nearest"][0] == {
        "operation": "GetInstance",
        "method": "GET",
        "path": "/api/v2/projects/{projectName}/jobs/{jobName}/instances/{instanceId}",
        "why_not": "segment 7 is 'instances', not 'instance'",
    }


@pytest.mark.parametrize(
    ("method", "path", "operation", "why_not"),
    [
        ("PATCH", INSTANCE, "GetInstance", "the method is GET, not PATCH"),
        ("GET", f"{INSTANCE}/", "GetInstance", "the path has no slash at its end"),
        (
            "GET",
            INSTANCE.replace("/api/v2", "/v2"),
            "GetInstance",
            "the path has 8 segments, not 7; segment 1 is 'api', not 'v2'",
        ),
    ],
)
def test_every_reason_against_the_nearest_is_given(
    api: Api, method: str, path: str, operation: str, why_not: str
) -> None:
    api.request(method, path)
    nearest = {each["operation"]: each["why_not"] for each in only(api)["nearest"]}
    assert nearest[operation] == why_not


def test_a_fault_that_struck_is_named(api: Api) -> None:
    api.request("POST", "/_emulator/worlds/default/faults", json={"effect": {"latency": "1ms"}})
    api.request("POST", "/_emulator/worlds/default/faults", json={"effect": {"error": "Forbidden"}})
    api.call("GetInstance", **GET)
    assert only(api)["faults"] == [
        {"id": 1, "effect": {"latency": "1ms"}, "at": "before"},
        {"id": 2, "effect": {"error": "Forbidden"}, "at": "before"},
    ]


def test_the_control_api_leaves_no_trace(api: Api) -> None:
    for path in ("/_emulator/health", "/docs", "/openapi.json", JOURNAL):
        assert api.request("GET", path).status_code == 200
    assert read(api) == {"entries": [], "total": 0, "after": None, "lost": 0}


def test_a_world_that_cannot_be_has_no_journal(api: Api) -> None:
    assert api.request("GET", INSTANCE, headers={"x-emulator-world": "NO"}).status_code == 400
    assert read(api)["total"] == 0


@pytest.mark.parametrize("path", ["/" + "a" * 60_000, "/a" * 30_000, "/api/v2/projects/" + "x%2F" * 15_000 + "/jobs/"])
def test_a_long_path_is_compared_in_part(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []

    def noted(_: object, given: str, wanted: str) -> SequenceMatcher[str]:
        compared.append(len(given) * len(wanted))
        return SequenceMatcher(None, given, wanted)

    monkeypatch.setattr("foas_emulator.journal.closest_operations.difflib.SequenceMatcher", noted)
    closest = closest_operations("GET", path, OPERATIONS)
    assert len(closest) == 3
    assert sum(compared) < 10_000_000
    assert "why_not" in closest[0]
