"""Search the journal of a world."""

from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import Annotated

from pydantic import BeforeValidator

from foas_emulator.gateway.operation import Operation
from foas_emulator.journal.calls import Call
from foas_emulator.journal.entries import Entry, WorldJournal
from foas_emulator.patterns import CallPattern, Glob, matches_glob
from foas_emulator.world.durations import whole_number
from foas_emulator.world.slices import in_slices


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Conditions on entries, all of which must be met. Operation and code may be globs."""

    operation: Glob | None = None
    status: Annotated[int | None, BeforeValidator(whole_number)] = None
    code: Glob | None = None
    access_key_id: str | None = None
    failed: bool | None = None
    """Whether it was answered with an error, or not at all."""
    faulted: bool | None = None
    """Whether a fault rule applied."""
    struck: bool | None = None
    """The older name of `faulted`."""
    unread: bool | None = None
    """Whether the request had parameters that nothing read."""
    unknown: bool | None = None
    """Whether no operation matched."""

    def check_scope(self, operations: Iterable[Operation]) -> None:
        """Raise ValueError for an unknown operation: that nobody called it would prove nothing.

        An empty one is that of calls that matched none.
        """
        if self.operation:
            CallPattern(operation=self.operation).resolve(operations)

    def matches(self, call: Call) -> bool:
        """Whether a call meets the conditions."""
        return (
            (self.operation is None or matches_glob(call.operation_name or "", self.operation))
            and (self.status is None or call.status == self.status)
            and (self.code is None or matches_glob(call.code or "", self.code))
            and (self.access_key_id is None or call.access_key_id == self.access_key_id)
            and (self.failed is None or (not call.status or call.status >= HTTPStatus.BAD_REQUEST) == self.failed)
            and (self.faulted is None or bool(call.faults) == self.faulted)
            and (self.struck is None or bool(call.faults) == self.struck)
            and (self.unread is None or bool(call.unread) == self.unread)
            and (self.unknown is None or (call.operation is None) == self.unknown)
        )


_EVERYTHING = Filter()


class _Comparison:
    """A filter that remembers which calls match, because the entries of repetitions share theirs."""

    def __init__(self, wanted: Filter) -> None:
        self._wanted = wanted
        self._compared: dict[int, bool] = {}

    def matches(self, entry: Entry) -> bool:
        """Whether the call of an entry, which the caller holds, meets the conditions."""
        fits = self._compared.get(id(entry.call))
        if fits is None:
            fits = self._compared[id(entry.call)] = self._wanted.matches(entry.call)
        return fits


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of matching entries with their numbers; `total` counts all matches, `after` is for the next page."""

    entries: list[tuple[int, Entry]]
    total: int | None
    after: int | None


async def read_first(
    world_journal: WorldJournal, wanted: Filter, *, limit: int, after: int = 0, before: int | None = None
) -> Page:
    """Return the first `limit` matching entries with a number between these two, in order; others are served meanwhile.

    All entries are compared, because all matches are counted, unless there is no condition.
    """
    if wanted == _EVERYTHING:
        return _first_of_all(world_journal, limit=limit, after=after, before=before)
    comparison = _Comparison(wanted)
    entries: list[tuple[int, Entry]] = []
    total, is_last = 0, True
    async for number, entry in in_slices(world_journal.numbered()):
        fits = comparison.matches(entry)
        total += fits
        if fits and after < number and (before is None or number < before):
            is_last = len(entries) < limit
            if is_last:
                entries.append((number, entry))
    return Page(entries=entries, total=total, after=None if is_last else entries[-1][0])


def _first_of_all(world_journal: WorldJournal, *, limit: int, after: int, before: int | None) -> Page:
    lost, total = world_journal.lost, world_journal.total
    first = min(max(after, lost), total) + 1
    end = total + 1 if before is None else max(first, min(before, total + 1))
    stop = min(first + limit, end)
    entries = list(enumerate(islice(world_journal.entries, first - lost - 1, stop - lost - 1), first))
    return Page(entries=entries, total=total - lost, after=None if stop == end else stop - 1)


async def read_last(
    world_journal: WorldJournal, wanted: Filter, *, most: int, after: int = 0, before: int | None = None
) -> Page:
    """Return the last matching entries with a number between these two, at most `most`, in order.

    The search goes from the end until it has them, so matches are not counted; others are served meanwhile.
    """
    comparison = _Comparison(wanted)
    entries: list[tuple[int, Entry]] = []
    async with aclosing(in_slices(world_journal.latest_first(after=after, before=before))) as latest_first:
        async for number, entry in latest_first:
            if comparison.matches(entry):
                entries.append((number, entry))
                if len(entries) == most:
                    break
    return Page(entries=entries[::-1], total=None, after=None)


async def find(world_journal: WorldJournal, request_id: str, number: int | None = None) -> tuple[int, Entry] | None:
    """Return the latest entry with a request id, or the one that has this number, too; None if there is none.

    A world gives out its request ids once more after a snapshot was restored. Others are served meanwhile.
    """
    only = {} if number is None else {"after": number - 1, "before": number + 1}
    async with aclosing(in_slices(world_journal.latest_first(**only))) as latest_first:
        async for pair in latest_first:
            if pair[1].request_id == request_id:
                return pair
    return None
