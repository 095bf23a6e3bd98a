"""What was remembered of every world's exchanges, within one budget for all of them."""

from collections import deque

from foas_emulator.gateway.formats import Body
from foas_emulator.journal.calls import Call
from foas_emulator.journal.coverage import Exercise
from foas_emulator.journal.entries import Entry, Heading, Ledger, new_entry
from foas_emulator.world.clock import machine_now_ns, stopwatch

_MOST_HOLLOW = 256


class Journal:
    """The ledgers of all worlds by name. When they outgrow the budget, the oldest entry of all is lost first.

    Entries are sorted into their ledgers when somebody looks: many are lost before anybody does, and finding the way
    from one world's ledger to the next takes longer than writing the entry.
    """

    def __init__(self, *, budget: int) -> None:
        """`budget` is in bytes, estimated; 0 keeps no entry."""
        self._budget = budget
        self._size = 0
        self._ledgers: dict[str, Ledger] = {}
        self._unsorted: deque[Entry] = deque()
        self._sorted: deque[Heading] = deque()
        """The heading of every entry that is in its ledger, the oldest first. Of `_hollow` places it was forgotten."""
        self._hollow = 0
        self._forgotten = Exercise()

    def heading(self, world_name: str, call: Call, content: Body) -> Heading:
        """Where to write the entries of a call in a world, whose answer has this content."""
        ledger = self._ledgers.get(world_name)
        if ledger is None:
            ledger = self._ledgers[world_name] = Ledger()
        return Heading(ledger, ledger.exercise.tally(call, content), call, call.size)

    def write(self, heading: Heading, request_id: str, started: int) -> None:
        """Remember an exchange that ends now, and count it. `started` is the stopwatch's instant."""
        self._unsorted.append(new_entry((heading, request_id, started, stopwatch(), machine_now_ns())))
        heading.tally.count += 1
        self._size += heading.size
        while self._size > self._budget:
            self._lose_oldest()

    def ledger(self, world_name: str) -> Ledger:
        """What is left of a world's entries."""
        self._sort()
        ledger = self._ledgers.get(world_name)
        return Ledger() if ledger is None else ledger

    def forget(self, world_name: str) -> None:
        """Begin anew for a world that was reset or dropped. What it exercised still counts in the whole."""
        ledger = self._ledgers.pop(world_name, None)
        if ledger is None:
            return
        self._sort()
        ledger.exercise.close()
        self._size -= sum(entry.heading.size for entry in ledger.entries)
        self._hollow += len(ledger.entries)
        ledger.entries.clear()
        self._forgotten.merge(ledger.exercise)
        if self._hollow > _MOST_HOLLOW and self._hollow > len(self._sorted) // 2:
            self._sorted = deque(each for each in self._sorted if each.ledger.entries)
            self._hollow = 0

    def exercises(self) -> tuple[Exercise, dict[str, Exercise]]:
        """What was exercised in all, and in every world that is not forgotten."""
        worlds = {name: ledger.exercise for name, ledger in sorted(self._ledgers.items())}
        whole = Exercise()
        for exercise in (self._forgotten, *worlds.values()):
            whole.merge(exercise)
        return whole, worlds

    def _sort(self) -> None:
        while self._unsorted:
            entry = self._unsorted.popleft()
            entry.heading.ledger.entries.append(entry)
            self._sorted.append(entry.heading)

    def _lose_oldest(self) -> None:
        if not self._sorted:
            self._size -= self._unsorted.popleft().heading.size
            return
        heading = self._sorted.popleft()
        if not heading.ledger.entries:
            self._hollow -= 1
            return
        heading.ledger.entries.popleft()
        self._size -= heading.size
