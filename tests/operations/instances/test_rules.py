"""Which instance an id means, and what is returned about it."""

from itertools import product
from typing import Any

import pytest

from foas_emulator.operations.instances import service
from tests.api import Api
from tests.operations import building

J: dict[str, Any] = {"projectName": "p", "jobName": "j"}
LIVE: dict[str, Any] = J | {"instanceId": -1}
ON_AN_INSTANCE = [
    "GetInstance",
    "GetInstanceRunSummary",
    "GetInstanceConfig",
    "GetInstanceDetail",
    "GetInstanceExceptions",
    "GetInstanceCheckpoint",
    "GetInstanceFinalState",
    "GetInstanceResource",
]
NEEDS_RUNNING = [
    "GetInstance",
    "GetInstanceConfig",
    "GetInstanceDetail",
    "GetInstanceCheckpoint",
    "GetInstanceResource",
]


@pytest.fixture
def p(p: Api) -> Api:
    building.online_job(p)
    building.stand_still(p)
    return p


def ask(api: Api, state: str, **where: Any) -> None:
    api.ok("ModifyInstanceState", **LIVE | where, expectState=state)


def listed(api: Api, **filters: Any) -> list[Any]:
    answer = api.ok("ListInstance", **{"projectName": "p", "jobType": "FLINK_STREAM"} | filters)
    return [instance["Id"] for instance in answer["Instances"]["Instance"]]


# -- which one


def test_minus_one_is_the_current_instance_of_a_stream_job(running: Api) -> None:
    first = running.ok("GetInstance", **LIVE)["Instance"]
    assert running.ok("GetInstance", **J, instanceId=first["Id"])["Instance"] == first
    ask(running, "TERMINATED")
    second = running.ok("StartJob", **J)["instanceId"]
    assert running.ok("GetInstance", **LIVE)["Instance"]["Id"] == second


def test_minus_one_means_nothing_for_a_batch_job(p: Api) -> None:
    building.online_job(p, "b", jobType="FLINK_BATCH")
    p.ok("StartJob", projectName="p", jobName="b")
    for operation in ON_AN_INSTANCE:
        p.refused(operation, projectName="p", jobName="b", instanceId=-1, code="InvalidinstanceId")


@pytest.mark.parametrize("instance_id", ["-2", "one", "1.0", " 1", "9223372036854775808"])
def test_a_number_that_cannot_be_an_id_is_invalid(p: Api, instance_id: int) -> None:
    for operation in ON_AN_INSTANCE:
        p.refused(operation, **J, instanceId=instance_id, code="InvalidinstanceId")


def test_what_does_not_exist_is_not_found(running: Api) -> None:
    building.online_job(running, "other")
    instance_id = running.ok("GetInstance", **LIVE)["Instance"]["Id"]
    for where, code in (
        (J | {"instanceId": 999}, "InvalidInstance.NotFound"),
        (J | {"jobName": "other", "instanceId": instance_id}, "InvalidInstance.NotFound"),
        (LIVE | {"jobName": "absent"}, "InvalidJob.NotFound"),
        (LIVE | {"projectName": "absent"}, "InvalidProject.NotFound"),
    ):
        for operation in ON_AN_INSTANCE:
            running.refused(operation, **where, code=code, status=404)


# -- what needs a running one


def test_a_job_that_was_never_started_is_not_running(p: Api) -> None:
    for operation in NEEDS_RUNNING:
        outcome = p.refused(operation, **LIVE, code="InvalidInstance.NotRunning")
        assert "never started" in outcome.hint


@pytest.mark.parametrize("state", ["WAITING", "PAUSED", "TERMINATED", "SUCCESS", "FAILED"])
def test_an_instance_in_any_other_state_is_not_running(running: Api, state: str) -> None:
    instance_id = running.ok("GetInstance", **LIVE)["Instance"]["Id"]
    with running.world.transaction():
        service.put_state(running.world, "p", "j", instance_id, actual_state=state)
    for operation, asked in product(NEEDS_RUNNING, (-1, instance_id)):
        outcome = running.refused(operation, **J, instanceId=asked, code="InvalidInstance.NotRunning")
        assert f"is {state}" in outcome.hint


def test_an_answering_world_shows_every_state(running: Api) -> None:
    running.world.set({"not_running": "answer"})
    ask(running, "TERMINATED")
    instance = running.ok("GetInstance", **LIVE)["Instance"]
    assert instance["ActualState"] == "TERMINATED"
    assert instance["EndTime"] == running.world.second()


def test_an_answering_world_shows_a_committed_job_before_its_first_start_as_unknown(p: Api) -> None:
    p.world.set({"not_running": "answer"})
    instance = p.ok("GetInstance", **LIVE)["Instance"]
    assert instance["ActualState"] == instance["ExpectState"] == "UNKNOWN"
    assert instance["Code"] == "blink.main.class=Main"
    assert not {"Id", "StartTime"} & set(instance)
    p.ok("OfflineJob", **J)
    p.refused("GetInstance", **LIVE, code="InvalidInstance.NotRunning")


def test_an_answering_world_answers_only_getinstance(running: Api) -> None:
    running.world.set({"not_running": "answer"})
    ask(running, "PAUSED")
    running.refused("GetInstanceDetail", **LIVE, code="InvalidInstance.NotRunning")


# -- summaries


