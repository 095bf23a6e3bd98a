"""Which operations a request that matched none came nearest to, and what kept it from them."""

import difflib
from collections.abc import Iterable

from foas_emulator.gateway.operation import Operation

_MOST = 3
_LONGEST = 512
"""Characters of a path that are compared."""
_MOST_SEGMENTS = 24
"""Segments that are compared; operations have far fewer."""
_WRONG_METHOD = 0.5
"""What a wrong method costs, in wrong segments: the path says more about what was meant."""


def nearest(method: str, raw_path: str, operations: Iterable[Operation]) -> list[dict[str, str]]:
    """The three operations that a request is least away from, each with every reason why it is not the one."""
    raw_path = raw_path[:_LONGEST]
    segments = raw_path.strip("/").split("/")[:_MOST_SEGMENTS]
    ranked = sorted(operations, key=lambda operation: _distance(method, segments, operation))
    return [
        {
            "operation": operation.name,
            "method": operation.method,
            "path": operation.path,
            "why_not": "; ".join(_reasons(method, raw_path, segments, operation)),
        }
        for operation in ranked[:_MOST]
    ]


def _distance(method: str, segments: list[str], operation: Operation) -> float:
    """How much of a path must be left out, put in or put right; a segment that is nearly right costs half."""
    row: list[float] = list(range(len(operation.segments) + 1))
    for count, given in enumerate(segments, start=1):
        above, row = row, [count]
        for place, wanted in enumerate(operation.segments):
            row.append(min(above[place + 1] + 1, row[place] + 1, above[place] + _unlikeness(given, wanted)))
    return row[-1] + (_WRONG_METHOD if method != operation.method else 0)


def _unlikeness(given: str, wanted: str) -> float:
    return 0 if _fits(given, wanted) else 1 - difflib.SequenceMatcher(None, given, wanted).ratio() / 2


def _reasons(method: str, raw_path: str, segments: list[str], operation: Operation) -> Iterable[str]:
    if method != operation.method:
        yield f"the method is {operation.method}, not {method}"
    if len(segments) != len(operation.segments):
        yield f"the path has {len(operation.segments)} segments, not {len(segments)}"
    for place, (given, wanted) in enumerate(zip(segments, operation.segments, strict=False), start=1):
        if not _fits(given, wanted):
            yield f"segment {place} is {wanted!r}, not {given!r}"
            break
    if raw_path.endswith("/"):
        yield "the path has no slash at its end"


def _fits(given: str, wanted: str) -> bool:
    return bool(given) if wanted.startswith("{") else given == wanted
