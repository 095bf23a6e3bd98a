"""Changes of instances: starting, pausing, resuming, stopping, ending, and time."""

from typing import Any

import pytest

from foas_emulator.operations.columns import ACCOUNT
from foas_emulator.operations.instances import service
from foas_emulator.seeds.applying import apply
from foas_emulator.seeds.reading import parse_seed
from tests.api import Api
from tests.operations import building

J: dict[str, Any] = {"projectName": "p", "jobName": "j"}
LIVE: dict[str, Any] = J | {"instanceId": -1}


@pytest.fixture
def p(api: Api) -> Api:
    building.project_with_queue(api, "p")
    building.online_job(api, "j", properties="k=v", packages="")
    api.advance("0s")
    return api


@pytest.fixture
def batch(api: Api) -> Api:
    building.project_with_queue(api, "p")
    building.online_job(api, "j", jobType="FLINK_BATCH")
    api.advance("0s")
    return api


def start(api: Api, **given: Any) -> int:
    found: int = api.ok("StartJob", **J, **given)["instanceId"]
    return found


def ask(api: Api, state: str, instance_id: int = -1, **given: Any) -> None:
    api.ok("ModifyInstanceState", **J, instanceId=instance_id, expectState=state, **given)


def shown(api: Api, instance_id: int = -1) -> dict[str, Any]:
    """The instance in whatever state, as ListInstance shows it."""
    if instance_id == -1:
        instance_id = api.ok("GetInstanceRunSummary", **LIVE)["RunSummary"]["Id"]
    job_type = api.ok("GetJob", **J)["Job"]["JobType"]
    for is_archived in (False, True):
        answer = api.ok("ListInstance", projectName="p", jobType=job_type, isArchived=is_archived)
        for instance in answer["Instances"]["Instance"]:
            if instance["Id"] == instance_id:
                found: dict[str, Any] = instance
                return found
    raise AssertionError(f"no instance {instance_id}")


def states(api: Api, instance_id: int = -1) -> tuple[str, str]:
    instance = shown(api, instance_id)
    return instance["ExpectState"], instance["ActualState"]


def listed(api: Api, job_type: str = "FLINK_STREAM", **filters: Any) -> list[Any]:
    answer = api.ok("ListInstance", projectName="p", jobType=job_type, **filters)
    return [instance["Id"] for instance in answer["Instances"]["Instance"]]


def force(api: Api, instance_id: int, state: str, message: str | None = None) -> None:
    with api.world.transaction():
        service.put_state(api.world, "p", "j", instance_id, actual_state=state, last_error_message=message)


# -- starting


def test_a_start_without_delay_runs_at_once(p: Api) -> None:
    start(p)
    instance = shown(p)
    assert (instance["ExpectState"], instance["ActualState"]) == ("RUNNING", "RUNNING")
    assert instance["Starter"] == instance["LastOperator"] == ACCOUNT
    assert instance["StartTime"] == instance["LastOperateTime"] == p.world.second()
    assert instance["InputDelay"] == -99999999
    application, _, job_id = instance["EngineJobHandler"].partition("|")
    assert application.startswith("application_")
    assert len(job_id) == 32
    assert "EndTime" not in instance


def test_a_started_job_waits_until_its_delay_has_passed(p: Api) -> None:
    p.world.set({"start_delay": "30s"})
    start(p)
    asked_at = p.world.second()
    p.advance("29s")
    waiting = shown(p)
    assert (waiting["ExpectState"], waiting["ActualState"]) == ("RUNNING", "WAITING")
    assert not {"StartTime", "EndTime", "EngineJobHandler"} & set(waiting)
    p.advance("1s")
    running = shown(p)
    assert running["ActualState"] == "RUNNING"
    assert running["StartTime"] == (asked_at + 30_000) // 1000 * 1000
    assert running["LastOperateTime"] == asked_at


def test_a_change_is_stamped_with_the_time_it_was_due_and_not_with_that_of_the_look(p: Api) -> None:
    p.world.set({"start_delay": "30s"})
    start(p)
    due = p.world.now() + 30_000
    p.advance("3h")
    assert shown(p)["StartTime"] == due // 1000 * 1000


