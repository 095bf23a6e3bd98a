"""The journals of all worlds, within one byte budget."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from foas_emulator.gateway.formats import Body
from foas_emulator.journal.calls import Call
from foas_emulator.journal.coverage import Usage
from foas_emulator.journal.entries import Entry, EntryTemplate, WorldJournal, new_entry
from foas_emulator.world.clock import machine_now_ns, stopwatch
from foas_emulator.world.slices import in_slices

WORLD_JOURNAL_SIZE = 1500
"""Approximate size in bytes of the journal of a world without an entry."""

_LEAST_FOR_WORLDS = 1024 * 1024
"""The bytes that journals may take without their entries even if the budget is small."""
_LOOKED_AT = 16
"""The most journals to look at for one to forget when a world gets one."""

_SORTED_AT_ONCE = 2000
"""The most entries to sort before others are served: a millisecond's work."""
_MOST_TOMBSTONES = 256


class Journal:
    """The journals of all worlds by name. When they outgrow the budget, the oldest entry of all is dropped first.

    When they take three quarters of it without their entries, because there are thousands of worlds, those of worlds
    that have not been called for long are forgotten, but for the number of calls that are lost with them.

    Entries are sorted into the journals of their worlds when one is read: many are dropped before that, and going from
    one world's journal to another takes longer than writing an entry.
    """

    def __init__(self, *, budget: int) -> None:
        """Keep at most `budget` bytes, estimated; with 0, keep no entry."""
        self.limit = budget
        self.size = 0
        """The estimated size in bytes of all entries, calls, and counters of all worlds."""
        self._most_for_worlds = max(budget * 3 // 4, _LEAST_FOR_WORLDS)
        self._size_of_worlds = 0
        """The part of `size` that is not of entries."""
        self._world_journals: OrderedDict[str, WorldJournal] = OrderedDict()
        """The journals by the latest call that no cache answered, the oldest first."""
        self._earlier: dict[str, int] = {}
        """The number of calls that were lost together with the journals of these worlds."""
        self._pending: deque[Entry] = deque()
        self._sorted: deque[EntryTemplate] = deque()
        """The templates of the entries of all worlds, oldest first; `_tombstones` of them are of forgotten entries."""
        self._tombstones = 0
        self._forgotten = Usage()
        self._waiters: dict[str, set[Callable[[], None]]] = {}

    def template(self, world_name: str, call: Call, content: Body) -> EntryTemplate:
        """Return the template of a call's entries in a world's journal; create the journal if there is none.

        `content` is the response to the call, whose states of instances are counted.
        """
        if self._size_of_worlds > self._most_for_worlds:
            self._make_room()
        world_journal = self._world_journals.get(world_name)
        if world_journal is None:
            world_journal = WorldJournal(self._earlier.pop(world_name, 0), world_name=world_name)
            self._world_journals[world_name] = world_journal
            self._resize(WORLD_JOURNAL_SIZE)
        else:
            self._world_journals.move_to_end(world_name)
        world_journal.templates += 1
        before = world_journal.usage.size
        counters = world_journal.usage.count_states_and_get_counters(call, content)
        self._resize(world_journal.usage.size - before)
        return EntryTemplate(world_journal, counters, call, call.size)

    def write(self, template: EntryTemplate, request_id: str, started: int) -> None:
        """Write the entry of a request whose response ends now, and count it. `started` is a `stopwatch` instant."""
        self._pending.append(new_entry((template, request_id, started, stopwatch(), machine_now_ns())))
        template.counters.count += 1
        self.size += template.size
        while self.size > self.limit and (self._sorted or self._pending):
            self._lose_oldest()
        if self._waiters and self._world_journals.get(template.world_journal.world_name) is template.world_journal:
            self._wake(template.world_journal.world_name)

    def world_journal(self, world_name: str) -> WorldJournal:
        """Return the journal of a world, an empty one if there is none."""
        self._sort(len(self._pending))
        world_journal = self._world_journals.get(world_name)
        return WorldJournal(self._earlier.get(world_name, 0)) if world_journal is None else world_journal

    async def sort(self) -> None:
        """Sort the entries that many calls have left, so that reading a journal does not have to; others are served."""
        async for _ in in_slices(iter(lambda: self._sort(_SORTED_AT_ONCE), 0)):
            pass

    @contextmanager
    def watched(self, world_name: str, wake: Callable[[], None]) -> Iterator[None]:
        """Call `wake` after every new entry of a world, before the entry is sorted into its journal.

        It is also called when the journal is forgotten.
        """
        waiters = self._waiters.setdefault(world_name, set())
        waiters.add(wake)
        try:
            yield
        finally:
            waiters.discard(wake)
            if not waiters:
                self._waiters.pop(world_name, None)

    def _wake(self, world_name: str) -> None:
        for wake in self._waiters.get(world_name, ()):
            wake()

    def forget(self, world_name: str) -> None:
        """Forget a world's journal. Its calls still count in the usage of all worlds together."""
        self._earlier.pop(world_name, None)
        world_journal = self._world_journals.pop(world_name, None)
        if world_journal is not None:
            self._remove(world_journal)
        self._wake(world_name)

    def _make_room(self) -> None:
        """Forget the journals of a few worlds that were not called for the longest time, if all take too much.

        The entries of a world that is used would else have no room beside the counters of thousands that are not.
        """
        for _ in range(_LOOKED_AT):
            if self._size_of_worlds <= self._most_for_worlds or len(self._world_journals) == 1:
                return
            world_name, world_journal = self._world_journals.popitem(last=False)
            if world_journal.was_repeated():
                self._world_journals[world_name] = world_journal
            else:
                self._earlier[world_name] = world_journal.total
                self._remove(world_journal)

    def _remove(self, world_journal: WorldJournal) -> None:
        """Give back what a journal takes; if thousands of entries are not sorted yet, its own follow when they are."""
        self._sort(_SORTED_AT_ONCE)
        world_journal.usage.close()
        self.size -= world_journal.size
        self._resize(-WORLD_JOURNAL_SIZE - world_journal.usage.size - self._forgotten.size)
        self._tombstones += len(world_journal.entries)
        world_journal.entries.clear()
        world_journal.size = 0
        self._forgotten.merge(world_journal.usage)
        world_journal.usage = Usage()  # cached responses hold this journal, and need no other counters than their own
        self._resize(self._forgotten.size)
        if self._tombstones > _MOST_TOMBSTONES and self._tombstones > len(self._sorted) // 2:
            self._sorted = deque(each for each in self._sorted if each.world_journal.entries)
            self._tombstones = 0

    def _resize(self, more: int) -> None:
        self.size += more
        self._size_of_worlds += more

    async def usages(self) -> tuple[Usage, dict[str, Usage]]:
        """Return the usage of all worlds together, and of each world whose journal was not forgotten.

        Other requests are served meanwhile, so calls may be counted during this.
        """
        worlds = {name: world_journal.usage for name, world_journal in sorted(self._world_journals.items())}
        whole = Usage()
        whole.merge(self._forgotten)
        async for usage in in_slices(worlds.values()):
            whole.merge(usage)
        return whole, worlds

    def _sort(self, most: int) -> int:
        """Sort at most so many entries into the journals of their worlds; return how many there were."""
        number = min(most, len(self._pending))
        for _ in range(number):
            entry = self._pending.popleft()
            template = entry.template
            if template.counters.is_closed:  # its journal was forgotten
                self.size -= template.size
                continue
            template.world_journal.entries.append(entry)
            template.world_journal.size += template.size
            self._sorted.append(template)
        return number

    def _lose_oldest(self) -> None:
        if not self._sorted:
            self.size -= self._pending.popleft().template.size
            return
        template = self._sorted.popleft()
        world_journal = template.world_journal
        if not world_journal.entries:
            self._tombstones -= 1
            return
        world_journal.entries.popleft()
        world_journal.size -= template.size
        self.size -= template.size
