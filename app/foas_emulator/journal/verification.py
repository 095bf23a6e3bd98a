"""Verify that a world was called as expected."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice, pairwise
from operator import itemgetter
from sys import getsizeof
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field, model_validator

from foas_emulator.difference import Difference
from foas_emulator.gateway.operation import Operation
from foas_emulator.journal.calls import Call, cut
from foas_emulator.journal.entries import Entry, WorldJournal
from foas_emulator.patterns import LONGEST_GLOBS, CallPattern, length_of_globs
from foas_emulator.world.clock import WrittenDuration
from foas_emulator.world.durations import duration, duration_text
from foas_emulator.world.slices import in_slices
from foas_emulator.world.threads import in_thread

_NEAREST = 3
_RANKED_AT_ONCE = 1000
MAX_TIMEOUT_MS = 300_000
_MOST_IN_ORDER = 16 * LONGEST_GLOBS
"""The most characters of the globs of all patterns in order: each call is compared with each of them."""
_PATTERN = 2000
"""Approximate size in bytes of a pattern, without its texts."""
_MOST_GAPS = 100
"""The most gaps of a backoff to report."""
_LONGEST_EXPECTED = 1000
"""The most characters of an expected value to report with each of the closest entries."""
_FOUND_AT_ONCE = 10_000
"""The most matching entries to count, or to compare the gaps of, without a thread: a few milliseconds' work."""
_GRACE_MS = 1
"""Tolerated shortfall of a gap, in milliseconds: requests are timed when they arrive, not when they are sent."""


class EntryPattern(CallPattern):
    """A pattern that matches calls with these parameters and this status of the response."""

    status: int | None = Field(default=None, description="Status of the response; any if it is left out.")

    def matches(self, call: Call) -> bool:
        """Whether a call has no difference from the pattern."""
        name = call.operation_name
        is_named = name is not None and self.names(name) and self.status in (None, call.status)
        return is_named and not self.differing(call.parameters)

    def distance(self, call: Call) -> int:
        """Return the number of differences between a call and the pattern."""
        name = call.operation_name
        is_other = not (name and self.names(name)), self.status not in (None, call.status)
        return sum(is_other) + len(self.differing(call.parameters))

    def differences(self, call: Call) -> list[Difference]:
        """Return the differences between a call and the pattern, none if it matches. Call it in a thread, as `show`."""
        name = call.operation_name
        found = [] if name and self.names(name) else [Difference("operation", self.operation, name)]
        differing = self.differing(call.parameters)
        shown = call.given() if differing else {}
        for parameter in differing:
            given = shown.get(parameter)
            expected = cut(str(self.params[parameter]), _LONGEST_EXPECTED)
            found.append(Difference(f"params.{parameter}", expected, None if given is None else str(given)))
        if self.status is not None and call.status != self.status:
            found.append(Difference("status", str(self.status), str(call.status) if call.status else None))
        return found


class Count(BaseModel):
    """The expected number of calls: an exact number, or one between two bounds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    exactly: Annotated[int, Field(ge=0)] | None = Field(default=None, description="Exact number.")
    at_least: Annotated[int, Field(ge=0)] | None = Field(default=None, description="Smallest number.")
    at_most: Annotated[int, Field(ge=0)] | None = Field(default=None, description="Largest number.")

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
    """The waiting time between tries: at least `min` before the second, and `factor` times as long before each next."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    min: WrittenDuration
    factor: float = Field(default=1, ge=1, le=1000, description="Factor by which each wait is longer than the last.")


def _check_timeout(written: str | float) -> str | float:
    if duration(written) > MAX_TIMEOUT_MS:
        raise ValueError(f"it may be {duration_text(MAX_TIMEOUT_MS)} at most")
    return written


def _check_steps(steps: list[str | EntryPattern]) -> list[str | EntryPattern]:
    if sum(length_of_globs(step.params) for step in steps if isinstance(step, EntryPattern)) > _MOST_IN_ORDER:
        raise ValueError(f"the globs of all patterns in order have at most {_MOST_IN_ORDER} characters together")
    return steps