def test_the_next_start_makes_a_new_instance_and_archives_the_old(p: Api) -> None:
    first = start(p)
    ask(p, "TERMINATED")
    second = start(p)
    assert second > first
    assert listed(p) == [second]
    assert listed(p, isArchived=True) == [first]
    assert p.ok("GetInstanceRunSummary", **LIVE)["RunSummary"]["Id"] == second


def test_a_batch_job_can_have_several_instances_at_once(batch: Api) -> None:
    first, second = start(batch), start(batch)
    assert listed(batch, "FLINK_BATCH") == [second, first]
    assert states(batch, first) == states(batch, second) == ("RUNNING", "RUNNING")


@pytest.mark.parametrize(
    "parameters", ['{"startOffset":"1548397575000"}', "{a:b}", "", '{"startOffset":1548397575000}']
)
def test_a_start_takes_parameters(p: Api, parameters: Any) -> None:
    start(p, parameterJson=parameters)


@pytest.mark.parametrize(
    "parameters", ["startOffset", "[]", '{"a":', '{"startOffset":"yesterday"}', '{"startOffset":-1}']
)
def test_start_parameters_must_be_an_object(p: Api, parameters: Any) -> None:
    p.refused("StartJob", **J, parameterJson=parameters, code="InvalidparameterJson")


# -- pausing and resuming


def test_a_pause_is_expected_at_once_and_actual_after_its_delay(p: Api) -> None:
    start(p)
    p.world.set({"pause_delay": "10s"})
    ask(p, "PAUSED")
    assert states(p) == ("PAUSED", "RUNNING")
    assert p.ok("GetInstance", **LIVE)["Instance"]["ExpectState"] == "PAUSED"
    p.advance("10s")
    assert states(p) == ("PAUSED", "PAUSED")
    assert "EndTime" not in shown(p)


def test_asking_again_for_what_is_under_way_changes_nothing(p: Api) -> None:
    start(p)
    p.world.set({"pause_delay": "10s"})
    ask(p, "PAUSED")
    p.advance("6s")
    ask(p, "PAUSED")
    p.advance("4s")
    assert states(p) == ("PAUSED", "PAUSED")


def test_a_resume_makes_a_new_instance_and_archives_the_paused_one(p: Api) -> None:
    paused = start(p)
    ask(p, "PAUSED")
    p.advance("5s")
    ask(p, "RUNNING")
    (current,) = listed(p)
    assert current > paused
    assert states(p, current) == ("RUNNING", "RUNNING")
    assert listed(p, isArchived=True) == [paused]
    assert shown(p, paused)["ActualState"] == "PAUSED"
    assert shown(p, paused)["EndTime"] == shown(p, current)["StartTime"] == p.world.second()


def test_a_resumed_job_waits_for_the_delay_of_a_start(p: Api) -> None:
    start(p)
    ask(p, "PAUSED")
    p.world.set({"start_delay": "30s"})
    ask(p, "RUNNING")
    assert states(p) == ("RUNNING", "WAITING")
    p.advance("30s")
    assert states(p) == ("RUNNING", "RUNNING")


@pytest.mark.parametrize(
    ("flush", "expected"),
    [
        ({}, "blink.main.class=New"),
        ({"isFlush": True}, "blink.main.class=New"),
        ({"isFlush": False}, "blink.main.class=Main"),
    ],
)
def test_a_resume_runs_the_latest_committed_copy_unless_told_otherwise(p: Api, flush: Any, expected: Any) -> None:
    start(p)
    ask(p, "PAUSED")
    p.ok("UpdateJob", **J, code="blink.main.class=New")
    p.ok("CommitJob", **J)
    ask(p, "RUNNING", **flush)
    assert shown(p)["Code"] == expected


def test_a_resume_does_not_take_a_draft_that_is_not_committed(p: Api) -> None:
    start(p)
    ask(p, "PAUSED")
    p.ok("UpdateJob", **J, code="blink.main.class=New")
    ask(p, "RUNNING")
    assert shown(p)["Code"] == "blink.main.class=Main"


