from urllib.parse import quote

import pytest

from tests.api import dump
from tests.control.conftest import INSTANCE, Control

STATE = "/worlds/default/projects/project1/jobs/job1/instances/412536/state"
STATES = ("WAITING", "RUNNING", "PAUSED", "TERMINATED", "SUCCESS", "FAILED")


@pytest.mark.parametrize("state", STATES)
def test_an_instance_is_put_into_any_state(control: Control, state: str) -> None:
    control.ok("PUT", STATE, {"ActualState": state}, status=204)
    control.ok("PUT", "/worlds/default/settings", {"not_running": "answer"})
    instance = control.api.request("GET", INSTANCE, headers={"accept": "*/*"}).json()["Instance"]
    assert instance["ActualState"] == state


@pytest.mark.parametrize("name", ["a/b", "x/jobs/y/instances/1/state", "%2F", "作业 🎉", "a+b?#"])
def test_an_instance_is_put_into_a_state_whatever_its_project_and_its_job_are_called(
    control: Control, name: str
) -> None:
    seed = {"projects": [{"Name": name, "jobs": [{"JobName": name, "instances": [{"Id": 7}]}]}]}
    control.ok("POST", "/worlds/default/seed", seed, status=204)
    segment = quote(name, safe="")
    path = f"projects/{segment}/jobs/{segment}/instances/7"
    control.ok("PUT", f"/worlds/default/{path}/state", {"ActualState": "FAILED"}, status=204)
    assert "FAILED" in control.api.request("GET", f"/api/v2/{path}/finalstate").text


def test_a_failed_instance_says_why(control: Control) -> None:
    control.ok("PUT", STATE, {"ActualState": "FAILED", "LastErrorMessage": "lost its task managers"}, status=204)
    assert control.get_instance("default").json()["Code"] == "InvalidInstance.NotRunning"
    path = f"{INSTANCE}/exceptions"
    assert "lost its task managers" in control.api.request("GET", path).text


@pytest.mark.parametrize("before", ["RUNNING", "PAUSED"])
def test_a_failure_leaves_what_was_expected(control: Control, before: str) -> None:
    """As of the job that failed in the default seed, which is expected to be RUNNING."""
    control.ok("PUT", "/worlds/default/settings", {"not_running": "answer"})
    control.ok("PUT", "/worlds/default/clock", {"mode": "frozen"})
    timeline = [{"after": "30s", "ActualState": "FAILED"}]
    instances = [{"ActualState": before, "timeline": timeline}]
    job = {"JobName": "j", "instances": instances}
    control.ok("POST", "/worlds/default/seed", {"projects": [{"Name": "p", "jobs": [job]}]}, status=204)
    control.ok("PUT", STATE, {"ActualState": before}, status=204)
    control.ok("PUT", STATE, {"ActualState": "FAILED"}, status=204)
    control.ok("POST", "/worlds/default/clock/advance", {"by": "30s"})
    for path in (INSTANCE, "/api/v2/projects/p/jobs/j/instances/-1"):
        instance = control.api.request("GET", path, headers={"accept": "*/*"}).json()["Instance"]
        assert (instance["ActualState"], instance["ExpectState"]) == ("FAILED", before)


