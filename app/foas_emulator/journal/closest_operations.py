"""Find the operations that are closest to a request that matched none, and the reasons why they did not match."""

import difflib
from collections.abc import Iterable
from functools import lru_cache

from foas_emulator.gateway.operation import Operation

_MOST = 3
_MOST_SEGMENTS = 20
_LONGEST = 40
"""Limits of the segments of a path that are compared, and of the characters of each; no operation has more."""
_WRONG_METHOD = 0.5
"""The distance of a wrong method, in wrong segments; the path says more about which operation was meant."""


def closest_operations(method: str, raw_path: str, operations: Iterable[Operation]) -> list[dict[str, str]]:
    """Return the three operations that are closest to a request, each with the reasons why it did not match.

    Comparisons of segments are cached: one takes tens of microseconds, and many operations share their segments.
    """
    segments = [segment[:_LONGEST] for segment in raw_path.strip("/").split("/", _MOST_SEGMENTS)]
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
    """Return the number of segments to remove, add or correct; one that is nearly right counts less."""
    row: list[float] = list(range(len(operation.segments) + 1))
    for count, given in enumerate(segments, start=1):
        above, row = row, [count]
        for place, wanted in enumerate(operation.segments):
            row.append(min(above[place + 1] + 1, row[place] + 1, above[place] + _unlikeness(given, wanted)))
    return row[-1] + (_WRONG_METHOD if method != operation.method else 0)


@lru_cache(maxsize=4096)
def _unlikeness(given: str, wanted: str) -> float:
    return 0 if _fits(given, wanted) else 1 - difflib.SequenceMatcher(None, given, wanted).ratio() / 2


def _reasons(method: str, raw_path: str, segments: list[str], operation: Operation) -> Iterable[str]:
    if method != operation.method:
        yield f"the method is {operation.method}, not {method}"
    if len(segments) != len(operation.segments):
        yield f"the path has {len(operation.segments)} segments, not {raw_path.strip('/').count('/') + 1}"
    for place, (given, wanted) in enumerate(zip(segments, operation.segments, strict=False), start=1):
        if not _fits(given, wanted):
            yield f"segment {place} is {wanted!r}, not {given!r}"
            break
    if raw_path.endswith("/"):
        yield "the path has no slash at its end"


def _fits(given: str, wanted: str) -> bool:
    return bool(given) if wanted.startswith("{") else given == wanted
