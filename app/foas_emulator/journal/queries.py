"""Search the journal of a world."""

from dataclasses import dataclass

from foas_emulator.journal.calls import Call
from foas_emulator.journal.entries import Entry, WorldJournal
from foas_emulator.patterns import Glob, matches_glob
from foas_emulator.world.slices import in_slices


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Conditions on entries, all of which must be met. Operation and code may be globs."""

    operation: Glob | None = None
    status: int | None = None
    code: Glob | None = None
    access_key_id: str | None = None
    faulted: bool | None = None
    """Whether a fault rule applied."""
    struck: bool | None = None
    """The older name of `faulted`."""
    unread: bool | None = None
    """Whether the request had parameters that nothing read."""
    unknown: bool | None = None
    """Whether no operation matched."""

    def matches(self, call: Call) -> bool:
        """Whether a call meets the conditions."""
        return (
            (self.operation is None or matches_glob(call.operation_name or "", self.operation))
            and (self.status is None or call.status == self.status)
            and (self.code is None or matches_glob(call.code or "", self.code))
            and (self.access_key_id is None or call.access_key_id == self.access_key_id)
            and (self.faulted is None or bool(call.faults) == self.faulted)
            and (self.struck is None or bool(call.faults) == self.struck)
            and (self.unread is None or bool(call.unread) == self.unread)
            and (self.unknown is None or (call.operation is None) == self.unknown)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of matching entries with their numbers; `total` counts all matches, `after` is for the next page."""

    entries: list[tuple[int, Entry]]
    total: int
    after: int | None


async def read_page(world_journal: WorldJournal, wanted: Filter, *, after: int, limit: int) -> Page:
    """Return the first `limit` matching entries with a number above `after`, in order; others are served meanwhile."""
    compared: dict[int, bool] = {}  # by call, which repetitions share
    entries: list[tuple[int, Entry]] = []
    total, is_last = 0, True
    async for number, entry in in_slices(list(world_journal.numbered())):
        fits = compared.get(id(entry.call))
        if fits is None:
            fits = compared[id(entry.call)] = wanted.matches(entry.call)
        total += fits
        if fits and number > after:
            is_last = len(entries) < limit
            if is_last:
                entries.append((number, entry))
    return Page(entries=entries, total=total, after=None if is_last else entries[-1][0])


def find(world_journal: WorldJournal, request_id: str, number: int | None = None) -> tuple[int, Entry] | None:
    """Return the latest entry with a request id, or the one that has this number, too; None if there is none.

    A world gives out its request ids once more after a snapshot was restored.
    """
    latest_first = zip(range(world_journal.total, 0, -1), reversed(world_journal.entries), strict=False)
    matching = (pair for pair in latest_first if pair[1].request_id == request_id)
    return next((pair for pair in matching if number in (None, pair[0])), None)