def test_only_stream_jobs_are_paused_and_only_batch_jobs_succeed(p: Api) -> None:
    instance_id = start(p)
    p.refused("ModifyInstanceState", **LIVE, expectState="SUCCESS", code="InvalidexpectState")
    building.online_job(p, "b", jobType="FLINK_BATCH")
    running = p.ok("StartJob", projectName="p", jobName="b")["instanceId"]
    batch = {"projectName": "p", "jobName": "b", "instanceId": running}
    p.refused("ModifyInstanceState", **batch, expectState="PAUSED", code="InvalidexpectState")
    assert running != instance_id


# -- stopping and ending


def test_a_stop_is_expected_at_once_and_actual_after_its_delay(p: Api) -> None:
    start(p)
    p.world.set({"stop_delay": "10s"})
    ask(p, "TERMINATED")
    assert states(p) == ("TERMINATED", "RUNNING")
    assert "EndTime" not in shown(p)
    p.advance("10s")
    assert states(p) == ("TERMINATED", "TERMINATED")
    assert shown(p)["EndTime"] == p.world.second()


def test_a_stop_calls_off_what_was_planned(p: Api) -> None:
    p.world.set({"start_delay": "30s"})
    start(p)
    ask(p, "TERMINATED")
    assert states(p) == ("TERMINATED", "TERMINATED")
    assert p.advance("1h") == []
    assert states(p) == ("TERMINATED", "TERMINATED")


def test_a_checkpoint_on_pause_or_stop_needs_blink_3_5(p: Api) -> None:
    start(p)
    for state in ("PAUSED", "TERMINATED"):
        outcome = p.refused(
            "ModifyInstanceState", **LIVE, expectState=state, triggerCheckpoint=True, code="InvalidEngineVersion.TooOld"
        )
        assert outcome.members["Message"] == "blink version >= blink-3.5 is required, instance blink-3.4.4"
    ask(p, "TERMINATED")
    p.ok("UpdateJob", **J, engineVersion="blink-3.5.0")
    p.ok("CommitJob", **J)
    start(p)
    ask(p, "TERMINATED", triggerCheckpoint=True)


def test_a_caller_can_end_a_batch_instance(batch: Api) -> None:
    ended, failed = start(batch), start(batch)
    ask(batch, "SUCCESS", ended)
    ask(batch, "FAILED", failed)
    assert states(batch, ended) == ("SUCCESS", "SUCCESS")
    assert states(batch, failed) == ("FAILED", "FAILED")
    assert shown(batch, ended)["EndTime"] == batch.world.second()


def test_a_batch_instance_runs_until_told_unless_it_has_a_duration(batch: Api) -> None:
    endless = start(batch)
    batch.world.set({"batch_duration": "10m"})
    limited = start(batch)
    batch.advance("10m")
    assert states(batch, endless) == ("RUNNING", "RUNNING")
    assert shown(batch, limited)["ActualState"] == "SUCCESS"
    assert shown(batch, limited)["EndTime"] == batch.world.second()


def test_a_stopped_batch_instance_does_not_succeed_later(batch: Api) -> None:
    batch.world.set({"batch_duration": "10m"})
    instance_id = start(batch)
    ask(batch, "TERMINATED", instance_id)
    batch.advance("11m")
    assert shown(batch, instance_id)["ActualState"] == "TERMINATED"


def test_a_batch_instance_is_archived_two_days_after_its_end(batch: Api) -> None:
    ended, running = start(batch), start(batch)
    ask(batch, "SUCCESS", ended)
    batch.advance("47h")
    assert listed(batch, "FLINK_BATCH") == [running, ended]
    batch.advance("1h")
    assert listed(batch, "FLINK_BATCH") == [running]
    assert listed(batch, "FLINK_BATCH", isArchived=True) == [ended]


