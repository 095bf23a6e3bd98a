"""The pending changes of a world: those of its instances, and all on a time line that begins now, as points for SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from foas_emulator.control.changes import show_changes
from foas_emulator.world import pending
from foas_emulator.world.pending import PendingChange
from foas_emulator.world.world import World

WIDTH = 800
_LEFT, _RIGHT = 12.0, 788.0
_TEXT = 72.0
_NEAREST = 26.0
"""The smallest distance between two points that do not cover each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A pending change: its instant in milliseconds, its label and event; its job and the state it brings, if any."""

    at: int
    label: str
    event: str
    job: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed(Point):
    """A point with its position on the line."""

    x: float
    has_time: bool = True
    """Whether there is room for the time below the point."""


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


def next_points(world: World, limit: int) -> list[Point]:
    """Return the next pending changes as points of a time line, labelled with their jobs."""
    return [point(change) for change in show_changes(world, next_changes(world, limit))]


def point(change: Mapping[str, Any]) -> Point:
    """Return a change, as the control API shows it, as a point labelled with its job."""
    subject, _, event = change["what"].partition(" ")
    job, state = change["job"] or "", change["state"] or ""
    return Point(at=change["at"], label=f"{job or subject} {event}", event=event, job=job, state=state)


def timeline(points: Sequence[Point], *, now: int) -> list[Placed]:
    """Return points with positions on a line that begins now: in proportion, but without overlaps."""
    if not points:
        return []
    last = max(point.at for point in points)
    scale = (_RIGHT - _LEFT - _NEAREST) / max(last - now, 1)
    placed: list[Placed] = []
    least = _LEFT + _NEAREST
    for point in sorted(points, key=lambda each: each.at):
        x = max(_LEFT + _NEAREST + (point.at - now) * scale, least)
        least = x + _NEAREST
        placed.append(Placed(x=x, **asdict(point)))
    return _with_times(_fitted(placed))


def _with_times(placed: list[Placed]) -> list[Placed]:
    """Return the points with the times for which there is room, from left to right."""
    free = _LEFT
    timed: list[Placed] = []
    for each in placed:
        has_time = each.x >= free
        free = each.x + _TEXT if has_time else free
        timed.append(replace(each, has_time=has_time))
    return timed


def _fitted(placed: list[Placed]) -> list[Placed]:
    """Return the points moved closer together if the last ones were beyond the end."""
    over = placed[-1].x / _RIGHT
    if over <= 1:
        return placed
    return [replace(each, x=round(each.x / over, 1)) for each in placed]
