"""The time of a world. The only module that reads the machine's clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema
from sqlmodel import Field

from foas_emulator.world.durations import LONGEST, PATTERN, duration
from foas_emulator.world.instants import LAST_INSTANT
from foas_emulator.world.store import Store
from foas_emulator.world.tables import Row, equal

Mode = Literal["real", "frozen"]


class ClockRangeError(ValueError):
    """An instant for a clock is outside the years 1970 to 9999."""

    def __init__(self) -> None:
        super().__init__("a clock shows the years 1970 to 9999 and cannot be moved out of them")


class ClockIsAheadError(ValueError):
    """A clock cannot move on to an instant that it has passed already."""


def machine_now() -> int:
    """Return the machine's time in milliseconds since the epoch, for uses that must not follow a world's clock."""
    return time.time_ns() // 1_000_000


machine_now_ns = time.time_ns
"""The machine's time in nanoseconds since the epoch."""

stopwatch = time.perf_counter_ns
"""A monotonic instant in nanoseconds, for measuring durations."""

processor_time = time.process_time
"""The processor time that this process has used, in seconds."""


def _check_duration(value: Any) -> Any:
    duration(value)
    return value


WRITTEN_DURATION: dict[str, Any] = {
    "type": ["string", "number"],
    "pattern": f"^{PATTERN}$",
    "minimum": 0,
    "maximum": LONGEST // 1000,
    "description": "A duration such as 500ms, 30s, 4m59s, 1h or 3d; a bare number is seconds.",
    "examples": ["30s"],
}
"""The JSON Schema of a duration."""

WrittenDuration = Annotated[str | float, BeforeValidator(_check_duration), WithJsonSchema(WRITTEN_DURATION)]
"""A duration in a document, as its author wrote it; `duration` reads it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The state of a clock: ahead of the machine's by an offset, or frozen at an instant."""

    offset_ms: int
    frozen_at: int | None

    def at(self, machine_ms: int) -> int:
        """Return the clock's time when the machine's is `machine_ms`; a running clock stops at `LAST_INSTANT`."""
        now = machine_ms + self.offset_ms if self.frozen_at is None else self.frozen_at
        return min(max(now, 0), LAST_INSTANT)


class ClockRow(Row, table=True):
    """The one row that stores a world's clock: its offset to the machine's, or the instant at which it is frozen."""

    __tablename__ = "clock"

    id: int = Field(default=1, primary_key=True)
    mode: str = "real"
    offset_ms: int = 0
    frozen_at: int = 0

    def reading(self) -> Reading:
        """Return the state in this row."""
        return Reading(self.offset_ms, self.frozen_at if self.mode == "frozen" else None)


class Clock:
    """A world's time in milliseconds: the machine's plus an offset, or frozen. It is stored in the world's database.

    `reads` counts how often the time was read, so that a caller can find out whether a result depends on it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: int | None = None
        self.reads = 0
        self.reading = Reading(offset_ms=0, frozen_at=None)

    def reload(self) -> None:
        """Read the state from the database, initially and after its contents were replaced or rolled back."""
        self.reading = (self._store.get(ClockRow, equal(ClockRow.id, 1)) or ClockRow.model_construct()).reading()

    @property
    def mode(self) -> Mode:
        return "real" if self.reading.frozen_at is None else "frozen"

    @property
    def offset_ms(self) -> int:
        """The time by which this clock is ahead of the machine's, in milliseconds."""
        machine_ms = machine_now()
        return self.reading.at(machine_ms) - machine_ms

    def now(self) -> int:
        """Return the time in milliseconds since the epoch; while a change is settled, the instant of that change."""
        self.reads += 1
        return self.peek()

    def peek(self) -> int:
        """Return the time without counting a read: for deciding what is due, never for anything that a client gets."""
        if self._held is not None:
            return self._held
        return self.reading.at(machine_now())

    def second(self) -> int:
        """Return the time in milliseconds, truncated to whole seconds like all times of the service."""
        return self.now() // 1000 * 1000

    def set(self, *, mode: Mode, now: int) -> None:
        """Set the clock to `now` (milliseconds), running or frozen. Belongs inside a transaction.

        Raise `ClockRangeError` for an instant outside the years 1970 to 9999.
        """
        if not 0 <= now <= LAST_INSTANT:
            raise ClockRangeError
        offset = now - machine_now() if mode == "real" else 0
        self.put(Reading(offset, now if mode == "frozen" else None))

    def ahead(self, by: int) -> Reading:
        """Return this clock's state moved on by milliseconds. Raise `ClockRangeError` beyond the year 9999."""
        reading = self.reading
        if not 0 <= self.peek() + by <= LAST_INSTANT:
            raise ClockRangeError
        if reading.frozen_at is None:
            return Reading(reading.offset_ms + by, None)
        return Reading(0, reading.frozen_at + by)

    def put(self, reading: Reading) -> None:
        """Set the state of this clock. Belongs inside a transaction."""
        mode = "real" if reading.frozen_at is None else "frozen"
        row = ClockRow.model_construct(mode=mode, offset_ms=reading.offset_ms, frozen_at=reading.frozen_at or 0)
        self._store.delete(ClockRow, equal(ClockRow.id, 1))
        self._store.insert(row)
        self.reading = reading

    @contextmanager
    def held_at(self, instant_ms: int) -> Iterator[None]:
        """Hold the clock at one instant inside the block, so that a change gets the time at which it was due."""
        before, self._held = self._held, instant_ms
        try:
            yield
        finally:
            self._held = before
