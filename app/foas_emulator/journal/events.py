"""Find the news in a world since the last look: the calls that have ended, and whether its state has changed.

A watcher polls the journal, so that watching a world does not make its calls slower.
"""

from dataclasses import dataclass

from foas_emulator.journal.entries import Entry, WorldJournal
from foas_emulator.world.world import World

MOST_ENTRIES = 20
"""The most calls to report in full; if there are more, only the latest are reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """The news since the last look: the latest calls, oldest first, and the number of calls before them."""

    entries: list[tuple[int, Entry]]
    more: int
    has_changed: bool

    def __bool__(self) -> bool:
        return bool(self.entries) or self.has_changed


class Watch:
    """A watch of one world, which reports what is new at each look."""

    def __init__(self, world: World, world_journal: WorldJournal) -> None:
        self._revision = world.store.revision
        self._journal, self._last = world_journal, world_journal.total

    def look(self, world: World, world_journal: WorldJournal) -> News:
        """Return the news since the last look; the world must be settled."""
        total = world_journal.total
        # One that was forgotten to make room goes on after the calls that it has lost; one that was cleared does not.
        is_cleared = world_journal is not self._journal and world_journal.earlier < self._last
        new = total if is_cleared else total - self._last
        has_changed = world.store.revision is not self._revision or is_cleared
        entries = world_journal.last(min(new, MOST_ENTRIES))
        self._journal, self._last, self._revision = world_journal, total, world.store.revision
        return News(entries=entries, more=new - len(entries), has_changed=has_changed)