def test_a_batch_instance_goes_on_with_its_timeline_after_it_was_archived(api: Api) -> None:
    timeline = "[{after: 1m, ActualState: SUCCESS}, {after: 3d, ActualState: FAILED}]"
    instances = f"[{{Id: 5, JobType: FLINK_BATCH, timeline: {timeline}}}]"
    apply(api.world, parse_seed(f"projects: [{{Name: p, jobs: [{{JobName: j, instances: {instances}}}]}}]", "seed"))
    api.advance("3d")
    shown = api.ok("GetInstanceRunSummary", projectName="p", jobName="j", instanceId=5)
    assert shown["RunSummary"]["ActualState"] == "FAILED"
    assert api.ok("ListInstance", projectName="p", jobType="FLINK_BATCH", isArchived=True)["Instances"]["Instance"]


def test_a_stream_instance_that_has_ended_stays_until_the_next_start(p: Api) -> None:
    instance_id = start(p)
    ask(p, "TERMINATED")
    p.advance("96h")
    assert listed(p) == [instance_id]


def test_an_archived_instance_cannot_be_moved(p: Api) -> None:
    archived = start(p)
    ask(p, "PAUSED")
    ask(p, "RUNNING")
    for state in ("RUNNING", "TERMINATED"):
        p.refused("ModifyInstanceState", **J, instanceId=archived, expectState=state, code="InvalidInstance.Archived")


def test_a_state_must_be_asked_for_and_exist(p: Api) -> None:
    start(p)
    p.refused("ModifyInstanceState", **LIVE, code="MissingexpectState")
    for state in ("WAITING", "UNKNOWN", "STOPPED", ""):
        p.refused("ModifyInstanceState", **LIVE, expectState=state, code="InvalidexpectState")
    ask(p, "paused")
    assert states(p) == ("PAUSED", "PAUSED")


def test_a_job_that_was_never_started_cannot_be_moved(p: Api) -> None:
    for state, code in (("PAUSED", "NotRunning"), ("RUNNING", "NotPaused"), ("TERMINATED", "NotRunning")):
        outcome = p.refused("ModifyInstanceState", **LIVE, expectState=state, code=f"InvalidInstance.{code}")
        assert "never started" in outcome.hint


# -- by force


def test_an_instance_can_be_put_into_a_state_with_all_that_goes_with_it(p: Api) -> None:
    instance_id = start(p)
    p.advance("5s")
    force(p, instance_id, "FAILED", "broken")
    failed = shown(p)
    assert (failed["ExpectState"], failed["ActualState"]) == ("RUNNING", "FAILED")
    assert failed["EndTime"] == failed["LastErrorTime"] == p.world.second()
    assert failed["LastErrorMessage"] == "broken"
    p.advance("5s")
    force(p, instance_id, "RUNNING")
    running = shown(p)
    assert (running["ExpectState"], running["ActualState"]) == ("RUNNING", "RUNNING")
    assert running["StartTime"] == failed["StartTime"]
    assert "EndTime" not in running


def test_an_instance_put_into_waiting_still_means_to_run(p: Api) -> None:
    instance_id = start(p)
    force(p, instance_id, "WAITING", "yarn resource not available")
    assert states(p) == ("RUNNING", "WAITING")
    summary = p.ok("GetInstanceRunSummary", **LIVE)["RunSummary"]
    assert summary["LastErrorMessage"] == "yarn resource not available"
    p.advance("1h")
    assert states(p) == ("RUNNING", "WAITING")


def test_force_calls_off_what_was_planned(batch: Api) -> None:
    batch.world.set({"batch_duration": "10m"})
    instance_id = start(batch)
    force(batch, instance_id, "SUCCESS")
    force(batch, instance_id, "RUNNING")
    assert batch.advance("72h") == []
    assert states(batch, instance_id) == ("RUNNING", "RUNNING")


def test_a_planned_state_comes_due(p: Api) -> None:
    instance_id = start(p)
    with p.world.transaction():
        at = p.world.now()
        p.world.schedule(
            "put_state", f"instance:{instance_id}", at=at + 1000, ActualState="PAUSED", LastErrorMessage=None
        )
        p.world.schedule(
            "put_state", f"instance:{instance_id}", at=at + 2000, ActualState="FAILED", LastErrorMessage="broken"
        )
    p.advance("1s")
    assert states(p) == ("PAUSED", "PAUSED")
    p.advance("1s")
    assert states(p) == ("PAUSED", "FAILED")
    assert shown(p)["LastErrorMessage"] == "broken"


