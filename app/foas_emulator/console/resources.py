"""The page of a world's resources: jobs by project and folder with their states, last failures, pending changes."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from heapq import nlargest
from typing import Any, NamedTuple

from sqlalchemy import TextualSelect, text

from foas_emulator.blink.kinds import STREAM
from foas_emulator.console.operations import DRAFT, FIRST, NOT_STARTED, Button, buttons
from foas_emulator.console.site import MOST_KEPT, Site, View
from foas_emulator.console.timeline import Point, point, timeline
from foas_emulator.control.changes import show_changes
from foas_emulator.control.images import one_large_at_a_time
from foas_emulator.operations.projects.rows import Project
from foas_emulator.world import pending
from foas_emulator.world.copying import image_of_world
from foas_emulator.world.pending import PendingChange
from foas_emulator.world.shortage import in_thread
from foas_emulator.world.world import World

PAGE = 50
MOST_POINTS = 12
MOST_FAILURES = 3
MOST_PROJECTS = 200
_SLICE = 10

_DETAILS = """
    SELECT j.project_name AS project, j.job_name AS job, j.job_type AS type, j.api_type AS api,
        i.id AS instance, i.expect_state AS expected, i.start_time AS started, i.end_time AS ended,
        substr(i.last_error_message, 1, 400) AS error
    FROM jobs j LEFT JOIN instances i ON i.id = :instance
    WHERE j.project_name = :project AND j.job_name = :job
"""
# To sort hundreds of thousands of names here would take a second; SQLite sorts beside the other threads.
_IN_ORDER = """
    SELECT j.project_name, coalesce(f.path, '/') AS folder, j.job_name
    FROM jobs j LEFT JOIN folders f ON f.folder_id = j.folder_id ORDER BY 1, 2, 3
"""
_PROJECTS = "SELECT name AS project, cluster_id AS cluster FROM projects ORDER BY name LIMIT :most"
_PROJECT = "SELECT name AS project, cluster_id AS cluster FROM projects WHERE name = :name"
_ORDER = ("FAILED", "RUNNING", "WAITING", "PAUSED", "TERMINATED", "SUCCESS", NOT_STARTED, DRAFT)


class Place(NamedTuple):
    """The place of a job, and the state of its current instance."""

    project: str
    folder: str
    job: str
    state: str
    instance: int


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
        "timeline": timeline(points(world, MOST_POINTS), now=world.now()),
    }


def clusters_of(world: World, shown: Iterable[str]) -> dict[str, str]:
    """Return the cluster of each of the first projects, and of those that are shown."""
    known = {row["project"]: row["cluster"] for row in rows(world, _PROJECTS, most=MOST_PROJECTS)}
    for name in shown:
        known |= {} if name in known else {row["project"]: row["cluster"] for row in rows(world, _PROJECT, name=name)}
    return known


@dataclass(frozen=True, slots=True)
class Overview:
    """The facts about all jobs that a page needs: in order, counted by project and state, and the last to fail."""

    places: list[Place]
    counts: dict[str, dict[str, int]]
    failed_last: list[Place]


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


def overview_of(image: bytes) -> Overview:
    """Return the overview of a world's image."""
    places = places_of(image)
    return Overview(places, counted(places), failed_last(places))


@cache
def _statement(statement: str) -> TextualSelect:
    return text(statement).columns()


def rows(world: World, statement: str, **values: Any) -> list[Any]:
    """Return the rows of a statement, with columns by name."""
    return list(world.store.execute(_statement(statement), values).mappings())


def places_of(image: bytes) -> list[Place]:
    """Return the jobs of a world's image by project, folder and name, with the state of each current instance."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA temp_store = MEMORY")  # or else sorting needs room on a disk
        connection.deserialize(image)
        committed = set(connection.execute("SELECT project_name, job_name FROM committed_jobs"))
        current = {
            (project, job): (state, number)
            for number, project, job, state in connection.execute(
                "SELECT id, project_name, job_name, actual_state FROM instances WHERE NOT is_archived ORDER BY id"
            )
        }
        places = []
        for project, folder, job in connection.execute(_IN_ORDER):
            state, instance = current.get((project, job)) or (
                NOT_STARTED if (project, job) in committed else DRAFT,
                0,
            )
            places.append(Place(project, folder, job, state, instance))
    return places


def fits(place: Place, *, project: str, state: str, text: str) -> bool:
    """Whether a job matches: of this project, in this state, with this text in its name or its folder's."""
    return (
        (not project or place.project == project)
        and (not state or place.state == state)
        and (not text or text.lower() in f"{place.folder}/{place.job}".lower())
    )


async def details(world: World, places: Sequence[Place]) -> list[dict[str, Any]]:
    """Return the details of jobs that still exist; other requests are served after every few."""
    found = []
    for position, place in enumerate(places, start=1):
        row = rows(world, _DETAILS, project=place.project, job=place.job, instance=place.instance)
        found += [{"folder": place.folder, "state": place.state, **each} for each in row]
        if position % _SLICE == 0:
            await asyncio.sleep(0)
    return found


def failed_last(places: Sequence[Place]) -> list[Place]:
    """Return the jobs that failed last: those whose instances have the highest ids."""
    failed = (place for place in places if place.state == "FAILED")
    return nlargest(MOST_FAILURES, failed, key=lambda place: place.instance)


def counted(places: Sequence[Place]) -> dict[str, dict[str, int]]:
    """Return the number of jobs of each project in each state."""
    counts: dict[str, dict[str, int]] = {}
    for (project, state), count in Counter((place.project, place.state) for place in places).items():
        counts.setdefault(project, {})[state] = count
    return counts


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


def due(world: World) -> dict[int, PendingChange]:
    """Return the next change of each instance, by its id, among the first 500 pending changes."""
    found: dict[int, PendingChange] = {}
    for change in next_changes(world, 500):
        if change.kind == "instance" and change.key.isdecimal():
            found.setdefault(int(change.key), change)
    return found


def next_changes(world: World, limit: int) -> list[PendingChange]:
    """Return the next pending changes."""
    if world.next_due is None:
        return []
    return pending.planned(world.store, limit)


def points(world: World, limit: int) -> list[Point]:
    """Return the next pending changes as points of a time line, labelled with their jobs."""
    return [point(change) for change in show_changes(world, next_changes(world, limit))]
