"""Looking through a world_journal."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from foas_emulator.journal.calls import Call
from foas_emulator.journal.entries import Entry, WorldJournal


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which entries are wanted: those that agree in everything that is given. Operation and code may be globs."""

    operation: str | None = None
    status: int | None = None
    code: str | None = None
    access_key_id: str | None = None
    struck: bool | None = None
    """By a fault, or by none."""
    unread: bool | None = None
    """With parameters that nothing read, or without."""
    unknown: bool | None = None
    """Answered by no operation, or by one."""

    def fits(self, call: Call) -> bool:
        return (
            (self.operation is None or fnmatchcase(call.operation_name or "", self.operation))
            and (self.status is None or call.status == self.status)
            and (self.code is None or fnmatchcase(call.code or "", self.code))
            and (self.access_key_id is None or call.access_key_id == self.access_key_id)
            and (self.struck is None or bool(call.faults) == self.struck)
            and (self.unread is None or bool(call.unread) == self.unread)
            and (self.unknown is None or (call.operation is None) == self.unknown)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some of the entries that fit, with their numbers; `total` counts all of them, `after` continues."""

    entries: list[tuple[int, Entry]]
    total: int
    after: int | None


def read_page(world_journal: WorldJournal, wanted: Filter, *, after: int, limit: int) -> Page:
    """The first `limit` entries with a number over `after` that fit, in order."""
    fitting = [(number, entry) for number, entry in world_journal.numbered() if wanted.fits(entry.call)]
    rest = [(number, entry) for number, entry in fitting if number > after]
    return Page(entries=rest[:limit], total=len(fitting), after=rest[limit - 1][0] if len(rest) > limit else None)


def find(world_journal: WorldJournal, request_id: str) -> tuple[int, Entry] | None:
    """The entry of a request id."""
    matching: Iterator[tuple[int, Entry]] = (
        pair for pair in world_journal.numbered() if pair[1].request_id == request_id
    )
    return next(matching, None)
