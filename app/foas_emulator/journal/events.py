"""What is new in a world since the last look: which calls have ended, and whether its state has changed.

A watcher looks at the journal from time to time, so that being watched costs a call nothing.
"""

from dataclasses import dataclass
from itertools import islice

from foas_emulator.journal.entries import Entry, WorldJournal
from foas_emulator.world.world import World

MOST_ENTRIES = 20
"""Calls that are reported in full; of more, only the latest are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What happened since the last look: the latest calls, the oldest of them first, and how many more there were."""

    entries: list[tuple[int, Entry]]
    more: int
    has_changed: bool

    def __bool__(self) -> bool:
        return bool(self.entries) or self.has_changed


class Watch:
    """Looks at one world again and again and reports what is new."""

    def __init__(self, world: World, world_journal: WorldJournal) -> None:
        self._revision = world.store.revision
        self._last = world_journal.usage.total

    def look(self, world: World, world_journal: WorldJournal) -> News:
        """Return what is new in a world that is settled."""
        total = world_journal.usage.total
        new = total - self._last if total >= self._last else total  # fewer: the journal was cleared
        has_changed = world.store.revision is not self._revision or total < self._last
        kept = min(new, MOST_ENTRIES, len(world_journal.entries))
        entries = list(islice(reversed(world_journal.entries), kept))[::-1]
        self._last, self._revision = total, world.store.revision
        numbered = list(enumerate(entries, total - kept + 1))
        return News(entries=numbered, more=new - kept, has_changed=has_changed)
