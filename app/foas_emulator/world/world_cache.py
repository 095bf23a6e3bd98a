"""A cache for values that other packages keep with a world's rows, each under a typed key of its own."""

from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Slot(Generic[T]):
    """The key of one entry and the type of its value. Slots are compared by identity, so two never share an entry.

    A slot that is `from_rows` has a value that can be read from the world's rows again: a rollback empties it.
    """

    __slots__ = ("from_rows",)

    def __init__(self, *, from_rows: bool) -> None:
        self.from_rows = from_rows


class WorldCache:
    """Values that belong to the present contents of a world. Replacing the contents empties the cache."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[Slot[Any], Any] = {}

    def get(self, slot: Slot[T]) -> T | None:
        """Return the value of a slot, None if it has none."""
        value: T | None = self._values.get(slot)
        return value

    def put(self, slot: Slot[T], value: T) -> T:
        """Give a slot a value; return the value."""
        self._values[slot] = value
        return value

    def discard(self, slot: Slot[Any]) -> None:
        """Empty one slot."""
        self._values.pop(slot, None)

    def discard_from_rows(self) -> None:
        """Empty every slot whose value was read from the rows."""
        self._values = {slot: value for slot, value in self._values.items() if not slot.from_rows}

    def clear(self) -> None:
        """Empty every slot."""
        self._values.clear()