def test_what_was_pending_for_an_instance_is_dropped(control: Control) -> None:
    control.ok("PUT", "/worlds/default/clock", {"mode": "frozen"})
    instance = {"Id": 900001, "timeline": [{"after": "30s", "ActualState": "FAILED"}]}
    job = {"JobName": "j", "instances": [instance]}
    control.ok("POST", "/worlds/default/seed", {"projects": [{"Name": "p", "jobs": [job]}]}, status=204)
    control.ok("PUT", "/worlds/default/projects/p/jobs/j/instances/900001/state", {"ActualState": "PAUSED"}, status=204)
    assert control.ok("GET", "/worlds/default/clock")["pending"] == []


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        (STATE.replace("project1", "nowhere"), 404, "The specified project does not exist"),
        (STATE.replace("job1", "nothing"), 404, "The specified job does not exist"),
        (STATE.replace("412536", "5"), 404, "The specified instance does not exist"),
        (STATE.replace("412536", "x"), 400, "instance_id: 'x' is not a valid integer"),
        (STATE.replace("412536", "9" * 30), 400, "instance_id: Input should be less than or equal to"),
    ],
)
def test_a_job_that_does_not_exist_cannot_be_put_into_a_state(
    control: Control, path: str, status: int, reason: str
) -> None:
    before = dump(control.api.world)
    assert reason in control.refused("PUT", path, {"ActualState": "FAILED"}, status=status)
    assert dump(control.api.world) == before


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "ActualState: Field required"),
        ({"ActualState": "TIRED"}, "ActualState: Input should be 'WAITING'"),
        ({"ActualState": "FAILED", "Mood": "bad"}, "Mood: there is no such member"),
        ({"actual_state": "FAILED"}, "ActualState: Field required"),
        (None, "body: Field required"),
    ],
)
def test_a_state_that_cannot_be_is_refused(control: Control, body: object, reason: str) -> None:
    assert reason in control.refused("PUT", STATE, body)


def test_only_an_instance_that_failed_has_an_error_message(control: Control) -> None:
    hint = control.refused("PUT", STATE, {"ActualState": "RUNNING", "LastErrorMessage": "lost"})
    assert "LastErrorMessage is only for FAILED, and ActualState is" in hint
    control.ok("PUT", STATE, {"ActualState": "RUNNING", "LastErrorMessage": None}, status=204)


def test_a_seeded_instance_has_the_members_of_one_that_was_started(control: Control) -> None:
    jobs = [{"JobName": "started"}, {"JobName": "seeded", "instances": [{}]}]
    control.ok("POST", "/worlds/default/seed", {"projects": [{"Name": "p", "jobs": jobs}]}, status=204)
    control.api.ok("StartJob", projectName="p", jobName="started")
    started, seeded = (
        control.api.ok("GetInstance", projectName="p", jobName=name, instanceId=-1)["Instance"]
        for name in ("started", "seeded")
    )
    assert started.keys() == seeded.keys()
    assert started["PlanJson"] == seeded["PlanJson"] == ""


@pytest.mark.parametrize("state", STATES)
def test_a_timeline_brings_no_live_state_in_an_offline_job(control: Control, state: str) -> None:
    timeline = [{"after": "1m", "ActualState": state}]
    ended = {"ActualState": "TERMINATED", "timeline": timeline}
    instances = [{"Id": 11, "is_archived": True, **ended}, {"Id": 12, "is_archived": False, **ended}]
    seed = {"projects": [{"Name": "p", "jobs": [{"JobName": "j", "instances": instances}]}]}
    control.ok("POST", "/worlds/default/seed", seed, status=204)
    control.api.ok("OfflineJob", projectName="p", jobName="j")
    moved = control.ok("POST", "/worlds/default/clock/advance", {"by": "1m"})
    is_live = state in ("WAITING", "RUNNING", "PAUSED")
    assert [change["state"] for change in moved["changes"]] == [state, None if is_live else state]
    control.api.ok("DeleteJob", projectName="p", jobName="j")


@pytest.mark.parametrize("state", STATES)
def test_no_instance_of_an_offline_job_is_live(control: Control, state: str) -> None:
    """DeleteJob, which only an offline job allows, would remove it while it runs."""
    control.ok("PUT", STATE, {"ActualState": "TERMINATED"}, status=204)
    control.api.ok("OfflineJob", projectName="project1", jobName="job1")
    if state in ("WAITING", "RUNNING", "PAUSED"):
        assert "'job1' is offline; CommitJob brings it online." in control.refused("PUT", STATE, {"ActualState": state})
        control.ok("PUT", STATE.replace("412536", "123"), {"ActualState": state}, status=204)  # archived, so a record
    else:
        control.ok("PUT", STATE, {"ActualState": state}, status=204)
    control.api.ok("DeleteJob", projectName="project1", jobName="job1")
