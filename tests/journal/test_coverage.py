"""Coverage of the service."""

from typing import Any

import pytest

from foas_emulator.gateway.formats import Body
from foas_emulator.journal.coverage import Usage
from foas_emulator.operations.catalogue import OPERATIONS
from tests.api import Api
from tests.journal.reading import GET
from tests.journal.test_budget import call

INSTANCE = "/api/v2/projects/project1/jobs/job1/instances/412536"


def coverage(api: Api) -> dict[str, Any]:
    return dict(api.request("GET", "/_emulator/coverage").json())


def test_nothing_is_exercised_at_first(api: Api) -> None:
    document = coverage(api)
    assert document["worlds"] == {}
    assert document["all"]["operations"] == {}
    assert document["all"]["operations_missing"] == sorted(operation.name for operation in OPERATIONS)
    assert document["all"]["operations_percent"] == 0
    assert document["all"]["states_missing"] == ["WAITING", "RUNNING", "PAUSED", "TERMINATED", "SUCCESS", "FAILED"]


def test_calls_exercise_operations_parameters_states_codes_and_formats(api: Api) -> None:
    api.ok("GetInstance", **GET)
    api.call("GetInstance", **GET | {"instanceId": 1})
    api.request("GET", f"{INSTANCE}?Format=XML&Unheard=1")
    api.ok("ListJob", projectName="project1", pageIndex=1)
    report = coverage(api)["all"]
    assert report["operations"]["GetInstance"] == {
        "calls": 3,
        "outcomes": {"InvalidInstance.NotFound": 1, "OK": 2},
        "formats": {"json": 2, "xml": 1},
        "parameters": ["projectName", "jobName", "instanceId"],
        "parameters_missing": [],
    }
    assert report["operations"]["ListJob"]["parameters"] == ["projectName", "pageIndex"]
    assert "pageSize" in report["operations"]["ListJob"]["parameters_missing"]
    assert report["states"] == {"RUNNING": 2}
    assert "PAUSED" in report["states_missing"]
    assert report["error_codes"] == {"InvalidInstance.NotFound": 1}
    assert report["operations_percent"] == round(200 / len(OPERATIONS), 1)


def test_many_worlds_are_written_one_after_the_other(api: Api, json_written: list[int]) -> None:
    """To write two thousand at once held all others for some fifty milliseconds."""
    for number in range(30):
        api.request("GET", INSTANCE, headers={"x-emulator-world": f"w{number}"})
    answer = api.request("GET", "/_emulator/coverage")
    assert len(answer.json()["worlds"]) == 30
    assert max(json_written) < len(answer.content) / 10


def test_every_state_that_an_answer_shows_counts(api: Api) -> None:
    for job_type in ("FLINK_STREAM", "FLINK_BATCH"):
        api.ok("ListInstance", projectName="demo", jobType=job_type, pageIndex=1, pageSize=100)
    assert coverage(api)["all"]["states_missing"] == []


@pytest.mark.parametrize("text", ['"ActualState":"GONE"', "<ActualState>GONE</ActualState>", "ActualState>GONE"])
@pytest.mark.parametrize("format_", ["JSON", "XML"])
def test_a_text_in_an_answer_is_no_state(api: Api, text: str, format_: str) -> None:
    api.ok("UpdateJob", projectName="demo", jobName="draft", code=text)
    answer = api.request("GET", f"/api/v2/projects/demo/jobs/draft?Format={format_}")
    assert (answer.status_code, "GONE" in answer.text) == (200, True)
    api.request("GET", f"{INSTANCE}?Format={format_}")
    assert coverage(api)["all"]["states"] == {"RUNNING": 1}


@pytest.mark.parametrize("format_", ["JSON", "XML"])
def test_a_property_of_a_table_is_no_state(api: Api, format_: str) -> None:
    code = "CREATE TABLE a (x INT) WITH (type='t', ActualState='GONE'); INSERT INTO a SELECT x FROM a;"
    api.ok("UpdateJob", projectName="demo", jobName="draft", code=code)
    answer = api.request("GET", f"/api/v2/projects/demo/jobs/draft/validate?Format={format_}")
    assert "ActualState" in answer.text
    assert coverage(api)["all"]["states"] == {}


def test_what_answers_and_requests_make_up_takes_bounded_room() -> None:
    operation = next(each for each in OPERATIONS if each.name == "GetInstance")
    usage, whole = Usage(), Usage()
    for number in range(500):
        made_up = call(number)._replace(operation=operation, parameters={f"name{number}": 1, "jobName": "a"}, unread=())
        made_up = made_up._replace(code="x" * 10_000)
        state = "".join(chr(ord("A") + int(digit)) for digit in str(number)).encode()
        usage.count_states_and_get_counters(made_up, Body(b"", b'{"ActualState":"%s"}' % state)).count += 1
        whole.merge(usage)
    for each in (usage, whole):
        assert len(each.states) == 100
        assert [counters.parameters for counters in each.calls.values()] == [{"jobName"}]
        assert [len(outcome) for _, outcome, _ in each.calls] == [200]


def test_a_cached_answer_counts_as_a_call(api: Api) -> None:
    for _ in range(3):
        api.ok("GetInstance", **GET)
    assert coverage(api)["all"]["operations"]["GetInstance"]["calls"] == 3


def test_worlds_are_told_apart_and_count_together(api: Api) -> None:
    for name in ("one", "two", "two"):
        api.request("GET", INSTANCE, headers={"x-emulator-world": name})
    document = coverage(api)
    calls = {name: each["operations"]["GetInstance"]["calls"] for name, each in document["worlds"].items()}
    assert calls == {"one": 1, "two": 2}
    assert document["all"]["operations"]["GetInstance"]["calls"] == 3


def test_what_a_dropped_world_exercised_still_counts_in_all(api: Api) -> None:
    api.request("GET", INSTANCE, headers={"x-emulator-world": "gone"})
    api.registry.drop("gone")
    document = coverage(api)
    assert document["worlds"] == {}
    assert document["all"]["operations"]["GetInstance"]["calls"] == 1
    assert document["all"]["states"] == {"RUNNING": 1}


def test_a_path_that_matched_nothing_exercises_nothing(api: Api) -> None:
    api.request("GET", "/api/v2/nothing")
    assert coverage(api)["all"]["operations"] == {}
