"""Choose the open worlds to close or drop: those idle for too long, or the least recently used one to make room."""

from collections.abc import Collection, Iterable, Iterator

from foas_emulator.world.clock import stopwatch
from foas_emulator.world.names import DEFAULT
from foas_emulator.world.slices import SLICE_NS
from foas_emulator.world.world import World

EXPIRE_AT_ONCE = 100
"""The most worlds to expire at a time: a few milliseconds' work; the others expire at the next check.

Fewer if they take longer: to give back the memory of a large one alone takes that long.
"""
CLOSE_AT_ONCE = 3
"""The same for worlds in files: closing one writes it to the disk, and everybody waits for that."""


class Expiry:
    """The time, in milliseconds, after which a world that nobody uses expires; with 0 none does."""

    def __init__(self, idle: int, *, at_once: int = EXPIRE_AT_ONCE) -> None:
        self._idle = idle * 1_000_000
        self._at_once = at_once
        self._first = 0

    def due(self, worlds: Collection[World]) -> Iterator[World]:
        """Yield worlds that have been idle for too long, to be closed or dropped now."""
        now = stopwatch()
        if not self._idle or now < self._first:
            return
        found = [world for world in _removable(worlds) if self._end(world) <= now]
        later = (self._end(world) for world in _removable(worlds) if self._end(world) > now)
        self._first = min(later, default=now + self._idle)
        began = stopwatch()  # else to look through very many would leave no time for any
        for number, world in enumerate(found):
            if number == self._at_once or stopwatch() - began > SLICE_NS:
                self._first = now
                return
            yield world

    def _end(self, world: World) -> int:
        return world.last_used + self._idle


def least_recently_used(worlds: Iterable[World]) -> World | None:
    """Return the world to close first to make room, None if all are in use."""
    return min(_removable(worlds), key=lambda world: world.last_used, default=None)


def _removable(worlds: Iterable[World]) -> Iterator[World]:
    return (world for world in worlds if world.name != DEFAULT and not world.is_in_use)
