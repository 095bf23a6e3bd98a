"""The answers of Flink's REST interface about a running job, as JSON text.

That the service returns Flink's own payloads is inferred: its documentation calls them the DAG, the settings, the
failovers, and shows none. The members are those of Flink's own documentation (`/jobs/:jobid` and below).
"""

import json
from collections.abc import Mapping
from typing import Any

from foas_emulator.blink.chance import Part
from foas_emulator.blink.plan import Node
from foas_emulator.blink.running import Flow, Run, application_id, job_id

FINAL_STATES = {
    "WAITING": "UNDEFINED",
    "RUNNING": "RUNNING",
    "PAUSED": "KILLED",
    "TERMINATED": "KILLED",
    "SUCCESS": "SUCCEEDED",
    "FAILED": "FAILED",
}
"""YARN's words for the states of an instance; RUNNING is documented, the others are YARN's own."""
_TASK_STATES = ("CREATED", "SCHEDULED", "DEPLOYING", "RUNNING", "FINISHED", "CANCELING", "CANCELED", "FAILED")
_JOB_STATES = ("CREATED", "RUNNING", "FAILING", "FAILED", "CANCELLING", "CANCELED", "FINISHED", "RESTARTING")
_REPORTED_EXCEPTIONS = 20  # the most that Flink reports


def details(run: Run) -> str:
    """Return `/jobs/:jobid`: the vertices of the plan with the data that has flowed through them."""
    times = dict.fromkeys(_JOB_STATES, 0) | {"CREATED": run.start_time, "RUNNING": run.running_since}
    if run.past_failures:
        times["FAILING"] = times["RESTARTING"] = run.past_failures[-1][0]
    return _text(
        {
            "jid": run.job_id,
            "name": run.job_name,
            "isStoppable": False,
            "state": "RUNNING",
            "start-time": run.start_time,
            "end-time": -1,
            "duration": run.now - run.start_time,
            "now": run.now,
            "timestamps": times,
            "vertices": [_vertex(run, node) for node in run.plan.nodes],
            "status-counts": _status_counts(len(run.plan.nodes)),
            "plan": {
                "jid": run.job_id,
                "name": run.job_name,
                "nodes": [_plan_node(run, node) for node in run.plan.nodes],
            },
        }
    )


def config(run: Run) -> str:
    """Return `/jobs/:jobid/config`: the execution configuration of the job, with its settings."""
    return _text(
        {
            "jid": run.job_id,
            "name": run.job_name,
            "execution-config": {
                "execution-mode": "PIPELINED",
                "restart-strategy": "Cluster level default restart strategy",
                "job-parallelism": max((node.parallelism for node in run.plan.nodes), default=1),
                "object-reuse-mode": False,
                "user-config": dict(run.properties.values),
            },
        }
    )


def exceptions(run: Run) -> str:
    """Return `/jobs/:jobid/exceptions`: the failures so far, latest first; null and empty if there are none."""
    failures = run.past_failures[::-1]
    time, message = failures[0] if failures else (None, None)
    return _text(
        {
            "root-exception": message,
            "timestamp": time,
            "all-exceptions": [_exception(run, *failure) for failure in failures[:_REPORTED_EXCEPTIONS]],
            "truncated": len(failures) > _REPORTED_EXCEPTIONS,
        }
    )


def task_managers(run: Run, vertex_id: str) -> str | None:
    """Return `/jobs/:jobid/vertices/:vertexid/taskmanagers`: the vertex by host, adding up to that of the details.

    Return None for an id that is not in the details.
    """
    node = next((node for node in run.plan.nodes if run.vertex_id(node.id) == vertex_id), None)
    if node is None:
        return None
    hosts = run.hosts[: node.parallelism]
    shares = [run.flows[node.id].share(number, len(hosts)) for number in range(len(hosts))]
    subtasks = [len(range(number, node.parallelism, len(hosts))) for number in range(len(hosts))]
    return _text(
        {
            "id": vertex_id,
            "name": node.type,
            "now": run.now,
            "taskmanagers": [
                {
                    "host": host,
                    **_lifetime(run),
                    "metrics": _metrics(share),
                    "status-counts": _status_counts(count),
                }
                for host, share, count in zip(hosts, shares, subtasks, strict=True)
            ],
        }
    )


def engine_job_handler(seed: Part, instance_id: int, start_time: int) -> str:
    """Return the service's name of a running job: YARN's id and Flink's, with a bar between (GetInstance's answer)."""
    return f"{application_id(seed, instance_id, start_time)}|{job_id(seed, instance_id)}"


def _vertex(run: Run, node: Node) -> dict[str, Any]:
    return {
        "id": run.vertex_id(node.id),
        "name": node.type,
        "parallelism": node.parallelism,
        **_lifetime(run),
        "tasks": _status_counts(node.parallelism),
        "metrics": _metrics(run.flows[node.id]),
    }


def _lifetime(run: Run) -> dict[str, Any]:
    return {
        "status": "RUNNING",
        "start-time": run.running_since,
        "end-time": -1,
        "duration": run.now - run.running_since,
    }


def _metrics(flow: Flow) -> dict[str, int]:
    return {
        "read-bytes": flow.read_bytes,
        "write-bytes": flow.write_bytes,
        "read-records": flow.read_records,
        "write-records": flow.write_records,
    }


def _status_counts(running: int) -> dict[str, int]:
    return dict.fromkeys(_TASK_STATES, 0) | {"RUNNING": running}


def _plan_node(run: Run, node: Node) -> dict[str, Any]:
    members: dict[str, Any] = {
        "id": run.vertex_id(node.id),
        "parallelism": node.parallelism,
        "operator": "",
        "operator_strategy": "",
        "description": node.type,
    }
    if node.predecessors:
        members["inputs"] = [
            {
                "num": number,
                "id": run.vertex_id(edge.id),
                "ship_strategy": edge.ship_strategy,
                "exchange": "pipelined_bounded",
            }
            for number, edge in enumerate(node.predecessors)
        ]
    return members | {"optimizer_properties": {}}


def _exception(run: Run, time: int, message: str) -> dict[str, Any]:
    node = run.plan.nodes[time % len(run.plan.nodes)] if run.plan.nodes else None
    return {
        "exception": message,
        "task": f"{node.type} (1/{node.parallelism})" if node else None,
        "location": run.hosts[0],
        "timestamp": time,
    }


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
