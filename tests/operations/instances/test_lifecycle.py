"""The life of an instance: the table itself, and the table as the API follows it."""

from typing import Any

import pytest

from foas_emulator.blink.kinds import BATCH, STREAM
from foas_emulator.operations.instances import service
from foas_emulator.operations.instances.lifecycle import (
    CALL_FOR,
    FAILED,
    OUTCOMES,
    PAUSED,
    RUNNING,
    STATES,
    SUCCESS,
    TERMINATED,
    TRANSITIONS,
    UNKNOWN,
    WAITING,
)
from tests.api import Api
from tests.operations import building

J: dict[str, Any] = {"projectName": "p", "jobName": "j"}

# Read along a row: what the event of the column makes of the state of the row; a dot is a refusal.
TABLE = """
            start    pause   resume   stop        finish   fail    started  paused  stopped     finished  failed
UNKNOWN     RUNNING  .       .        .           .        .       .        .       .           .         .
WAITING     .        .       .        TERMINATED  .        FAILED  RUNNING  .       TERMINATED  .         FAILED
RUNNING     .        PAUSED  .        TERMINATED  SUCCESS  FAILED  .        PAUSED  TERMINATED  SUCCESS   FAILED
PAUSED      .        .       RUNNING  TERMINATED  .        .       .        .       TERMINATED  .         .
TERMINATED  RUNNING  .       .        .           .        .       .        .       .           .         .
SUCCESS     RUNNING  .       .        .           .        .       .        .       .           .         .
FAILED      RUNNING  .       .        .           .        .       .        .       .           .         .
"""
(EVENTS, *ROWS) = (line.split() for line in TABLE.strip().splitlines())
CELLS = [(row[0], event, cell) for row in ROWS for event, cell in zip(EVENTS, row[1:], strict=True)]

REFUSALS: dict[str, Any] = {
    "pause": "InvalidInstance.NotRunning",
    "resume": "InvalidInstance.NotPaused",
    "stop": "InvalidInstance.Ended",
    "finish": "InvalidInstance.NotRunning",
    "fail": "InvalidInstance.Ended",
}


def test_the_table_knows_every_state_and_every_event() -> None:
    assert {state for state, _, _ in CELLS} == {UNKNOWN, *STATES}
    assert set(EVENTS) == set(TRANSITIONS)


@pytest.mark.parametrize(("state", "event", "expected"), CELLS)
def test_every_event_in_every_state(state: str, event: str, expected: Any) -> None:
    assert TRANSITIONS[event].get(state, ".") == expected


@pytest.mark.parametrize("call", OUTCOMES)
def test_what_is_planned_by_a_call_is_possible_wherever_the_call_is(call: str) -> None:
    outcome = TRANSITIONS[OUTCOMES[call]]
    if call in ("start", "resume"):
        assert outcome == {WAITING: RUNNING}, "they make an instance of their own, which waits"
    else:
        assert outcome.items() >= TRANSITIONS[call].items()


@pytest.fixture(params=[STREAM, BATCH])
def job_type(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_the_api_follows_the_table_in_every_state(api: Api, job_type: str) -> None:
    building.project_with_queue(api, "p")
    building.online_job(api, jobType=job_type)
    possible = {expect_state: call for expect_state, call in CALL_FOR.items() if is_for(expect_state, job_type)}
    for state in STATES:
        for expect_state, call in possible.items():
            instance_id = fresh_instance(api, state)
            asked = J | {"instanceId": instance_id, "expectState": expect_state}
            if state in TRANSITIONS[call]:
                api.ok("ModifyInstanceState", **asked)
                assert current_state(api, instance_id, call) == TRANSITIONS[call][state]
            elif (state, expect_state) == (WAITING, RUNNING):
                api.ok("ModifyInstanceState", **asked)  # it is being started already
                assert building.run_summary(api, instance_id)["ActualState"] == WAITING
            else:
                code = "InvalidInstance.NotRunning" if (state, call) == (PAUSED, "fail") else REFUSALS[call]
                outcome = api.refused("ModifyInstanceState", **asked, code=code)
                assert f"is {state}" in outcome.hint


def is_for(expect_state: str, job_type: str) -> bool:
    return {PAUSED: STREAM, SUCCESS: BATCH}.get(expect_state, job_type) == job_type


def fresh_instance(api: Api, state: str) -> int:
    """A new instance of the job, put into a state."""
    for instance in api.ok("ListInstance", projectName="p", jobType=job_type_of(api))["Instances"]["Instance"]:
        force(api, instance["Id"], TERMINATED)
    instance_id = api.ok("StartJob", **J)["instanceId"]
    force(api, instance_id, state)
    found: int = instance_id
    return found


def force(api: Api, instance_id: int, state: str) -> None:
    with api.world.transaction():
        service.put_state(api.world, "p", "j", instance_id, actual_state=state)


def job_type_of(api: Api) -> str:
    found: str = api.ok("GetJob", **J)["Job"]["JobType"]
    return found


def current_state(api: Api, instance_id: int, call: str) -> str:
    """The state of the instance; after a resume that of the new one, which is listed first."""
    if call == "resume":
        listed = api.ok("ListInstance", projectName="p", jobType=job_type_of(api))["Instances"]["Instance"]
        assert listed[0]["Id"] > instance_id
        instance_id = listed[0]["Id"]
    shown = building.run_summary(api, instance_id)
    assert shown["ActualState"] == shown["ExpectState"]
    found: str = shown["ActualState"]
    return found


@pytest.mark.parametrize("state", [WAITING, RUNNING, PAUSED])
def test_a_stream_job_with_a_live_instance_cannot_be_started(api: Api, state: str) -> None:
    building.project_with_queue(api, "p")
    building.online_job(api)
    fresh_instance(api, state)
    outcome = api.refused("StartJob", **J, code="InvalidJob.AlreadyStarted")
    assert f"is {state}" in outcome.hint


@pytest.mark.parametrize("state", [TERMINATED, SUCCESS, FAILED])
def test_a_stream_job_whose_instance_has_ended_can_be_started(api: Api, state: str) -> None:
    building.project_with_queue(api, "p")
    building.online_job(api)
    ended = fresh_instance(api, state)
    assert api.ok("StartJob", **J)["instanceId"] > ended
