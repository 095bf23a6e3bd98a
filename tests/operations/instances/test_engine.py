"""What the engine shows of an instance."""

import json
from typing import Any

import pytest

from foas_emulator.operations.instances import service
from tests.api import Api
from tests.blink.plan_files import PLAN_FILES, PlanFile
from tests.operations import building

J: dict[str, Any] = {"projectName": "p", "jobName": "j"}
LIVE: dict[str, Any] = J | {"instanceId": -1}
PLAN: dict[str, Any] = {
    "nodes": [
        {"id": 1, "type": "Source: a", "pact": "Data Source", "parallelism": 2, "core": 0.5, "heap_memory": 512},
        {
            "id": 2,
            "type": "Sink: b",
            "pact": "Data Sink",
            "parallelism": 1,
            "core": 0.1,
            "heap_memory": 256,
            "predecessors": [{"id": 1, "ship_strategy": "FORWARD"}],
        },
    ]
}


@pytest.fixture
def p(p: Api) -> Api:
    building.online_job(
        p,
        planJson=json.dumps(PLAN),
        code="blink.main.class=Main\nblink.checkpoint.interval.ms=30000",
        properties="#off=1\nblink.checkpoint.interval.ms=60000",
    )
    building.stand_still(p)
    return p


def told(api: Api, operation: str, member: str, instance_id: int = -1) -> Any:
    return json.loads(api.ok(operation, **J, instanceId=instance_id)[member])


def put(api: Api, state: str, message: str | None = None) -> None:
    with api.world.transaction():
        service.put_state(api.world, "p", "j", -1, actual_state=state, last_error_message=message)


def test_the_detail_is_the_graph_of_the_plan(running: Api) -> None:
    detail = told(running, "GetInstanceDetail", "Detail")
    assert [(vertex["name"], vertex["parallelism"]) for vertex in detail["vertices"]] == [
        ("Source: a", 2),
        ("Sink: b", 1),
    ]
    handler = running.ok("GetInstance", **LIVE)["Instance"]["EngineJobHandler"]
    assert handler.endswith(f"|{detail['jid']}")


def test_the_detail_grows_with_the_clock(running: Api) -> None:
    before = told(running, "GetInstanceDetail", "Detail")
    assert told(running, "GetInstanceDetail", "Detail") == before
    running.advance("10m")
    after = told(running, "GetInstanceDetail", "Detail")
    assert after["duration"] == before["duration"] + 600_000
    records = [detail["vertices"][0]["metrics"]["write-records"] for detail in (before, after)]
    assert records[0] < records[1]


def test_the_configuration_is_made_of_code_properties_and_start_parameters_the_later_winning(p: Api) -> None:
    p.ok("StartJob", **J, parameterJson='{"startOffset":"1548397575000"}')
    config = told(p, "GetInstanceConfig", "Config")["execution-config"]["user-config"]
    assert config == {
        "blink.main.class": "Main",
        "blink.checkpoint.interval.ms": "60000",
        "startOffset": "1548397575000",
    }


def test_start_parameters_win_and_hold_after_a_resume(p: Api) -> None:
    p.ok("StartJob", **J, parameterJson='{"blink.checkpoint.interval.ms":"10000"}')
    for state in ("PAUSED", "RUNNING"):
        p.ok("ModifyInstanceState", **LIVE, expectState=state)
    p.advance("1m")
    assert told(p, "GetInstanceCheckpoint", "Checkpoints")["counts"]["total"] == 6


def test_checkpoints_are_taken_at_the_interval_of_the_job(running: Api) -> None:
    assert told(running, "GetInstanceCheckpoint", "Checkpoints")["counts"]["total"] == 0
    running.advance("5m")
    assert told(running, "GetInstanceCheckpoint", "Checkpoints")["counts"]["total"] == 5


def test_exceptions_are_told_in_every_state(running: Api) -> None:
    assert told(running, "GetInstanceExceptions", "Exceptions")["root-exception"] is None
    running.advance("1m")
    put(running, "FAILED", "java.lang.OutOfMemoryError")
    running.advance("1m")
    exceptions = told(running, "GetInstanceExceptions", "Exceptions")
    assert exceptions["root-exception"] == "java.lang.OutOfMemoryError"
    assert exceptions["timestamp"] == running.world.second() - 60_000


def test_exceptions_tell_why_an_instance_still_waits(p: Api) -> None:
    p.world.set({"start_delay": "1h"})
    p.ok("StartJob", **J)
    p.advance("1m")
    put(p, "WAITING", "yarn resource not available")
    assert told(p, "GetInstanceExceptions", "Exceptions")["root-exception"] == "yarn resource not available"


@pytest.mark.parametrize(
    ("state", "final"),
    [
        ("WAITING", "UNDEFINED"),
        ("RUNNING", "RUNNING"),
        ("PAUSED", "KILLED"),
        ("TERMINATED", "KILLED"),
        ("SUCCESS", "SUCCEEDED"),
        ("FAILED", "FAILED"),
    ],
)
def test_the_final_state_is_yarns_word_for_every_state(running: Api, state: str, final: Any) -> None:
    put(running, state)
    assert running.ok("GetInstanceFinalState", **LIVE) == {"Finalstate": final}


