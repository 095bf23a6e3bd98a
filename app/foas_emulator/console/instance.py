"""The page of an instance: first its errors, then its curves, checkpoints, task managers and settings.

At the end it shows the answers of GetInstance, byte for byte, in both formats.
"""

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from foas_emulator.blink.kinds import STREAM
from foas_emulator.console.calls import Answer
from foas_emulator.console.chart import Chart, chart
from foas_emulator.console.job import copies, instances, members
from foas_emulator.console.language import mark
from foas_emulator.console.operations import buttons, job_path
from foas_emulator.console.site import View
from foas_emulator.console.timeline import due
from foas_emulator.operations.instances.lifecycle import STATES
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.world.tables import equal

CURVES = (
    ("numRecordsInPerSecond.rate", mark("Records in"), "/s"),
    ("numRecordsOutPerSecond.rate", mark("Records out"), "/s"),
    ("delay", mark("Delay"), "ms"),
    ("Status.JVM.CPU.Usage", mark("CPU"), ""),
    ("lastCheckpointDuration", mark("Checkpoint duration"), "ms"),
)
GRANULARITY = "60s"
MOST_BYTES = 200_000
MOST_VERTICES = 6


async def instance_page(view: View) -> dict[str, Any]:
    """Return the context of the page for an instance in any state; `instance` is None if it does not exist."""
    project, name, number = view.query.get("project", ""), view.query.get("job", ""), view.number("id")
    row = view.world.store.get(
        Instance, equal(Instance.id, number), equal(Instance.project_name, project), equal(Instance.job_name, name)
    )
    if row is None:
        return {
            "instance": None,
            "project": project,
            "name": name,
            "number": number,
            "status": HTTPStatus.NOT_FOUND,
        }
    path = f"{job_path(project, name)}/instances/{number}"
    current = instances(view.world, project, name, is_archived=False)
    vertices = await vertices_of(view, path)
    return {
        "instance": row,
        "project": project,
        "name": name,
        "number": number,
        "due": due(view.world).get(number),
        "states": STATES,
        "is_current": any(each["Id"] == number for each in current[:1]),
        "buttons": buttons(view.world.name, project, name, instance=number, is_stream=row.job_type == STREAM),
        "exceptions": parsed(members(await view.read(f"{path}/exceptions"), "Exceptions")),
        "charts": await charts(view, project, name, number),
        "checkpoints": parsed(members(await view.read(f"{path}/checkpoints"), "Checkpoints")),
        "task_managers": await task_managers(view, path, vertices[:MOST_VERTICES]),
        "vertices": len(vertices),
        "config": parsed(members(await view.read(f"{path}/config"), "Config")),
        "answers": {format_: answer_text(await view.read(f"{path}?Format={format_}")) for format_ in ("JSON", "XML")},
        "copies": await copies(view, project, name, number),
    }


def parsed(text: str | None) -> Any:
    """Parse a member that contains JSON; return None if it is absent."""
    return None if text is None else json.loads(text)


async def charts(view: View, project: str, job: str, instance: int) -> list[Chart]:
    """Return the curves from GetInstanceMetric; none for an instance that is not running."""
    prefix = f"blink.{project}.{job}."
    queries = [{"metric": prefix + metric, "granularity": GRANULARITY} for metric, _, _ in CURVES]
    form = {"metricJson": json.dumps({"limit": "avg:sample:50", "queries": queries})}
    target = f"{job_path(project, job)}/metric?instanceId={instance}"
    found = members(await view.read(target, method="POST", form=form), "Metrics") or {}
    points = {each["MetricName"].removeprefix(prefix): each["Dps"] for each in found.get("Metric", [])}
    drawn = (chart(label, unit, points.get(metric, {})) for metric, label, unit in CURVES)
    return [each for each in drawn if each is not None]


async def vertices_of(view: View, path: str) -> list[dict[str, Any]]:
    """Return the vertices of a running instance."""
    details = parsed(members(await view.read(f"{path}/details"), "Detail")) or {}
    return list(details.get("vertices", []))


async def task_managers(view: View, path: str, vertices: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return vertices of a running instance with their hosts."""
    found = []
    for vertex in vertices:
        target = f"{path}/vertices/{vertex['id']}/taskmanagers"
        hosts = parsed(members(await view.read(target), "TaskManagers")) or {}
        found.append({"name": vertex["name"], "hosts": hosts.get("taskmanagers", [])})
    return found


def answer_text(answer: Answer) -> dict[str, Any]:
    """Return an answer as it is sent: status, type and body, cut if it is very long."""
    return {
        "status": answer.status,
        "type": answer.headers.get("content-type", ""),
        "text": answer.body[:MOST_BYTES].decode("utf-8", "replace"),
        "cut": max(len(answer.body) - MOST_BYTES, 0),
    }