def test_a_summary_is_reported_in_every_state(p: Api) -> None:
    assert building.run_summary(p) == {"JobName": "j", "ExpectState": "UNKNOWN", "ActualState": "UNKNOWN"}
    instance_id = p.ok("StartJob", **J)["instanceId"]
    told = building.run_summary(p)
    assert list(told) == ["InputDelay", "JobName", "ExpectState", "ActualState", "EngineJobHandler", "Id"]
    assert (told["Id"], told["ActualState"]) == (instance_id, "RUNNING")
    for state in ("PAUSED", "TERMINATED"):
        ask(p, state)
        assert building.run_summary(p)["ActualState"] == building.run_summary(p, instance_id)["ActualState"] == state


def test_there_is_no_summary_of_a_job_that_was_never_committed(p: Api) -> None:
    building.job(p, "draft")
    p.refused("GetInstanceRunSummary", projectName="p", jobName="draft", instanceId=-1, code="InvalidJob.NotCommitted")


def test_a_batch_of_summaries_passes_over_what_it_cannot_tell(running: Api) -> None:
    building.online_job(running, "committed")
    building.job(running, "draft")
    building.online_job(running, "batch", jobType="FLINK_BATCH")
    asked = {"projectName": "p", "jobNames": "committed, j,absent,draft,batch,j", "jobType": "flink_stream"}
    told = running.ok("BatchGetInstanceRunSummary", **asked)["RunSummarys"]["RunSummary"]
    assert [(each["JobName"], each["ActualState"]) for each in told] == [("committed", "UNKNOWN"), ("j", "RUNNING")]


def test_a_batch_of_summaries_tells_the_newest_instance_of_a_batch_job(p: Api) -> None:
    building.online_job(p, "b", jobType="FLINK_BATCH")
    asked = {"projectName": "p", "jobNames": "b", "jobType": "FLINK_BATCH"}
    assert p.ok("BatchGetInstanceRunSummary", **asked)["RunSummarys"]["RunSummary"][0]["ActualState"] == "UNKNOWN"
    p.ok("StartJob", projectName="p", jobName="b")
    newest = p.ok("StartJob", projectName="p", jobName="b")["instanceId"]
    (told,) = p.ok("BatchGetInstanceRunSummary", **asked)["RunSummarys"]["RunSummary"]
    assert told["Id"] == newest


@pytest.mark.parametrize("parameter", ["jobNames", "jobType"])
def test_a_batch_of_summaries_needs_names_and_a_type(p: Api, parameter: str) -> None:
    asked: dict[str, Any] = {"jobNames": "j", "jobType": "FLINK_STREAM"}
    del asked[parameter]
    p.refused("BatchGetInstanceRunSummary", projectName="p", **asked, code=f"Missing{parameter}")
    p.refused(
        "BatchGetInstanceRunSummary",
        projectName="absent",
        jobNames="j",
        jobType="FLINK_STREAM",
        code="InvalidProject.NotFound",
        status=404,
    )


# -- the list


def test_a_list_needs_a_job_type(p: Api) -> None:
    p.refused("ListInstance", projectName="p", code="MissingjobType")
    p.refused("ListInstance", projectName="p", jobType="FLINK", code="InvalidjobType")
    p.refused("ListInstance", projectName="absent", jobType="FLINK_STREAM", code="InvalidProject.NotFound", status=404)


def test_a_listed_instance_is_reported_in_the_documented_order(running: Api) -> None:
    (instance,) = running.ok("ListInstance", projectName="p", jobType="FLINK_STREAM")["Instances"]["Instance"]
    whole = running.ok("GetInstance", **LIVE)["Instance"]
    del whole["AutoScaleParams"]
    assert instance == whole
    assert list(instance)[:5] == ["PlanJson", "ApiType", "ProjectName", "JobType", "ExpectState"]


def test_a_list_is_narrowed_by_every_filter(running: Api) -> None:
    building.online_job(running, "sql", apiType="SQL", code="create table t (a int) with (type='print');")
    running.advance("10s")
    other = running.ok("StartJob", projectName="p", jobName="sql")["instanceId"]
    ask(running, "PAUSED", jobName="sql")
    instance = running.ok("GetInstance", **LIVE)["Instance"]
    first, started = instance["Id"], instance["StartTime"]
    building.online_job(running, "b", jobType="FLINK_BATCH")
    batch = running.ok("StartJob", projectName="p", jobName="b")["instanceId"]
    assert listed(running) == [other, first]
    assert listed(running, jobType="FLINK_BATCH") == [batch]
    assert listed(running, jobName="sql") == listed(running, apiType="SQL") == [other]
    assert listed(running, jobName="sq") == []
    assert listed(running, actualState="paused") == listed(running, expectState="PAUSED") == [other]
    assert listed(running, startBeginTs=started, startEndTs=started) == [first]
    assert listed(running, startBeginTs=started + 1) == [other]
    assert listed(running, endBeginTs=0) == []
    ask(running, "TERMINATED")
    ended = running.world.second()
    assert listed(running, endBeginTs=ended, endEndTs=ended) == [first]
    assert listed(running, endEndTs=ended - 1) == []


def test_a_list_comes_in_pages(p: Api) -> None:
    building.online_job(p, "b", jobType="FLINK_BATCH")
    ids = [p.ok("StartJob", projectName="p", jobName="b")["instanceId"] for _ in range(3)]
    page = p.ok("ListInstance", projectName="p", jobType="FLINK_BATCH", pageSize=2, pageIndex=2)
    assert [instance["Id"] for instance in page.pop("Instances")["Instance"]] == [ids[0]]
    assert page == {"PageIndex": 2, "PageSize": 2, "TotalPage": 2, "TotalCount": 3}
