"""The rules of AutoScale."""

import json
from typing import Any

import pytest

from foas_emulator.operations.autoscale import service
from foas_emulator.operations.autoscale.rows import AutoScalePlan, find_latest_plan
from foas_emulator.world.tables import equal
from tests.api import Api
from tests.operations import building

J: dict[str, Any] = {"projectName": "p", "jobName": "j"}
LIVE: dict[str, Any] = J | {"instanceId": -1}
SCALED: dict[str, Any] = {"isOnOff": True, "maxCU": 4, "configure": '{"fetch_delay":1}'}
ON = '{"autoscale.enable":"true"}'
OFF = '{"autoscale.enable":false}'


@pytest.fixture
def p(p: Api) -> Api:
    building.job(p, engineVersion="blink-3.7.8")
    building.stand_still(p)
    return p


@pytest.fixture
def scaled(p: Api) -> Api:
    p.ok("CommitJob", **J, **SCALED)
    p.ok("StartJob", **J)
    return p


def plan_names(api: Api, instance_id: int = -1) -> list[str]:
    answer = api.ok("GetInstanceHistoryAutoScalePlanList", **J, instanceId=instance_id)
    return answer["PlanList"]["Plan"] if answer else []


def is_on(api: Api) -> bool:
    found: bool = json.loads(api.ok("GetInstance", **LIVE)["Instance"]["AutoScaleParams"])["isOnOff"]
    return found


def vertices(api: Api) -> Any:
    return json.loads(api.ok("GetInstanceDetail", **LIVE)["Detail"])["vertices"]


def test_a_job_started_with_autoscale_has_a_plan_named_by_its_time(scaled: Api) -> None:
    (name,) = plan_names(scaled)
    assert len(name) == len("2018-09-18 10:10:20")
    plan = scaled.ok("GetInstanceHistoryAutoScalePlanContent", **LIVE, planName=name)["PlanContent"]
    assert scaled.ok("GetJobLatestAutoScalePlan", **J) == {"PlanJson": plan}


def test_the_plan_of_autoscale_is_in_force_and_within_the_maximum(scaled: Api) -> None:
    widths = {vertex["parallelism"] for vertex in vertices(scaled)}
    assert min(widths) > 1
    resource = scaled.ok("GetInstanceResource", **LIVE)["Resource"]
    assert resource["AllocatedVirtualCores"] <= 400
    assert resource["AllocatedMB"] <= 16384


def test_no_plan_is_made_that_would_take_more_than_the_maximum(p: Api) -> None:
    """The job's own plan takes less than the smallest one for its code."""
    p.ok("UpdateJob", **J, planJson='{"nodes":[{"id":1,"core":0.1,"heap_memory":100}]}')
    p.ok("CommitJob", **J, **SCALED | {"maxCU": 0.2})
    p.ok("StartJob", **J)
    assert plan_names(p) == []
    assert p.ok("GetInstanceResource", **LIVE)["Resource"]["AllocatedVirtualCores"] == 10


def test_a_plan_that_is_only_recommended_is_not_in_force(p: Api) -> None:
    p.ok("CommitJob", **J, **SCALED, recommendOnly=True)
    p.ok("StartJob", **J)
    assert len(plan_names(p)) == 1
    assert {vertex["parallelism"] for vertex in vertices(p)} == {1}


def test_a_job_without_autoscale_has_no_plans(p: Api) -> None:
    p.ok("CommitJob", **J)
    p.ok("StartJob", **J)
    assert p.ok("GetInstanceHistoryAutoScalePlanList", **LIVE) == {}
    assert p.ok("GetJobLatestAutoScalePlan", **J) == {}


def test_no_plan_is_made_of_code_that_cannot_be_read(p: Api) -> None:
    building.job(p, "wrong", apiType="SQL", code="insert into absent select 1;")
    wrong = J | {"jobName": "wrong"}
    p.ok("CommitJob", **wrong, **SCALED)
    p.ok("StartJob", **wrong)
    assert p.ok("GetJobLatestAutoScalePlan", **wrong) == {}


def test_the_latest_plan_outlives_the_run(scaled: Api) -> None:
    latest = scaled.ok("GetJobLatestAutoScalePlan", **J)
    scaled.ok("ModifyInstanceState", **LIVE, expectState="TERMINATED")
    assert scaled.ok("GetJobLatestAutoScalePlan", **J) == latest
    (name,) = plan_names(scaled)
    assert scaled.ok("GetInstanceHistoryAutoScalePlanContent", **LIVE, planName=name)["PlanContent"]


def test_autoscale_can_be_switched_off_and_on_again_which_tunes_anew(scaled: Api) -> None:
    scaled.ok("UpdateAutoScaleConfig", **LIVE, configJson=OFF)
    assert is_on(scaled) is False
    assert len(plan_names(scaled)) == 1
    scaled.advance("5s")
    scaled.ok("UpdateAutoScaleConfig", **LIVE, configJson=ON)
    assert is_on(scaled) is True
    names = plan_names(scaled)
    assert len(names) == 2
    assert names == sorted(names)