class Expectation(EntryPattern):
    """An expectation on the entries that match; if it has only a pattern, that at least one matches.

    `within` counts only the entries in one period of that length, the one with the most of them. `in_order` is a list
    of operations or patterns that must have come one after the other, with anything in between.
    """

    count: Count | None = Field(default=None, description="Number of entries that must match; by default at least one.")
    within: WrittenDuration | None = None
    # Only the first wrong step is reported: thousands of errors of a few thousand values take a tenth of a second.
    in_order: Annotated[list[str | EntryPattern], FailFast(), AfterValidator(_check_steps)] = Field(
        default=[], max_length=1000, description="Operations or patterns that must have come one after the other."
    )
    backoff: Backoff | None = Field(default=None, description="Time that the caller must have waited between tries.")
    timeout: Annotated[WrittenDuration, AfterValidator(_check_timeout)] = 0
    """The longest time to wait until the expectation holds."""

    @property
    def size(self) -> int:
        """The approximate size in bytes, with the texts of all patterns."""
        patterns = [self, *(step for step in self.in_order if isinstance(step, EntryPattern))]
        texts = sum(getsizeof(text) for pattern in patterns for pair in pattern.params.items() for text in pair)
        return _PATTERN * (1 + len(self.in_order)) + texts

    @property
    def steps(self) -> list[EntryPattern]:
        return [EntryPattern(operation=step) if isinstance(step, str) else step for step in self.in_order]

    async def check_scope(self, operations: Iterable[Operation]) -> None:
        """Raise ValueError for an unknown operation or parameter: that nobody called it would prove nothing.

        Other requests are served between two patterns.
        """
        known = list(operations)
        async for pattern in in_slices((self, *self.steps)):
            pattern.resolve(known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of an expectation. It is uncertain if an entry that the journal has dropped could change it."""

    differences: tuple[Difference, ...] = ()
    is_certain: bool = True

    @property
    def holds(self) -> bool:
        return self.is_certain and not self.differences


class Verification:
    """A repeated check of an expectation against the journal of a world while the journal grows.

    Each entry is compared with the expectation once, when it is first seen, and counts even if the journal has dropped
    it since. Other requests are served between comparisons.
    """

    def __init__(self, expected: Expectation) -> None:
        self._expected = expected
        self._steps = expected.steps
        self._world_journal: WorldJournal | None = None
        self._seen = 0
        self._missed = 0
        self._number = 0
        """The number of entries that match."""
        self._is_timed = expected.within is not None or expected.backoff is not None
        self._fitting: list[int] = []
        """The beginnings of the entries that match, if the expectation is about these: hundreds may wait at a time."""
        self._stepping: list[tuple[int, frozenset[int]]] = []
        """The beginnings of the entries that match a step of `in_order`, with the indexes of those steps."""
        self._finding: Finding | None = None

    async def look(self, world_journal: WorldJournal) -> Finding:
        """Return whether the expectation holds now. A certain failure is reported before an uncertain one."""
        if world_journal is not self._world_journal:
            self._begin(world_journal)
        missed = max(0, world_journal.lost - self._seen)
        new = world_journal.since(self._seen)
        self._missed += missed
        self._seen += missed
        if missed:
            self._finding = None
        compared: dict[int, tuple[bool, frozenset[int]]] = {}  # by call, which repetitions share
        async for entry in in_slices(new):
            found = compared.get(id(entry.call))
            if found is None:
                found = compared[id(entry.call)] = await self._compare(entry.call)
            self._take(entry, found)
        if self._finding is None:
            is_long = len(self._fitting) + len(self._stepping) > _FOUND_AT_ONCE
            self._finding = await in_thread(self._find) if is_long else self._find()
        return self._finding

    def _begin(self, world_journal: WorldJournal) -> None:
        self._world_journal = world_journal
        self._seen = self._missed = self._number = 0
        self._fitting, self._stepping, self._finding = [], [], None

    async def _compare(self, call: Call) -> tuple[bool, frozenset[int]]:
        """Return whether a call matches the expectation, and the indexes of the steps that it matches."""
        places = [place async for place, step in in_slices(enumerate(self._steps)) if step.matches(call)]
        return self._expected.matches(call), frozenset(places)

    def _take(self, entry: Entry, found: tuple[bool, frozenset[int]]) -> None:
        """Keep the beginning of an entry if `_compare` has found that it matches the expectation or a step."""
        fits, places = found
        self._seen += 1
        if fits:
            self._number += 1
            if self._is_timed:
                self._fitting.append(entry.started)
        if places:
            self._stepping.append((entry.started, places))
        if fits or places:
            self._finding = None

    def _find(self) -> Finding:
        expected, is_whole = self._expected, self._missed == 0
        fitting = self._fitting
        fitting.sort()
        findings = []
        if expected.count is not None or expected.within is not None or not (expected.in_order or expected.backoff):
            counted = self._number if expected.within is None else _busiest(fitting, duration(expected.within))
            findings.append(_check_count(counted, expected, is_whole=is_whole))
        if expected.in_order:
            self._stepping.sort(key=itemgetter(0))
            findings.append(_check_order((places for _, places in self._stepping), self._steps, is_whole=is_whole))
        if expected.backoff is not None:
            findings.append(_check_backoff(fitting, expected.backoff, is_whole=is_whole))
        failed = [finding for finding in findings if finding.differences and finding.is_certain]
        return Finding(
            differences=tuple(difference for finding in failed or findings for difference in finding.differences),
            is_certain=bool(failed) or all(finding.is_certain for finding in findings),
        )


async def closest_entries(world_journal: WorldJournal, expected: Expectation) -> list[tuple[int, Entry]]:
    """Return the closest entries with their numbers, the latest first; other requests are served between comparisons.

    Entries that match come first, so that a reader sees which calls are too many.
    """
    compared: dict[int, int] = {}
    ranked: list[tuple[int, int, Entry]] = []
    async for number, entry in in_slices(world_journal.numbered()):
        distance = compared.get(id(entry.call))
        if distance is None:
            distance = compared[id(entry.call)] = expected.distance(entry.call)
        ranked.append((distance, -number, entry))
        if len(ranked) > _RANKED_AT_ONCE:
            ranked = _closest(ranked)
    return [(-negative, entry) for _, negative, entry in _closest(ranked)]


def _closest(ranked: list[tuple[int, int, Entry]]) -> list[tuple[int, int, Entry]]:
    return nsmallest(_NEAREST, ranked, key=itemgetter(0, 1))


def _check_count(counted: int, expected: Expectation, *, is_whole: bool) -> Finding:
    wanted = expected.count or Count(at_least=1)
    least, most = wanted.bounds
    is_over = most is not None and counted > most
    if least <= counted and not is_over:
        return Finding(is_certain=is_whole or most is None)
    stretch = "" if expected.within is None else f" within {expected.within}"
    return Finding(
        differences=(Difference("count", f"{wanted}{stretch}", str(counted)),), is_certain=is_whole or is_over
    )


def _busiest(beginnings: Sequence[int], within_ms: int) -> int:
    """Return the largest number of beginnings within any period of this length."""
    most = first = 0
    for last, began in enumerate(beginnings):
        while began - beginnings[first] > within_ms * 1_000_000:
            first += 1
        most = max(most, last - first + 1)
    return most


def _check_order(entries: Iterable[AbstractSet[int]], steps: Sequence[EntryPattern], *, is_whole: bool) -> Finding:
    """Check the order of entries, each given by the indexes of the steps that it matches."""
    remaining = iter(entries)
    for place, step in enumerate(steps):
        if not any(place in places for places in remaining):
            after = f" after {steps[place - 1].operation}" if place else ""
            return Finding(
                differences=(Difference(f"in_order[{place}]", f"{step.operation}{after}", None),), is_certain=is_whole
            )
    return Finding()


def _check_backoff(fitting: Sequence[int], backoff: Backoff, *, is_whole: bool) -> Finding:
    if len(fitting) < 2:  # noqa: PLR2004 - a gap needs two
        return Finding(differences=(Difference("backoff", "at least 2 calls", str(len(fitting))),), is_certain=is_whole)
    gaps = [(later - earlier) / 1e6 for earlier, later in pairwise(fitting)]
    least = [float(duration(backoff.min))]
    while len(least) < len(gaps):
        least.append(least[-1] * backoff.factor)  # overflows to infinity, where a power would raise
    short = (
        Difference(f"backoff[{place}]", f"a gap of {wanted:.0f} ms or more", f"{gap:.0f} ms")
        for place, (gap, wanted) in enumerate(zip(gaps, least, strict=True))
        if gap + _GRACE_MS < wanted
    )
    return Finding(differences=tuple(islice(short, _MOST_GAPS)), is_certain=is_whole)
