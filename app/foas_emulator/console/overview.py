"""The facts about all jobs of a world that its page of resources needs, read from an image by a thread."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from heapq import nlargest
from typing import NamedTuple

from foas_emulator.console.operations import DRAFT, NOT_STARTED

MOST_FAILURES = 3
# To sort hundreds of thousands of names here would take a second; SQLite sorts beside the other threads.
_IN_ORDER = """
    SELECT j.project_name, coalesce(f.path, '/') AS folder, j.job_name
    FROM jobs j LEFT JOIN folders f ON f.folder_id = j.folder_id ORDER BY 1, 2, 3
"""


class Place(NamedTuple):
    """The place of a job, and the state of its current instance."""

    project: str
    folder: str
    job: str
    state: str
    instance: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The facts about all jobs that a page needs: in order, counted by project and state, and the last to fail."""

    places: list[Place]
    counts: dict[str, dict[str, int]]
    failed_last: list[Place]


def overview_of(image: bytes) -> Overview:
    """Return the overview of a world's image."""
    places = places_of(image)
    return Overview(places, counted(places), failed_last(places))


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