@pytest.mark.parametrize("operation", ["GetInstanceExceptions", "GetInstanceFinalState"])
def test_nothing_is_told_of_a_job_that_was_never_started(p: Api, operation: str) -> None:
    outcome = p.refused(operation, **LIVE, code="InvalidInstance.NotFound", status=404)
    assert "StartJob" in outcome.hint


def test_resources_are_what_the_plan_asks_for_and_a_part_of_it_used(running: Api) -> None:
    resource = running.ok("GetInstanceResource", **LIVE)["Resource"]
    assert (resource["AllocatedMB"], resource["AllocatedVirtualCores"]) == (1280, 110)
    assert 0 < resource["TotalMB"] < 1280
    assert 0 < resource["TotalVirtualCores"] < 110
    running.advance("1h")
    assert running.ok("GetInstanceResource", **LIVE)["Resource"] == resource


def test_a_running_instance_takes_its_resources_from_its_queue(running: Api) -> None:
    def used() -> Any:
        (queue,) = running.ok("ListProjectBindQueueResource", projectName="p")["Queues"]["Queue"]
        return queue["UsedVCore"], queue["UsedMem"]

    assert used() == (110, 1280)
    running.ok("ModifyInstanceState", **LIVE, expectState="PAUSED")
    assert used() == (0, 0)


def test_a_vertex_of_the_detail_has_task_managers(running: Api) -> None:
    vertex = told(running, "GetInstanceDetail", "Detail")["vertices"][0]
    answer = running.ok("GetInstanceVertexTaskManagers", **LIVE, vertexId=vertex["id"])
    managers = json.loads(answer["TaskManagers"])
    assert managers["name"] == "Source: a"
    assert (
        sum(each["metrics"]["write-records"] for each in managers["taskmanagers"]) == vertex["metrics"]["write-records"]
    )


def test_an_unknown_vertex_is_not_found(running: Api) -> None:
    running.refused(
        "GetInstanceVertexTaskManagers", **LIVE, vertexId="absent", code="InvalidVertex.NotFound", status=404
    )
    running.ok("ModifyInstanceState", **LIVE, expectState="PAUSED")
    running.refused("GetInstanceVertexTaskManagers", **LIVE, vertexId="absent", code="InvalidInstance.NotRunning")


def test_code_that_makes_no_plan_runs_without_vertices(p: Api) -> None:
    building.online_job(p, "wrong", apiType="SQL", code="insert into absent select 1;")
    p.ok("StartJob", projectName="p", jobName="wrong")
    answer = p.ok("GetInstanceDetail", projectName="p", jobName="wrong", instanceId=-1)
    assert json.loads(answer["Detail"])["vertices"] == []


@pytest.mark.parametrize("file", PLAN_FILES, ids=lambda file: file.name)
def test_a_plan_of_the_engines_own_form_is_shown_counted_and_kept_as_it_is(api: Api, file: PlanFile) -> None:
    building.project_with_queue(api, "p")
    building.online_job(api, planJson=file.text)
    priced = api.ok("CalcPlanJsonResource", **J)["PlanJsonResource"]
    assert (priced["Cores"], priced["MemoryGB"]) == (file.cores, round((file.heap + file.other) / 1024, 4))
    api.ok("StartJob", **J)
    asked = api.ok("GetInstanceResource", **LIVE)["Resource"]
    assert (asked["AllocatedVirtualCores"], asked["AllocatedMB"]) == (round(file.cores * 100), file.heap + file.other)
    nodes = told(api, "GetInstanceDetail", "Detail")["plan"]["nodes"]
    names = {node["id"]: node["description"] for node in nodes}
    edges = {
        (names[edge["id"]], names[node["id"]], edge["ship_strategy"])
        for node in nodes
        for edge in node.get("inputs", ())
    }
    assert edges == file.edges
    started = api.call("GetJob", **J)
    assert started.members["Job"]["PlanJson"] == file.text
    assert "x-emulator-warning" not in started.headers


def test_a_plan_that_cannot_be_read_is_said_by_whatever_puts_another_in_its_place(api: Api) -> None:
    building.project_with_queue(api, "p")
    building.job(api, planJson='{"nodes": [', code="blink.main.class=Main")
    for operation, parameters in (
        ("UpdateJob", {"planJson": '{"nodes": [{}]}'}),
        ("CalcPlanJsonResource", {}),
        ("CommitJob", {}),
        ("StartJob", {}),
        ("GetInstanceDetail", {"instanceId": -1}),
        ("GetInstanceDetail", {"instanceId": -1}),
        ("GetInstanceResource", {"instanceId": -1}),
    ):
        called = api.call(operation, **J, **parameters)
        assert called.status == 200
        assert "planJson cannot be read, its node 1 has neither id nor uid" in called.headers["x-emulator-warning"]
    assert "x-emulator-warning" not in api.call("GetJob", **J).headers
