"""Search the journal of a world."""

from collections.abc import Iterator
from dataclasses import dataclass

from foas_emulator.journal.calls import Call
from foas_emulator.journal.entries import Entry, WorldJournal
from foas_emulator.patterns import Glob, matches_glob


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


def read_page(world_journal: WorldJournal, wanted: Filter, *, after: int, limit: int) -> Page:
    """Return the first `limit` matching entries with a number above `after`, in order."""
    fitting = [(number, entry) for number, entry in world_journal.numbered() if wanted.matches(entry.call)]
    rest = [(number, entry) for number, entry in fitting if number > after]
    return Page(entries=rest[:limit], total=len(fitting), after=rest[limit - 1][0] if len(rest) > limit else None)


def find(world_journal: WorldJournal, request_id: str) -> tuple[int, Entry] | None:
    """Return the entry with a request id and its number, None if there is none."""
    matching: Iterator[tuple[int, Entry]] = (
        pair for pair in world_journal.numbered() if pair[1].request_id == request_id
    )
    return next(matching, None)
