import json
import re
from dataclasses import replace
from typing import Any

import pytest

from foas_emulator.blink import runtime
from foas_emulator.blink.checkpoints import checkpoints
from foas_emulator.blink.plan import SINK, SOURCE, Edge, Node, Plan
from foas_emulator.blink.properties import read
from foas_emulator.blink.running import Run, application_id, job_id

START = 1599794335000
MINUTE = 60_000
PLAN = Plan(
    (
        Node(1, "Source: a", SOURCE, 4),
        Node(2, "Source: b", SOURCE, 2),
        Node(3, "Join", "Operator", 3, (Edge(1, "KEY-GROUP"), Edge(2, "KEY-GROUP"))),
        Node(4, "Sink: c", SINK, 1, (Edge(3),)),
    )
)
RUN = Run("seed", 412536, "job1", START, START + 90 * MINUTE, PLAN, read("a.b=c"))
FAILED = replace(RUN, failures=((START - 1, "old"), (START + MINUTE, "first"), (START + 9 * MINUTE, "second")))


def details(run: Run) -> Any:
    return json.loads(runtime.details(run))


def task_managers(run: Run, vertex_id: str) -> Any:
    return json.loads(runtime.task_managers(run, vertex_id) or "null")


def test_details_name_the_job_and_tell_its_times() -> None:
    content = details(RUN)
    assert (content["jid"], content["name"], content["state"]) == (RUN.job_id, "job1", "RUNNING")
    assert (content["start-time"], content["end-time"]) == (START, -1)
    assert (content["duration"], content["now"]) == (90 * MINUTE, START + 90 * MINUTE)
    assert content["timestamps"]["CREATED"] == START
    assert START < content["timestamps"]["RUNNING"] < START + 1000
    assert content["timestamps"]["RESTARTING"] == 0


def test_details_have_the_members_of_the_flink_documentation() -> None:
    content = details(RUN)
    assert {"jid", "name", "state", "start-time", "end-time", "duration", "now", "timestamps", "vertices"} <= set(
        content
    )
    assert {"status-counts", "plan"} <= set(content)
    assert set(content["vertices"][0]) == {
        *("id", "name", "parallelism", "status", "start-time", "end-time", "duration", "tasks", "metrics")
    }
    assert set(content["vertices"][0]["metrics"]) == {"read-bytes", "write-bytes", "read-records", "write-records"}


def test_vertices_are_the_nodes_of_the_plan() -> None:
    content = details(RUN)
    assert [(vertex["name"], vertex["parallelism"]) for vertex in content["vertices"]] == [
        *(("Source: a", 4), ("Source: b", 2), ("Join", 3), ("Sink: c", 1))
    ]
    assert [vertex["tasks"]["RUNNING"] for vertex in content["vertices"]] == [4, 2, 3, 1]
    assert content["status-counts"]["RUNNING"] == 4
    assert all(re.fullmatch("[0-9a-f]{32}", vertex["id"]) for vertex in content["vertices"])
    assert len({vertex["id"] for vertex in content["vertices"]}) == 4


def test_plan_of_the_details_links_the_same_vertices() -> None:
    content = details(RUN)
    ids = [vertex["id"] for vertex in content["vertices"]]
    assert [node["id"] for node in content["plan"]["nodes"]] == ids
    assert [entry["id"] for entry in content["plan"]["nodes"][2]["inputs"]] == ids[:2]
    assert content["plan"]["nodes"][2]["inputs"][0]["ship_strategy"] == "KEY-GROUP"
    assert "inputs" not in content["plan"]["nodes"][0]


def test_what_one_vertex_writes_the_next_reads() -> None:
    a, b, join, sink = (vertex["metrics"] for vertex in details(RUN)["vertices"])
    assert a["read-records"] == a["read-bytes"] == sink["write-records"] == sink["write-bytes"] == 0
    assert join["read-records"] == a["write-records"] + b["write-records"] > 0
    assert join["read-bytes"] == a["write-bytes"] + b["write-bytes"] > 0
    assert (sink["read-records"], sink["read-bytes"]) == (join["write-records"], join["write-bytes"])


def test_counts_grow_with_the_clock() -> None:
    later = replace(RUN, now=RUN.now + MINUTE)
    assert (
        details(later)["vertices"][3]["metrics"]["read-records"]
        > details(RUN)["vertices"][3]["metrics"]["read-records"]
    )


def test_same_run_tells_the_same_and_another_seed_something_else() -> None:
    assert runtime.details(RUN) == runtime.details(replace(RUN))
    assert runtime.details(RUN) != runtime.details(replace(RUN, seed="other"))


def test_job_that_has_just_started_has_done_nothing() -> None:
    content = details(replace(RUN, now=START))
    assert content["duration"] == 0
    assert content["vertices"][0]["metrics"]["write-records"] == 0
    assert content["vertices"][0]["start-time"] == START


def test_clock_set_back_before_the_start_counts_as_the_start() -> None:
    assert runtime.details(replace(RUN, now=START - MINUTE)) == runtime.details(replace(RUN, now=START))


def test_job_without_plan_has_no_vertices() -> None:
    run = replace(FAILED, plan=Plan(()))
    assert details(run)["vertices"] == []
    assert json.loads(runtime.config(run))["execution-config"]["job-parallelism"] == 1
    assert json.loads(runtime.exceptions(run))["all-exceptions"][0]["task"] is None
    assert json.loads(checkpoints(run))["latest"]["completed"]["num_subtasks"] == 0


