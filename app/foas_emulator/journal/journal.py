"""What was remembered of every world's exchanges, within one budget for all of them."""

from collections import deque
from collections.abc import Iterator

from foas_emulator.gateway.formats import Body
from foas_emulator.journal.coverage import Exercise
from foas_emulator.journal.entries import Entry

_MOST_HOLLOW = 1024


class Ledger:
    """The entries of one world. The oldest of them may be lost to the budget; `lost` says how many are."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque()
        self.lost = 0
        self.exercise = Exercise()

    def numbered(self) -> Iterator[tuple[int, Entry]]:
        """Every entry that is left with its number in this world, from 1 on, in the order of their ends."""
        return enumerate(self.entries, self.lost + 1)


class Journal:
    """The ledgers of all worlds by name. When they outgrow the budget, the oldest entry of all is lost first."""

    def __init__(self, *, budget: int) -> None:
        """`budget` is in bytes, estimated; 0 keeps no entry."""
        self._budget = budget
        self._size = 0
        self._ledgers: dict[str, Ledger] = {}
        self._order: deque[Ledger] = deque()
        """The ledger of every entry, the oldest first. Of `_hollow` places the entry was forgotten."""
        self._hollow = 0
        self._forgotten = Exercise()

    def write(self, world_name: str, entry: Entry, content: Body) -> None:
        """Remember an exchange of a world, and what its answer's content showed."""
        ledger = self._ledgers.get(world_name)
        if ledger is None:
            ledger = self._ledgers[world_name] = Ledger()
        ledger.entries.append(entry)
        ledger.exercise.add(entry, content)
        self._order.append(ledger)
        self._size += entry.size
        while self._size > self._budget:
            self._lose_oldest()

    def ledger(self, world_name: str) -> Ledger:
        """What is left of a world's entries."""
        return self._ledgers.get(world_name) or Ledger()

    def forget(self, world_name: str) -> None:
        """Begin anew for a world that was reset or dropped. What it exercised still counts in the whole."""
        ledger = self._ledgers.pop(world_name, None)
        if ledger is None:
            return
        self._size -= sum(entry.size for entry in ledger.entries)
        self._hollow += len(ledger.entries)
        ledger.entries.clear()
        self._forgotten.merge(ledger.exercise)
        if self._hollow > _MOST_HOLLOW and self._hollow > len(self._order) // 2:
            self._order = deque(each for each in self._order if each.entries)
            self._hollow = 0

    def exercises(self) -> tuple[Exercise, dict[str, Exercise]]:
        """What was exercised in all, and in every world that is not forgotten."""
        worlds = {name: ledger.exercise for name, ledger in sorted(self._ledgers.items())}
        whole = Exercise()
        for exercise in (self._forgotten, *worlds.values()):
            whole.merge(exercise)
        return whole, worlds

    def _lose_oldest(self) -> None:
        ledger = self._order.popleft()
        if not ledger.entries:
            self._hollow -= 1
            return
        self._size -= ledger.entries.popleft().size
        ledger.lost += 1
