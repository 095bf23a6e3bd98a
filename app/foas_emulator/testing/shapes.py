"""Shapes of the control API's answers, as far as they are read here; another server's answers differ.

A shape is a type, a list of one shape for a list of any length, or a dictionary of the members that are read.
The structures in `control/answers.py` are not used, because importing them loads the whole emulator.
"""

from types import NoneType, UnionType
from typing import Any

__tracebackhide__ = True

Shape = type | UnionType | list["Shape"] | dict[str, "Shape"]

HEALTH: Shape = {"status": str}
WORLD: Shape = {"name": str, "access_key_id": str}
WORLDS: Shape = {"worlds": [{"name": str, "access_key_id": str, "idle_ms": int | None}]}
WORLD_NAMES: Shape = {"worlds": [str]}
SETTINGS: Shape = {"signature": str}
CHANGES: Shape = [{"at": int, "what": str, "job": str | None, "state": str | None}]
CLOCK: dict[str, Shape] = {"mode": str, "now": int, "pending_total": int, "pending": CHANGES}
MOVED_CLOCK: Shape = {**CLOCK, "changes_total": int, "changes": CHANGES}
FAULT_RULE: Shape = {
    "id": int,
    "match": {"operation": str, "params": dict},
    "effect": dict,
    "seen": int,
    "hits": int,
    "armed": bool,
}
FAULT_RULES: Shape = {"faults": [FAULT_RULE]}
_ENTRIES: Shape = [
    {
        "number": int,
        "operation": str | None,
        "method": str,
        "path": str,
        "parameters": dict,
        "status": int | None,
        "code": str | None,
        "time": str,
        "request_id": str,
        "faults": [{"id": int, "effect": dict}],
    }
]
JOURNAL_PAGE: Shape = {"after": int | None, "entries": _ENTRIES}
LAST_OF_JOURNAL: Shape = {"total": NoneType, "entries": _ENTRIES}
"""An emulator that does not know `last` counts the entries, and lists the first ones."""
JOURNAL_FILE: Shape = {"test": str, "world": str, "entries": _ENTRIES}
"""The calls of a failed test, as `artifacts.py` writes them."""
PROXY: Shape = {
    "host": str,
    "port": int,
    "allowed": [str],
    "node": {"plain": int, "secure": int},
    "files": str,
}


class ForeignAnswerError(ValueError):
    """An answer is that of another server, or of an emulator of another version; `why` says by what it differs."""

    def __init__(self, why: str) -> None:
        super().__init__(f"it does not answer as a foas-emulator of this version does: {why}")
        self.why = why


def checked(answer: Any, shape: Shape, place: str = "its answer") -> Any:
    """Return an answer that has a shape. Raise `ForeignAnswerError` for one that has not."""
    kind: Any = type(shape) if isinstance(shape, dict | list) else shape
    if not isinstance(answer, kind) or (isinstance(answer, bool) and kind is not bool):
        raise ForeignAnswerError(f"{place} is {_name_of(answer)}")
    if isinstance(shape, dict):
        for name, inner in shape.items():
            if name not in answer:
                raise ForeignAnswerError(f"there is no {name} in {place}")
            checked(answer[name], inner, name)
    elif isinstance(shape, list):
        for each in answer:
            checked(each, shape[0], f"one of {place}")
    return answer


def _name_of(value: Any) -> str:
    """Return the JSON name of the type of a value."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
