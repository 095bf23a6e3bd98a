"""The parts of a seed document as it was written, valid or not, so that all of it can be checked in one pass."""

from collections.abc import Iterator, Mapping
from typing import Any

from foas_emulator.seeds.limits import LONGEST_NAME, Place

Part = Mapping[str, Any]
Problem = tuple[Place, str]
"""A place, and a message that says what is wrong there."""


def parts(place: Place, part: Any, name: str) -> Iterator[tuple[Place, Part]]:
    """Yield each mapping in the list that a part has under a name, with its place."""
    found = part.get(name) if isinstance(part, Mapping) else None
    if isinstance(found, list):
        for position, item in enumerate(found):
            if isinstance(item, Mapping):
                yield (*place, name, position), item


def text(part: Part, name: str) -> str | None:
    """Return the value of a member if it is a text, else None."""
    value = part.get(name)
    return value if isinstance(value, str) else None


def own_queue(project_name: object) -> str:
    """Return the name of the queue of a project that gives none, cut where a name may not be longer."""
    return f"root.{project_name}"[:LONGEST_NAME]


def folder_path(path: str) -> str:
    """Return a folder's path without the slash at its end."""
    return path.rstrip("/") or "/"
