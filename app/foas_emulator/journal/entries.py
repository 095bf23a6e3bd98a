"""The journal of one world, and the document that shows an entry."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from foas_emulator.gateway.operation import Operation
from foas_emulator.journal.calls import Call
from foas_emulator.journal.closest_operations import closest_operations
from foas_emulator.journal.contents import show_contents
from foas_emulator.journal.coverage import Counters, Usage
from foas_emulator.masking import masked
from foas_emulator.world.instants import instant_text

ENTRY_SIZE = 290
"""Approximate size in bytes of an entry, without its call."""


@dataclass(frozen=True, slots=True)
class EntryTemplate:
    """The part that the entries of a call and of its repetitions share: world journal, counters and call.

    `size` is the share of the budget, in bytes, of each entry made from it.
    """

    world_journal: "WorldJournal"
    counters: Counters
    call: Call
    size: int

    def repeated(self) -> "EntryTemplate":
        """Return the template for repetitions of the call, which do not count the bytes of the call again."""
        return EntryTemplate(self.world_journal, self.counters, self.call, ENTRY_SIZE)


class Entry(NamedTuple):
    """The entry of one request: its template and the members that are its own.

    `started` and `ended` are monotonic instants and `ended_at` is the machine's time, all in nanoseconds.
    """

    template: EntryTemplate
    request_id: str
    started: int
    ended: int
    ended_at: int

    @property
    def call(self) -> Call:
        """The request and its response."""
        return self.template.call

    @property
    def took(self) -> int:
        """Nanoseconds from the arrival of the request to the end of its response."""
        return self.ended - self.started

    @property
    def real_time(self) -> int:
        """The time at which the request arrived, in milliseconds since the epoch."""
        return (self.ended_at - self.took) // 1_000_000


new_entry = partial(tuple.__new__, Entry)
"""Make an entry from a tuple of its members, in a third of the time that `Entry(...)` takes."""


class WorldJournal:
    """The entries of one world; the oldest may have been dropped to keep within the budget."""

    __slots__ = ("earlier", "entries", "repeated", "size", "templates", "usage", "world_name")

    def __init__(self, earlier: int = 0, *, world_name: str = "") -> None:
        """Begin after `earlier` calls, which a journal of the same world had counted when it was forgotten."""
        self.earlier = earlier
        self.world_name = world_name
        self.entries: deque[Entry] = deque()
        self.size = 0
        """The estimated size of the entries, in bytes."""
        self.usage = Usage()
        self.templates = 0
        """The number of templates made for this journal, which is that of calls that no cache answered."""
        self.repeated = 0
        """The number of other calls when it was last checked whether the world is still called."""

    @property
    def total(self) -> int:
        """The number of calls since the journal began or was cleared."""
        return self.earlier + self.usage.total

    def was_repeated(self) -> bool:
        """Whether a cache has answered calls since this was last asked."""
        before, self.repeated = self.repeated, self.usage.total - self.templates
        return self.repeated != before

    @property
    def lost(self) -> int:
        """The number of entries that were dropped."""
        return self.total - len(self.entries)

    def since(self, number: int) -> list[Entry]:
        """Return the remaining entries with a higher number, in the order in which their responses ended."""
        return list(islice(reversed(self.entries), max(0, self.total - number)))[::-1]

    def last(self, most: int) -> list[tuple[int, Entry]]:
        """Return the last entries, at most `most`, with their numbers, in the order in which they ended."""
        entries = list(islice(reversed(self.entries), most))[::-1]
        return list(enumerate(entries, self.total - len(entries) + 1))

    def numbered(self) -> Iterator[tuple[int, Entry]]:
        """Return every entry of now with its number in this world (from 1), in the order in which they ended."""
        return enumerate(list(self.entries), self.lost + 1)

    def latest_first(self, *, after: int = 0, before: int | None = None) -> Iterator[tuple[int, Entry]]:
        """Return every entry of now with a number between these two, the latest first."""
        last = self.total if before is None else min(self.total, before - 1)
        there = islice(reversed(self.entries), self.total - last, max(0, self.total - after))
        return zip(range(last, 0, -1), list(there), strict=False)


def show(number: int, entry: Entry, operations: Iterable[Operation]) -> dict[str, Any]:
    """Return an entry as a document; if no operation matched, with the closest ones and why they did not match.

    Call it in a thread: one of thousands of parameters takes some ten milliseconds.
    """
    call = entry.call
    shown: dict[str, Any] = {
        "number": number,
        "time": instant_text(entry.real_time),
        "world_time": instant_text(call.clock.at(entry.real_time)),
        "operation": call.operation_name,
        "method": call.method,
        "path": masked(call.raw_path) if call.operation is None else call.operation.path,
        "parameters": call.given(),
        "unread": call.given_unread(),
        "access_key_id": call.access_key_id or None,
        "signature": call.signature,
        "format": call.format,
        "status": call.status or None,
        "code": call.code,
        "request_id": entry.request_id,
        "milliseconds": round(entry.took / 1e6, 3),
        "faults": [{"id": fault.rule_id, "effect": fault.effect, "at": fault.at} for fault in call.faults],
    }
    if call.hint is not None:
        shown["hint"] = call.hint
        shown["evidence"] = call.evidence
    if call.warning is not None:
        shown["warning"] = call.warning
    if call.action is not None:
        shown["contradicting_action"] = call.action
    if call.operation is None:
        shown["nearest"] = closest_operations(call.method, masked(call.raw_path), operations)
    return shown


def show_whole(number: int, entry: Entry, operations: Iterable[Operation]) -> dict[str, Any]:
    """Return an entry as `show` does, with the headers and bodies of its request and response."""
    call = entry.call
    reasons = {"hint": call.hint, "evidence": call.evidence}
    return show(number, entry, operations) | reasons | show_contents(call.contents, entry.request_id)