def test_plan_whose_edges_lead_nowhere_is_shown_as_it_is() -> None:
    plan = Plan((Node(1, "a", "Operator", 1, (Edge(1), Edge(9))), Node(2, "b", "Operator", 1, (Edge(1),))))
    first, second = details(replace(RUN, plan=plan))["vertices"]
    assert first["metrics"]["write-records"] == second["metrics"]["read-records"] > 0


def test_counts_of_a_plan_that_fans_out_and_in_stay_within_what_json_carries() -> None:
    nodes = [Node(1, "a", SOURCE)]
    nodes += [Node(number, "b", "Operator", 1, (Edge(number - 1), Edge(number - 1))) for number in range(2, 200)]
    assert details(replace(RUN, plan=Plan(tuple(nodes))))["vertices"][-1]["metrics"]["read-records"] == 2**53


def test_config_tells_the_settings_of_the_job() -> None:
    content = json.loads(runtime.config(RUN))
    assert (content["jid"], content["name"]) == (RUN.job_id, "job1")
    assert content["execution-config"]["job-parallelism"] == 4
    assert content["execution-config"]["user-config"] == {"a.b": "c"}
    assert {"execution-mode", "restart-strategy", "object-reuse-mode"} <= set(content["execution-config"])


@pytest.mark.parametrize("node", PLAN.nodes, ids=lambda node: node.type)
def test_task_managers_add_up_to_their_vertex(node: Node) -> None:
    vertex = next(vertex for vertex in details(RUN)["vertices"] if vertex["name"] == node.type)
    content = task_managers(RUN, vertex["id"])
    managers = content["taskmanagers"]
    assert (content["id"], content["name"], content["now"]) == (vertex["id"], vertex["name"], RUN.now)
    assert sum(manager["status-counts"]["RUNNING"] for manager in managers) == vertex["parallelism"]
    for metric, total in vertex["metrics"].items():
        assert sum(manager["metrics"][metric] for manager in managers) == total
    assert {manager["start-time"] for manager in managers} == {vertex["start-time"]}
    assert len({manager["host"] for manager in managers}) == len(managers)


def test_vertices_share_the_machines_of_the_widest() -> None:
    wide, narrow = (task_managers(RUN, RUN.vertex_id(node_id))["taskmanagers"] for node_id in (1, 4))
    assert narrow[0]["host"] == wide[0]["host"]


def test_very_wide_vertices_put_many_subtasks_on_each_machine() -> None:
    run = replace(RUN, plan=Plan((Node(1, "a", SOURCE, 100),)))
    managers = task_managers(run, run.vertex_id(1))["taskmanagers"]
    assert [manager["status-counts"]["RUNNING"] for manager in managers] == [4] * 4 + [3] * 28


def test_unknown_vertex_has_no_task_managers() -> None:
    assert runtime.task_managers(RUN, "0" * 32) is None


def test_job_without_failures_has_no_exceptions() -> None:
    assert json.loads(runtime.exceptions(RUN)) == {
        "root-exception": None,
        "timestamp": None,
        "all-exceptions": [],
        "truncated": False,
    }


def test_exceptions_are_told_latest_first_and_only_those_of_the_run() -> None:
    content = json.loads(runtime.exceptions(FAILED))
    assert (content["root-exception"], content["timestamp"]) == ("second", START + 9 * MINUTE)
    assert [entry["exception"] for entry in content["all-exceptions"]] == ["second", "first"]
    names = {f"{node.type} (1/{node.parallelism})" for node in PLAN.nodes}
    assert {entry["task"] for entry in content["all-exceptions"]} <= names
    assert content["all-exceptions"][0]["location"] == FAILED.hosts[0]


def test_failures_of_the_future_have_not_happened() -> None:
    run = replace(FAILED, now=START + 2 * MINUTE)
    assert json.loads(runtime.exceptions(run))["root-exception"] == "first"


def test_many_exceptions_are_truncated() -> None:
    run = replace(RUN, failures=tuple((START + second, str(second)) for second in range(21)))
    content = json.loads(runtime.exceptions(run))
    assert (len(content["all-exceptions"]), content["truncated"]) == (20, True)
    assert content["all-exceptions"][0]["exception"] == "20"


def test_failure_restarts_the_vertices() -> None:
    content = details(FAILED)
    assert content["timestamps"]["RESTARTING"] == START + 9 * MINUTE
    assert START + 9 * MINUTE < content["vertices"][0]["start-time"] == content["timestamps"]["RUNNING"]
    assert content["vertices"][0]["metrics"]["write-records"] < details(RUN)["vertices"][0]["metrics"]["write-records"]


def test_handler_has_the_documented_form() -> None:
    handler = runtime.engine_job_handler("seed", 412536, START)
    assert re.fullmatch(r"application_[0-9]{13}_[0-9]{4}\|[0-9a-f]{32}", handler)
    assert handler.endswith(job_id("seed", 412536))


def test_resource_manager_was_started_before_the_job() -> None:
    started = int(application_id("seed", 412536, START).split("_")[1])
    assert START - 31 * 86_400_000 < started <= START


def test_application_id_keeps_its_form_near_the_epoch() -> None:
    assert re.fullmatch(r"application_0{13}_[0-9]{4}", application_id(1, 1, 0))


def test_ids_of_instances_differ() -> None:
    assert job_id(1, 1) != job_id(1, 2)
    assert job_id(1, 1) != job_id(2, 1)
