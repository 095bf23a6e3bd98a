"""The page of a world's resources: jobs by project and folder with their states, last failures, pending changes."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import TextualSelect, text

from foas_emulator.blink.kinds import STREAM
from foas_emulator.console.operations import DRAFT, FIRST, NOT_STARTED, Button, buttons
from foas_emulator.console.overview import Overview, Place, fits, overview_of
from foas_emulator.console.site import MOST_KEPT, Site, View
from foas_emulator.console.timeline import due, next_points, timeline
from foas_emulator.control.images import one_large_at_a_time
from foas_emulator.operations.projects.rows import Project
from foas_emulator.world.copying import image_of_world
from foas_emulator.world.threads import in_thread
from foas_emulator.world.world import World

PAGE = 50
MOST_POINTS = 12
MOST_PROJECTS = 200
_SLICE = 10

_DETAILS = """
    SELECT j.project_name AS project, j.job_name AS job, j.job_type AS type, j.api_type AS api,
        i.id AS instance, i.expect_state AS expected, i.start_time AS started, i.end_time AS ended,
        substr(i.last_error_message, 1, 400) AS error
    FROM jobs j LEFT JOIN instances i ON i.id = :instance
    WHERE j.project_name = :project AND j.job_name = :job
"""
_PROJECTS = "SELECT name AS project, cluster_id AS cluster FROM projects ORDER BY name LIMIT :most"
_PROJECT = "SELECT name AS project, cluster_id AS cluster FROM projects WHERE name = :name"
_ORDER = ("FAILED", "RUNNING", "WAITING", "PAUSED", "TERMINATED", "SUCCESS", NOT_STARTED, DRAFT)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of a project, with its jobs on the page."""

    project: str
    path: str
    jobs: list[Any]


async def resources_page(view: View) -> dict[str, Any]:
    """Return the context of the page, with fifty jobs at a time."""
    world, query = view.world, view.query
    wanted = {
        "project": query.get("project", ""),
        "state": query.get("state", ""),
        "text": query.get("text", "")[:200],
    }
    overview = await overview_of_world(view.site, world)
    found = await in_thread(lambda: [place for place in overview.places if fits(place, **wanted)])
    offset = view.offset(PAGE, len(found))
    folders = by_folder(await details(world, found[offset : offset + PAGE]))
    return {
        "wanted": wanted,
        "offset": offset,
        "size": PAGE,
        "found": len(found),
        "has_more": len(found) > offset + PAGE,
        "folders": folders,
        "clusters": clusters_of(world, {wanted["project"], *(folder.project for folder in folders)}),
        "projects": world.store.count(Project),
        "operations": lambda job: operations_of(world, job),
        "first": FIRST,
        "counts": overview.counts,
        "totals": totals(overview.counts),
        "failures": await details(world, overview.failed_last),
        "due": due(world),
        "timeline": timeline(next_points(world, MOST_POINTS), now=world.now()),
    }


def clusters_of(world: World, shown: Iterable[str]) -> dict[str, str]:
    """Return the cluster of each of the first projects, and of those that are shown."""
    known = {row["project"]: row["cluster"] for row in rows(world, _PROJECTS, most=MOST_PROJECTS)}
    for name in shown:
        known |= {} if name in known else {row["project"]: row["cluster"] for row in rows(world, _PROJECT, name=name)}
    return known


async def overview_of_world(site: Site, world: World) -> Overview:
    """Return the overview of a world, made in a thread and kept until the world changes."""
    revision, known = site.overviews.get(world.name, (None, None))
    if known is None or revision is not world.store.revision:
        async with one_large_at_a_time(world.store.size, world):
            revision, known = site.overviews.get(world.name, (None, None))
            if known is None or revision is not world.store.revision:  # nobody has done it meanwhile
                revision = world.store.revision
                known = await in_thread(overview_of, await image_of_world(world))
                if len(site.overviews) > MOST_KEPT:
                    site.overviews.clear()
                site.overviews[world.name] = revision, known
    return known


@cache
def _statement(statement: str) -> TextualSelect:
    return text(statement).columns()


def rows(world: World, statement: str, **values: Any) -> list[Any]:
    """Return the rows of a statement, with columns by name."""
    return list(world.store.execute(_statement(statement), values).mappings())


async def details(world: World, places: Sequence[Place]) -> list[dict[str, Any]]:
    """Return the details of jobs that still exist; other requests are served after every few."""
    found = []
    for position, place in enumerate(places, start=1):
        row = rows(world, _DETAILS, project=place.project, job=place.job, instance=place.instance)
        found += [{"folder": place.folder, "state": place.state, **each} for each in row]
        if position % _SLICE == 0:
            await asyncio.sleep(0)
    return found


def totals(counts: dict[str, dict[str, int]]) -> list[tuple[str, int]]:
    """Return the number of jobs of the world in each state, the most urgent states first."""
    found = [(state, sum(each.get(state, 0) for each in counts.values())) for state in _ORDER]
    return [(state, count) for state, count in found if count]


def operations_of(world: World, job: Mapping[str, Any]) -> list[Button]:
    """Return the operations on a job as buttons."""
    return buttons(world.name, job["project"], job["job"], instance=job["instance"], is_stream=job["type"] == STREAM)


def by_folder(jobs: Sequence[Any]) -> list[Folder]:
    """Group jobs, which must be in order of their folders, by folder."""
    folders: list[Folder] = []
    for job in jobs:
        if not folders or (folders[-1].project, folders[-1].path) != (job["project"], job["folder"] or "/"):
            folders.append(Folder(job["project"], job["folder"] or "/", []))
        folders[-1].jobs.append(job)
    return folders
