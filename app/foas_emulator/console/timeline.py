"""The pending changes on a time line that begins now, as points for SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

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
