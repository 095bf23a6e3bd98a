"""The journals of all worlds, within one byte budget."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from foas_emulator.gateway.formats import Body
from foas_emulator.journal.calls import Call
from foas_emulator.journal.coverage import Usage
from foas_emulator.journal.entries import Entry, EntryTemplate, WorldJournal, new_entry
from foas_emulator.world.clock import machine_now_ns, stopwatch
from foas_emulator.world.slices import in_slices

WORLD_JOURNAL_SIZE = 1500
"""Bytes that the journal of a world takes before it has an entry, roughly."""

_MOST_TOMBSTONES = 256


class Journal:
    """The journals of all worlds by name. When they outgrow the budget, the oldest entry of all is lost first.

    Entries are sorted into their world's journal when somebody reads one: many are lost before that, and going from one
    world's journal to another takes longer than writing an entry.
    """

    def __init__(self, *, budget: int) -> None:
        """`budget` is in bytes, estimated; 0 keeps no entry."""
        self.limit = budget
        self.size = 0
        """Bytes that all of it takes, estimated: entries, calls, and what is counted of each world."""
        self._world_journals: dict[str, WorldJournal] = {}
        self._pending: deque[Entry] = deque()
        self._sorted: deque[EntryTemplate] = deque()
        """The template of every entry of every world journal, oldest first; `_tombstones` of the entries are gone."""
        self._tombstones = 0
        self._forgotten = Usage()
        self._waiters: dict[str, set[Callable[[], None]]] = {}

    def template(self, world_name: str, call: Call, content: Body) -> EntryTemplate:
        """Return the template of a call's entries in a world's journal, which begins now if there is none.

        `content` is the call's response, whose states of instances are counted.
        """
        world_journal = self._world_journals.get(world_name)
        if world_journal is None:
            world_journal = self._world_journals[world_name] = WorldJournal()
            self.size += WORLD_JOURNAL_SIZE
        before = world_journal.usage.size
        counters = world_journal.usage.count_states_and_get_counters(call, content)
        self.size += world_journal.usage.size - before
        return EntryTemplate(world_journal, counters, call, call.size)

    def write(self, template: EntryTemplate, request_id: str, started: int) -> None:
        """Write the entry of a request whose response ends now, and count it. `started` is a `stopwatch` instant."""
        self._pending.append(new_entry((template, request_id, started, stopwatch(), machine_now_ns())))
        template.counters.count += 1
        self.size += template.size
        while self.size > self.limit and (self._sorted or self._pending):
            self._lose_oldest()
        if self._waiters:
            self._wake(template.world_journal)

    def world_journal(self, world_name: str) -> WorldJournal:
        """Return the journal of a world, an empty one if there is none."""
        self._sort()
        world_journal = self._world_journals.get(world_name)
        return WorldJournal() if world_journal is None else world_journal

    @contextmanager
    def watched(self, world_name: str, wake: Callable[[], None]) -> Iterator[None]:
        """Have `wake` called after every new entry of a world, which is not sorted in by then."""
        waiters = self._waiters.setdefault(world_name, set())
        waiters.add(wake)
        try:
            yield
        finally:
            waiters.discard(wake)
            if not waiters:
                self._waiters.pop(world_name, None)

    def _wake(self, world_journal: WorldJournal) -> None:
        for world_name, waiters in self._waiters.items():
            if self._world_journals.get(world_name) is world_journal:
                for wake in waiters:
                    wake()

    def forget(self, world_name: str) -> None:
        """Begin a world's journal anew. What was called there still counts in the usage of all worlds."""
        world_journal = self._world_journals.pop(world_name, None)
        if world_journal is None:
            return
        self._sort()
        world_journal.usage.close()
        self.size -= sum(entry.template.size for entry in world_journal.entries)
        self.size -= WORLD_JOURNAL_SIZE + world_journal.usage.size + self._forgotten.size
        self._tombstones += len(world_journal.entries)
        world_journal.entries.clear()
        self._forgotten.merge(world_journal.usage)
        world_journal.usage = Usage()  # cached responses hold this journal, and need no other counters than their own
        self.size += self._forgotten.size
        if self._tombstones > _MOST_TOMBSTONES and self._tombstones > len(self._sorted) // 2:
            self._sorted = deque(each for each in self._sorted if each.world_journal.entries)
            self._tombstones = 0

    async def usages(self) -> tuple[Usage, dict[str, Usage]]:
        """Return the usage of all worlds together, and of each whose journal was not forgotten.

        Other requests are served meanwhile, so calls may be counted in between.
        """
        worlds = {name: world_journal.usage for name, world_journal in sorted(self._world_journals.items())}
        whole = Usage()
        whole.merge(self._forgotten)
        async for usage in in_slices(worlds.values()):
            whole.merge(usage)
        return whole, worlds

    def _sort(self) -> None:
        while self._pending:
            entry = self._pending.popleft()
            entry.template.world_journal.entries.append(entry)
            self._sorted.append(entry.template)

    def _lose_oldest(self) -> None:
        if not self._sorted:
            self.size -= self._pending.popleft().template.size
            return
        template = self._sorted.popleft()
        if not template.world_journal.entries:
            self._tombstones -= 1
            return
        template.world_journal.entries.popleft()
        self.size -= template.size
