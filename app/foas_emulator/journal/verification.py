"""Whether what was expected of the calls to a world is what happened."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from foas_emulator.gateway.difference import Difference
from foas_emulator.gateway.operation import Operation
from foas_emulator.gateway.pattern import CallPattern
from foas_emulator.journal.calls import Call
from foas_emulator.journal.entries import Entry, WorldJournal
from foas_emulator.world.clock import WrittenDuration
from foas_emulator.world.durations import duration

_NEAREST = 3
_GRACE_MS = 1
"""What a gap may be short of, in milliseconds: the arrival of two requests is measured, not their departure."""


class EntryPattern(CallPattern):
    """Fits entries of calls that were given these values and answered with this status."""

    status: int | None = None

    def differences(self, call: Call) -> list[Difference]:
        """In what a call differs; nothing if it fits."""
        name = call.operation_name
        found = [] if name and self.names(name) else [Difference("operation", self.operation, name)]
        for parameter in self.differing(call.parameters):
            given = call.given().get(parameter)
            expected = str(self.params[parameter])
            found.append(Difference(f"params.{parameter}", expected, None if given is None else str(given)))
        if self.status is not None and call.status != self.status:
            found.append(Difference("status", str(self.status), str(call.status) if call.status else None))
        return found


class Count(BaseModel):
    """How many calls are expected: exactly so many, or between two bounds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    exactly: Annotated[int, Field(ge=0)] | None = None
    at_least: Annotated[int, Field(ge=0)] | None = None
    at_most: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        bounded = self.at_least is not None or self.at_most is not None
        if bounded == (self.exactly is not None):
            raise ValueError("give exactly, or one or both of at_least and at_most")
        return self

    @property
    def bounds(self) -> tuple[int, int | None]:
        if self.exactly is not None:
            return self.exactly, self.exactly
        return self.at_least or 0, self.at_most

    def __str__(self) -> str:
        given = self.model_dump(exclude_none=True)
        return " and ".join(f"{name.replace('_', ' ')} {number}" for name, number in given.items())


class Backoff(BaseModel):
    """How long a client waits between tries: `min` before the second, `factor` times longer before each after it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    min: WrittenDuration
    factor: Annotated[float, Field(ge=1, le=1000)] = 1


class Expectation(EntryPattern):
    """What is expected of the entries that fit; if nothing is said, that there is one at least.

    `within` counts only those that lie in one stretch of that length, whichever has most of them. `in_order` is a
    list of operations or patterns that must have come one after the other, with anything in between.
    """

    count: Count | None = None
    within: WrittenDuration | None = None
    in_order: Sequence[str | EntryPattern] = ()
    backoff: Backoff | None = None
    timeout: WrittenDuration = 0
    """How long to wait until it holds."""

    @property
    def steps(self) -> list[EntryPattern]:
        return [EntryPattern(operation=step) if isinstance(step, str) else step for step in self.in_order]

    def check_scope(self, operations: Iterable[Operation]) -> None:
        """Raise ValueError for an unknown operation or parameter: never having been called would prove nothing."""
        known = list(operations)
        for pattern in (self, *self.steps):
            pattern.resolve(known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of an expectation. It is uncertain if an entry that was lost could have made it otherwise."""

    differences: tuple[Difference, ...] = ()
    is_certain: bool = True

    @property
    def holds(self) -> bool:
        return self.is_certain and not self.differences


@dataclass(frozen=True, slots=True, kw_only=True)
class NearEntry:
    """An entry that comes near to what was expected, and in what it differs."""

    number: int
    entry: Entry
    differences: list[Difference]


def verify(world_journal: WorldJournal, expected: Expectation) -> Finding:
    """Whether it holds. A certain failure is told before an uncertainty."""
    entries = sorted(world_journal.entries, key=lambda entry: entry.started)
    fitting = [entry for entry in entries if not expected.differences(entry.call)]
    is_whole = world_journal.lost == 0
    findings = []
    if expected.count is not None or expected.within is not None or not (expected.in_order or expected.backoff):
        findings.append(_check_count(fitting, expected, is_whole=is_whole))
    if expected.in_order:
        findings.append(_check_order(entries, expected.steps, is_whole=is_whole))
    if expected.backoff is not None:
        findings.append(_check_backoff(fitting, expected.backoff, is_whole=is_whole))
    failed = [finding for finding in findings if finding.differences and finding.is_certain]
    return Finding(
        differences=tuple(difference for finding in failed or findings for difference in finding.differences),
        is_certain=bool(failed) or all(finding.is_certain for finding in findings),
    )


def nearest(world_journal: WorldJournal, expected: Expectation) -> list[NearEntry]:
    """The entries that come nearest, the last first: if some fit, those do, so that one sees what there is too much."""
    ranked = sorted(
        (
            (len(differences := expected.differences(entry.call)), -number, entry, differences)
            for number, entry in world_journal.numbered()
        ),
        key=lambda rank: rank[:2],
    )
    return [
        NearEntry(number=-negative, entry=entry, differences=differences)
        for _, negative, entry, differences in ranked[:_NEAREST]
    ]


def _check_count(fitting: Sequence[Entry], expected: Expectation, *, is_whole: bool) -> Finding:
    wanted = expected.count or Count(at_least=1)
    least, most = wanted.bounds
    within = None if expected.within is None else duration(expected.within)
    counted = len(fitting) if within is None else _busiest(fitting, within)
    is_over = most is not None and counted > most
    if least <= counted and not is_over:
        return Finding(is_certain=is_whole or most is None)
    stretch = "" if within is None else f" within {expected.within}"
    return Finding(
        differences=(Difference("count", f"{wanted}{stretch}", str(counted)),), is_certain=is_whole or is_over
    )


def _busiest(entries: Sequence[Entry], within_ms: int) -> int:
    """How many entries lie in that stretch of time which has most of them."""
    most = first = 0
    for last, entry in enumerate(entries):
        while entry.started - entries[first].started > within_ms * 1_000_000:
            first += 1
        most = max(most, last - first + 1)
    return most


def _check_order(entries: Iterable[Entry], steps: Sequence[EntryPattern], *, is_whole: bool) -> Finding:
    remaining = iter(entries)
    for place, step in enumerate(steps):
        if not any(not step.differences(entry.call) for entry in remaining):
            after = f" after {steps[place - 1].operation}" if place else ""
            return Finding(
                differences=(Difference(f"in_order[{place}]", f"{step.operation}{after}", None),), is_certain=is_whole
            )
    return Finding()


def _check_backoff(fitting: Sequence[Entry], backoff: Backoff, *, is_whole: bool) -> Finding:
    if len(fitting) < 2:  # noqa: PLR2004 - a gap needs two
        return Finding(differences=(Difference("backoff", "at least 2 calls", str(len(fitting))),), is_certain=is_whole)
    gaps = [(later.started - earlier.started) / 1e6 for earlier, later in pairwise(fitting)]
    # Beyond a hundred gaps the number of milliseconds would go beyond what a float holds.
    least = [duration(backoff.min) * backoff.factor ** min(place, 90) for place in range(len(gaps))]
    return Finding(
        differences=tuple(
            Difference(f"backoff[{place}]", f"a gap of {wanted:.0f} ms or more", f"{gap:.0f} ms")
            for place, (gap, wanted) in enumerate(zip(gaps, least, strict=True))
            if gap + _GRACE_MS < wanted
        ),
        is_certain=is_whole,
    )
