"""The order of a job's life: made, committed, started, stopped, taken offline, deleted."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from foas_emulator.world.pending import planned
from tests.api import Api
from tests.operations import building

J: dict[str, Any] = {"projectName": "p", "jobName": "j"}
LIVE: dict[str, Any] = J | {"instanceId": -1}
SCALED: dict[str, Any] = {"isOnOff": True, "maxCU": 4, "configure": '{"fetch_delay":44.5}'}


@pytest.fixture
def online(p: Api) -> Api:
    building.online_job(p)
    return p


def is_committed(api: Api) -> bool:
    found: bool = api.ok("GetJob", **J)["Job"]["IsCommitted"]
    return found


def scale_params(api: Api) -> dict[str, Any]:
    api.ok("StartJob", **J)
    found: dict[str, Any] = json.loads(api.ok("GetInstance", **LIVE)["Instance"]["AutoScaleParams"])
    return found


def test_committing_brings_a_job_online(p: Api) -> None:
    building.job(p)
    assert is_committed(p) is False
    p.ok("CommitJob", **J)
    assert is_committed(p) is True


def test_what_runs_is_the_committed_copy_and_not_the_draft(online: Api) -> None:
    online.ok("UpdateJob", **J, code="blink.main.class=New", planJson="{c:d}", properties="new=1")
    online.ok("StartJob", **J)
    instance = online.ok("GetInstance", **LIVE)["Instance"]
    assert (instance["Code"], instance["PlanJson"]) == ("blink.main.class=Main", "")
    assert "Properties" not in instance


def test_committing_again_makes_a_new_copy_for_the_next_start(online: Api) -> None:
    online.ok("StartJob", **J)
    online.ok("UpdateJob", **J, code="blink.main.class=New", planJson="{c:d}")
    online.ok("CommitJob", **J)
    assert online.ok("GetInstance", **LIVE)["Instance"]["Code"] == "blink.main.class=Main"
    online.ok("ModifyInstanceState", **LIVE, expectState="TERMINATED")
    online.ok("StartJob", **J)
    instance = online.ok("GetInstance", **LIVE)["Instance"]
    assert (instance["Code"], instance["PlanJson"]) == ("blink.main.class=New", "{c:d}")


def test_a_job_cannot_be_committed_once_its_queue_is_gone(p: Api) -> None:
    building.job(p)
    place = p.ok("GetJob", **J)["Job"]
    p.ok("UnbindQueue", projectName="p", clusterId=place["ClusterId"], queueName="root.p")
    p.refused("CommitJob", **J, code="InvalidProject.NoQueue")


def test_a_job_cannot_be_committed_once_its_packages_are_gone(p: Api) -> None:
    p.ok("CreatePackage", projectName="p", packageName="a.jar", type="JAR", originName="a.jar", ossPath="a/a.jar")
    building.job(p, packages="a.jar")
    p.ok("DeletePackage", projectName="p", packageName="a.jar")
    p.refused("CommitJob", **J, code="InvalidPackage.NotFound", status=404)


def test_an_online_job_can_be_taken_offline_and_brought_back(online: Api) -> None:
    online.ok("OfflineJob", **J)
    assert is_committed(online) is False
    online.ok("CommitJob", **J)
    assert is_committed(online) is True


def test_an_offline_job_cannot_be_started(p: Api) -> None:
    building.job(p)
    outcome = p.refused("StartJob", **J, code="InvalidJob.NotCommitted")
    assert "CommitJob" in outcome.hint


def test_an_offline_job_cannot_be_taken_offline(p: Api) -> None:
    building.job(p)
    p.refused("OfflineJob", **J, code="InvalidJob.NotCommitted")


def test_an_online_job_cannot_be_deleted(online: Api) -> None:
    outcome = online.refused("DeleteJob", **J, code="InvalidJob.Online")
    assert "OfflineJob" in outcome.hint


@pytest.mark.parametrize("state", ["WAITING", "RUNNING", "PAUSED"])
def test_a_job_with_a_live_instance_cannot_be_taken_offline(online: Api, state: str) -> None:
    if state == "WAITING":
        online.world.set({"start_delay": "1h"})
    online.ok("StartJob", **J)
    if state == "PAUSED":
        online.ok("ModifyInstanceState", **LIVE, expectState="PAUSED")
    outcome = online.refused("OfflineJob", **J, code="InvalidJob.NotStopped")
    assert state in outcome.hint


def test_a_stopped_job_can_be_taken_offline_and_deleted(online: Api) -> None:
    online.ok("StartJob", **J)
    online.ok("ModifyInstanceState", **LIVE, expectState="TERMINATED")
    online.ok("OfflineJob", **J)
    online.ok("DeleteJob", **J)
    assert online.ok("GetJob", **J) == {}


def test_a_deleted_job_leaves_nothing_behind(p: Api) -> None:
    building.job(p)
    p.ok("CommitJob", **J, **SCALED)
    p.world.set({"plan_delay": "1h"})
    p.ok("StartJob", **J)
    p.ok("GetRawPlanJson", **J)
    p.ok("ModifyInstanceState", **LIVE, expectState="TERMINATED")
    p.ok("OfflineJob", **J)
    p.ok("DeleteJob", **J)
    building.online_job(p)
    assert p.ok("ListInstance", projectName="p", jobType="FLINK_STREAM")["TotalCount"] == 0
    assert p.ok("GetInstanceRunSummary", **LIVE)["RunSummary"]["ActualState"] == "UNKNOWN"
    assert p.ok("GetJobLatestAutoScalePlan", **J) == {}
    assert p.advance("2h") == []


def test_a_project_goes_with_its_offline_jobs(p: Api) -> None:
    building.job(p)
    p.ok("DeleteProject", projectName="p")
    building.project_with_queue(p, "p")
    assert p.ok("GetJob", **J) == {}


def test_autoscale_is_off_unless_it_is_switched_on(online: Api) -> None:
    online.ok("StartJob", **J)
    instance = online.ok("GetInstance", **LIVE)["Instance"]
    assert instance["AutoScaleParams"] == '{"isOnOff":false,"strategyConfigure":null,"maxCU":null}'


def test_autoscale_is_committed_with_its_strategy_and_maximum(p: Api) -> None:
    building.job(p)
    p.ok("CommitJob", **J, **SCALED)
    assert scale_params(p) == {"isOnOff": True, "strategyConfigure": {"fetch_delay": 44.5}, "maxCU": 4.0}


@pytest.mark.parametrize("parameter", ["maxCU", "configure"])
def test_autoscale_needs_a_maximum_and_a_strategy(p: Api, parameter: str) -> None:
    building.job(p)
    given = {name: value for name, value in SCALED.items() if name != parameter}
    p.refused("CommitJob", **J, **given, code=f"Missing{parameter}")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("maxCU", 0),
        ("maxCU", "many"),
        ("configure", "fetch_delay"),
        ("configure", "{"),
        ("configure", '{"Fetch_Delay":1}'),
        ("configure", '{"fetch_delay":true}'),
        ("configure", '{"fetch_delay":-1}'),
        ("configure", '{"fetch_delay":NaN}'),
        ("configure", '{"fetch_delay":1,"more":[1e999]}'),
        ("maxCU", "1e400"),
        ("suspendPeriods", '[{"startTime":NaN,"endTime":"2","plan":"CURRENT","policy":"EVERY_DAY_TIME"}]'),
        ("suspendPeriods", "18:00"),
        ("suspendPeriods", "{"),
        ("suspendPeriods", '[{"startTime":"18:00","plan":"CURRENT","policy":"EVERY_DAY_TIME"}]'),
        ("suspendPeriods", '[{"startTime":"1","endTime":"2","plan":"OTHER","policy":"EVERY_DAY_TIME"}]'),
        ("suspendPeriods", '[{"startTime":"1","endTime":"2","plan":"CURRENT","policy":"NEVER"}]'),
        ("suspendPeriods", '[{"startTime":"1800","endTime":"18:20","plan":"CURRENT","policy":"EVERY_DAY_TIME"}]'),
        ("suspendPeriods", '[{"startTime":"18:00","endTime":"24:00","plan":"CURRENT","policy":"EVERY_DAY_TIME"}]'),
        ("suspendPeriods", '[{"startTime":"18:00","endTime":18,"plan":"CURRENT","policy":"EVERY_DAY_TIME"}]'),
        ("suspendPeriods", '[{"startTime":"18:00","endTime":"18:20","plan":"CURRENT","policy":"SPECIFIED_TIME"}]'),
        ("suspendPeriodParam.1.startTime", "18:00"),
    ],
)
def test_autoscale_settings_must_make_sense(p: Api, parameter: str, value: Any) -> None:
    building.job(p)
    p.refused("CommitJob", **J, **SCALED | {parameter: value}, code=f"Invalid{parameter.split('.', maxsplit=1)[0]}")


def test_the_maximum_of_autoscale_is_anything_above_nothing(p: Api) -> None:
    building.job(p)
    refusal = p.refused("CommitJob", **J, **SCALED | {"maxCU": 0}, code="InvalidmaxCU")
    assert refusal.hint.endswith("it must be more than 0 and less than 2147483648.")
    p.ok("CommitJob", **J, **SCALED | {"maxCU": 0.5})


def test_autoscale_rests_in_the_periods_given_either_way(p: Api) -> None:
    building.job(p)
    daily = {"startTime": "18:00", "endTime": "18:20", "plan": "ORIGINAL", "policy": "EVERY_DAY_TIME"}
    once = {
        "startTime": "2020-07-17 19:30",
        "endTime": "2020-07-17 20:00",
        "plan": "CURRENT",
        "policy": "SPECIFIED_TIME",
    }
    listed = {f"suspendPeriodParam.1.{name}": value for name, value in once.items()}
    p.ok("CommitJob", **J, **SCALED, **listed, suspendPeriods=json.dumps([daily]))
    assert scale_params(p)["suspendPeriods"] == [once, daily]


def test_autoscale_rests_in_as_many_periods_as_the_metadata_allows(p: Api) -> None:
    building.job(p)
    daily = {"startTime": "18:00", "endTime": "18:20", "plan": "ORIGINAL", "policy": "EVERY_DAY_TIME"}
    listed: Any = {f"suspendPeriodParam.{n}.{name}": value for n in range(1, 102) for name, value in daily.items()}
    p.refused("CommitJob", **J, **SCALED, **listed, code="InvalidsuspendPeriodParam")
    p.ok("CommitJob", **J, **SCALED, **{name: value for name, value in listed.items() if ".101." not in name})


def test_a_hint_says_what_json_in_a_body_of_json_lacks(p: Api) -> None:
    building.job(p)
    open_end = {"startTime": "18:00", "endTime": None, "plan": "ORIGINAL", "policy": "EVERY_DAY_TIME"}

    def hint(**parameters: Any) -> str:
        response = p.request("PUT", "/api/v2/projects/p/jobs/j/commit", json=SCALED | parameters)
        return str(response.headers["x-emulator-hint"])

    assert hint(suspendPeriodParam=[open_end]).endswith("each period needs a startTime and an endTime.")
    assert hint(configure={"fetch_delay": 44.5}).endswith("it must be a single value, and JSON in it a text.")


def test_autoscale_is_for_stream_jobs_on_blink_3(p: Api) -> None:
    building.job(p, "b", jobType="FLINK_BATCH")
    p.refused("CommitJob", projectName="p", jobName="b", **SCALED, code="InvalidisOnOff")
    building.job(p, "old", engineVersion="blink_2.2.4")
    p.refused("CommitJob", projectName="p", jobName="old", **SCALED, code="InvalidEngineVersion.TooOld")


def test_recommending_only_needs_blink_3_7_8(p: Api) -> None:
    building.job(p)
    outcome = p.refused("CommitJob", **J, **SCALED, recommendOnly=True, code="InvalidEngineVersion.TooOld")
    assert "3.7.8" in outcome.hint
    p.ok("UpdateJob", **J, engineVersion="blink-3.7.8")
    p.ok("CommitJob", **J, **SCALED, recommendOnly=True)
    assert scale_params(p)["strategyConfigure"] == {"fetch_delay": 44.5, "recommendOnly": True}


def test_the_maximum_of_autoscale_must_hold_the_plan(p: Api) -> None:
    plan = {"nodes": [{"id": 1, "pact": "Data Source", "parallelism": 100, "core": 0.1, "heap_memory": 256}]}
    building.job(p, planJson=json.dumps(plan))
    outcome = p.refused("CommitJob", **J, **SCALED, code="InvalidJob.ResourceValidateFailed")
    assert outcome.members["Message"].startswith("resource validate failed")
    p.ok("CommitJob", **J, **SCALED | {"maxCU": 10})


@pytest.mark.parametrize("instances", [1, 30])
def test_a_job_is_taken_offline_and_deleted_alike_however_many_instances_it_has(api: Api, instances: int) -> None:
    building.project_with_queue(api)
    api.world.set({"batch_duration": "1h", "plan_delay": "1d"})
    for name in ("j", "other"):
        building.online_job(api, name, jobType="FLINK_BATCH")
        api.ok("GetRawPlanJson", projectName="p", jobName=name)
        for _ in range(instances):
            api.ok("StartJob", projectName="p", jobName=name)
    given: dict[str, Any] = {"projectName": "p", "jobName": "j"}
    assert statements(api, lambda: api.call("OfflineJob", **given)) == 8
    api.advance("1h")
    assert statements(api, lambda: api.ok("OfflineJob", **given)) == 7
    assert statements(api, lambda: api.ok("DeleteJob", **given)) == 13
    subjects = [change.subject for change in planned(api.world.store)]
    assert len(subjects) == len(set(subjects)) == instances + 1


@pytest.mark.parametrize("jobs", [1, 20])
def test_a_project_is_told_of_and_deleted_alike_however_many_jobs_it_has(api: Api, jobs: int) -> None:
    building.project_with_queue(api)
    api.world.set({"plan_delay": "1d"})
    names = [f"j{number}" for number in range(jobs)]
    for name in names:
        building.online_job(api, name)
        api.ok("GetRawPlanJson", projectName="p", jobName=name)
        api.ok("StartJob", projectName="p", jobName=name)
        api.ok("ModifyInstanceState", projectName="p", jobName=name, instanceId=-1, expectState="TERMINATED")
    asked: dict[str, Any] = {"projectName": "p", "jobNames": ",".join(names), "jobType": "FLINK_STREAM"}
    assert statements(api, lambda: api.ok("BatchGetInstanceRunSummary", **asked)) == 4
    for name in names:
        api.ok("OfflineJob", projectName="p", jobName=name)
    assert statements(api, lambda: api.ok("DeleteProject", projectName="p")) == 16
    counts = api.world.store.counts()
    assert counts["pending_changes"] == counts["jobs"] == counts["instances"] == counts["plan_sessions"] == 0


def statements(api: Api, call: Callable[[], object]) -> int:
    """The number of statements of a call, but the count of pages that ends each write in memory."""
    run: list[str] = []
    api.world.store._raw.set_trace_callback(run.append)
    call()
    api.world.store._raw.set_trace_callback(None)
    return sum(not each.startswith("PRAGMA") for each in run)
