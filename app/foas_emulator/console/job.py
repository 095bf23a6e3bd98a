"""The page of a job: its plan as a graph, its code with the parser's message, its instances and properties."""

import re
from http import HTTPStatus
from typing import Any

from foas_emulator.blink.kinds import STREAM
from foas_emulator.blink.plan import Plan
from foas_emulator.blink.planner import running_plan
from foas_emulator.console import snippets
from foas_emulator.console.calls import Answer
from foas_emulator.console.graph import BOX_WIDTH, graph
from foas_emulator.console.highlight import MOST_CHARACTERS
from foas_emulator.console.language import mark
from foas_emulator.console.operations import DRAFT, NOT_STARTED, buttons, job_path
from foas_emulator.console.resources import rows
from foas_emulator.console.seed_text import seed_of_job, seed_text
from foas_emulator.console.site import View
from foas_emulator.console.timeline import due
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.jobs.rows import find_job
from foas_emulator.operations.projects.rows import find_project
from foas_emulator.world.tables import equal
from foas_emulator.world.threads import in_thread
from foas_emulator.world.world import World

TABS = {
    "overview": mark("Overview"),
    "instances": mark("Instances"),
    "properties": mark("Properties"),
    "plan": mark("Plan JSON"),
    "copy": mark("As code"),
}
MOST_INSTANCES = 50
_INSTANCES = """
    SELECT id AS Id, actual_state AS ActualState, expect_state AS ExpectState, start_time AS StartTime,
        end_time AS EndTime, coalesce(substr(starter, 1, 400), '') AS Starter
    FROM instances WHERE project_name = :project AND job_name = :job AND is_archived = :is_archived
    ORDER BY id DESC LIMIT :most
"""
_LINE = re.compile(r"line (\d{1,9})")


async def job_page(view: View) -> dict[str, Any]:
    """Return the context of the page for a job, as the service returns it; `job` is None if it does not exist."""
    project, name = view.query.get("project", ""), view.query.get("job", "")
    path = job_path(project, name)
    job = (members(await view.read(path), "Job") if project and name else {}) or {}
    if not job:
        return {"job": None, "project": project, "name": name, "status": HTTPStatus.NOT_FOUND}
    tab = view.query.get("tab", "overview")
    current = instances(view.world, project, name, is_archived=False)
    archived = instances(view.world, project, name, is_archived=True) if tab == "instances" else []
    newest = current[0] if current else None
    state = newest["ActualState"] if newest else NOT_STARTED if job.get("IsCommitted") else DRAFT
    checked = await view.read(f"{path}/validate")
    plan = plan_of(job)
    return {
        "job": job,
        "project": project,
        "name": name,
        "tabs": TABS,
        "tab": tab if tab in TABS else "overview",
        "state": state,
        "instance": newest,
        "due": due(view.world).get(newest["Id"]) if newest else None,
        "buttons": buttons(
            view.world.name,
            project,
            name,
            instance=newest["Id"] if newest else None,
            is_stream=job["JobType"] == STREAM,
        ),
        "current": current,
        "archived": archived,
        "archived_total": count_archived(view.world, project, name) if archived else 0,
        "code": job.get("Code") or "",
        "most_characters": MOST_CHARACTERS,
        "tables": members(checked, "JobInOut") or {},
        "mistake": None if checked.ok else mistake(checked),
        "plan": plan,
        "box_width": BOX_WIDTH,
        "graph": graph(plan) if plan is not None else None,
        "path": path,
        "copies": await copies(view, project, name) if tab == "copy" else {},
    }


def members(answer: Answer, name: str) -> Any:
    """Return a member of a successful answer, None for any other answer."""
    document = answer.document()
    return document.get(name) if answer.ok and isinstance(document, dict) else None


def instances(world: World, project: str, job: str, *, is_archived: bool) -> list[Any]:
    """Return the instances of a job, the newest first, at most fifty.

    ListInstance gives no page whose codes and plans are too long together.
    """
    return rows(world, _INSTANCES, project=project, job=job, is_archived=is_archived, most=MOST_INSTANCES)


def count_archived(world: World, project: str, job: str) -> int:
    """Return how many archived instances a job has."""
    conditions = equal(Instance.project_name, project), equal(Instance.job_name, job), equal(Instance.is_archived, True)
    return world.store.count(Instance, *conditions)


def mistake(answer: Answer) -> dict[str, Any]:
    """Return the parser's message, and the line that it concerns."""
    title, hint = answer.problem()
    line = _LINE.search(hint)
    document = answer.document() or {}
    return {"text": document.get("Message", title), "hint": hint, "line": int(line[1]) if line else 0}


async def copies(view: View, project: str, name: str, instance: int | None = None) -> dict[str, str]:
    """Return programs that read a job or one of its instances and, unless it is too long, a seed that recreates it."""
    world = view.world
    texts = snippets.reading(view.base_url, world.name, project, name, instance, is_strict=view.is_strict)
    parent, job = find_project(world, project), find_job(world, project, name)
    if parent is not None and job is not None:
        document = seed_of_job(world, parent, job, instance=instance)
        if document is not None:
            texts["seed"] = await in_thread(seed_text, document)
    return texts


def plan_of(job: dict[str, Any]) -> Plan | None:
    """Return the given plan of a job, else the one made from its code; None if neither can be read."""
    texts = job.get("PlanJson") or "", job.get("Code") or ""
    plan = running_plan(*texts, api_type=job["ApiType"], job_type=job["JobType"], note=lambda _: None)
    return plan if plan.nodes else None