def test_two_plans_of_one_second_are_one(scaled: Api) -> None:
    scaled.ok("UpdateAutoScaleConfig", **LIVE, configJson=OFF)
    scaled.ok("UpdateAutoScaleConfig", **LIVE, configJson=ON)
    assert len(plan_names(scaled)) == 1


def test_switching_on_what_is_on_changes_nothing(scaled: Api) -> None:
    scaled.advance("5s")
    scaled.ok("UpdateAutoScaleConfig", **LIVE, configJson=ON)
    assert len(plan_names(scaled)) == 1


def test_only_a_job_started_with_autoscale_can_be_switched(p: Api) -> None:
    p.ok("CommitJob", **J)
    p.ok("StartJob", **J)
    p.refused("UpdateAutoScaleConfig", **LIVE, configJson=ON, code="InvalidInstance.NoAutoScale")


def test_only_a_running_instance_can_be_switched(scaled: Api) -> None:
    scaled.ok("ModifyInstanceState", **LIVE, expectState="PAUSED")
    scaled.refused("UpdateAutoScaleConfig", **LIVE, configJson=OFF, code="InvalidInstance.NotRunning")


@pytest.mark.parametrize(
    "config",
    [
        "",
        "autoscale.enable",
        "{",
        "{}",
        '{"Autoscale.Enable":true}',
        '{"autoscale.enable":1}',
        '{"a":1,"autoscale.enable":true}',
    ],
)
def test_the_switch_is_one_member_in_its_own_case(scaled: Api, config: Any) -> None:
    scaled.refused("UpdateAutoScaleConfig", **LIVE, configJson=config, code="InvalidconfigJson")


def test_the_switch_must_be_given(scaled: Api) -> None:
    scaled.refused("UpdateAutoScaleConfig", **LIVE, code="MissingconfigJson")


def test_an_unknown_plan_is_not_found(scaled: Api) -> None:
    scaled.refused(
        "GetInstanceHistoryAutoScalePlanContent", **LIVE, planName="absent", code="InvalidPlan.NotFound", status=404
    )
    scaled.refused("GetInstanceHistoryAutoScalePlanContent", **LIVE, code="MissingplanName")


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("UpdateAutoScaleConfig", {"configJson": ON}),
        ("GetInstanceHistoryAutoScalePlanList", {}),
        ("GetInstanceHistoryAutoScalePlanContent", {"planName": "2018-09-18 10:10:20"}),
    ],
)
def test_autoscale_does_not_serve_batch_jobs(p: Api, operation: str, given: Any) -> None:
    building.online_job(p, "b", jobType="FLINK_BATCH")
    running = p.ok("StartJob", projectName="p", jobName="b")["instanceId"]
    for instance_id in (-1, running):
        p.refused(operation, projectName="p", jobName="b", instanceId=instance_id, **given, code="InvalidinstanceId")


def test_the_latest_plan_of_an_absent_job_is_not_found(p: Api) -> None:
    p.refused("GetJobLatestAutoScalePlan", projectName="p", jobName="absent", code="InvalidJob.NotFound", status=404)


@pytest.mark.parametrize("bound", ["MOST_PLANS", "MOST_PLANS_OF_PROJECT"])
def test_an_instance_and_its_project_keep_the_newest_plans(
    scaled: Api, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(service, bound, 2)
    made = [*plan_names(scaled)]
    for _ in range(3):
        scaled.advance("1s")
        scaled.ok("UpdateAutoScaleConfig", **LIVE, configJson=OFF)
        scaled.ok("UpdateAutoScaleConfig", **LIVE, configJson=ON)
        made.append(plan_names(scaled)[-1])
    assert plan_names(scaled) == made[-2:]


def test_the_latest_plan_is_that_of_the_last_start_after_the_clock_was_set_back(scaled: Api) -> None:
    first = scaled.ok("GetJobLatestAutoScalePlan", **J)
    scaled.ok("ModifyInstanceState", **LIVE, expectState="TERMINATED")
    scaled.ok("CommitJob", **J, **SCALED | {"maxCU": 2})
    with scaled.world.transaction():
        scaled.world.clock.set(mode="frozen", now=scaled.world.now() - 60_000)
    scaled.ok("StartJob", **J)
    (name,) = plan_names(scaled)
    plan = scaled.ok("GetInstanceHistoryAutoScalePlanContent", **LIVE, planName=name)["PlanContent"]
    assert scaled.ok("GetJobLatestAutoScalePlan", **J) == {"PlanJson": plan} != first


def test_the_last_plan_of_an_instance_is_the_one_in_force(api: Api) -> None:
    plans = [("2020-01-02 00:00:00", "second"), ("2020-01-01 00:00:00", "first")]
    with api.world.transaction():
        for name, text in plans:
            of_it: dict[str, Any] = {"instance_id": 1, "project_name": "p", "job_name": "j"}
            api.world.store.insert(AutoScalePlan.model_construct(plan_name=name, plan_json=text, **of_it))
    latest = find_latest_plan(api.world, equal(AutoScalePlan.instance_id, 1))
    assert latest is not None
    assert latest.plan_json == "second"