WRONG_SQL = "create table t (a int) with (type='print');\ninsert into t select a from absent;"


def test_wrong_sql_starts_by_default_as_only_its_validation_refuses_it(p: Api) -> None:
    building.online_job(p, "wrong", apiType="SQL", code=WRONG_SQL)
    p.ok("StartJob", projectName="p", jobName="wrong")
    summary = p.ok("GetInstanceRunSummary", projectName="p", jobName="wrong", instanceId=-1)["RunSummary"]
    assert summary["ActualState"] == "RUNNING"


def test_wrong_sql_fails_at_the_start_where_the_world_wants_it_so(p: Api) -> None:
    p.world.set({"sql_check": "start", "start_delay": "30s"})
    building.online_job(p, "wrong", apiType="SQL", code=WRONG_SQL)
    wrong = {"projectName": "p", "jobName": "wrong"}
    p.ok("StartJob", **wrong)
    assert p.ok("GetInstanceRunSummary", **wrong, instanceId=-1)["RunSummary"]["ActualState"] == "WAITING"
    p.advance("30s")
    failed = p.ok("GetInstanceRunSummary", **wrong, instanceId=-1)["RunSummary"]
    assert (failed["ActualState"], failed["ExpectState"]) == ("FAILED", "RUNNING")
    assert failed["LastErrorTime"] == p.world.second()
    assert failed["LastErrorMessage"].startswith(
        "Submit blink job failed, name: wrong, errcode:30017, errmsg:code:[30017], brief info:[get app plan failed]"
    )
    assert "At line 2, column 29: Table 'absent' not found" in failed["LastErrorMessage"]
    (instance,) = p.ok("ListInstance", projectName="p", jobType="FLINK_STREAM", jobName="wrong")["Instances"][
        "Instance"
    ]
    assert "StartTime" not in instance
    p.ok("UpdateJob", **wrong, code="create table t (a int) with (type='print'); insert into t values (1);")
    p.ok("CommitJob", **wrong)
    p.ok("StartJob", **wrong)
    p.advance("30s")
    assert p.ok("GetInstanceRunSummary", **wrong, instanceId=-1)["RunSummary"]["ActualState"] == "RUNNING"


@pytest.mark.parametrize("job_type", ["FLINK_STREAM", "FLINK_BATCH"])
def test_wrong_sql_fails_at_once_without_a_delay(p: Api, job_type: str) -> None:
    p.world.set({"sql_check": "start", "batch_duration": "0s"})
    building.online_job(p, "wrong", jobType=job_type, apiType="SQL", code=WRONG_SQL)
    wrong = {"projectName": "p", "jobName": "wrong"}
    instance_id = p.ok("StartJob", **wrong)["instanceId"]
    failed = p.ok("GetInstanceRunSummary", **wrong, instanceId=instance_id)["RunSummary"]
    assert (failed["ActualState"], failed["ExpectState"]) == ("FAILED", "RUNNING")
    assert "Table 'absent' not found" in failed["LastErrorMessage"]
    p.advance("2d")
    archived = p.ok("ListInstance", projectName="p", jobName="wrong", jobType=job_type, isArchived=True)
    assert bool(archived["Instances"]["Instance"]) == (job_type == "FLINK_BATCH")


@pytest.mark.parametrize(
    "given", [{"apiType": "DATASTREAM", "code": WRONG_SQL}, {"apiType": "SQL", "code": "select 1"}]
)
def test_only_wrong_sql_fails_at_the_start(p: Api, given: dict[str, Any]) -> None:
    p.world.set({"sql_check": "start"})
    building.online_job(p, "right", **given)
    p.ok("StartJob", projectName="p", jobName="right")
    summary = p.ok("GetInstanceRunSummary", projectName="p", jobName="right", instanceId=-1)["RunSummary"]
    assert summary["ActualState"] == "RUNNING"
