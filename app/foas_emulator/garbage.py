"""Garbage collection in steps that take milliseconds, for a process that is all the emulator's.

Nothing the emulator keeps refers to itself in a circle, so that nearly everything is freed the moment nobody refers to
it. What is left for the collector is short-lived. As Python has it, though, the collector would look at all there is
whenever that has grown by a quarter: a journal of some ten thousand calls held the event loop for 150 ms.
"""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_OLDEST = 2
_THRESHOLDS = 700, 10, 3
"""Objects, and collections of the two younger generations, after which each is looked at: 20,000 objects at most."""
MOST_FROZEN = 2_000_000
"""Objects that are left alone. Circles among them are looked for once there are so many, and whenever they double."""


@contextmanager
def in_steps() -> Iterator[None]:
    """Collect, and leave alone what there is by now and what a collection of the oldest generation leaves over."""
    thresholds = gc.get_threshold()
    steps = _Steps()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    gc.callbacks.append(steps)
    gc.enable()
    try:
        yield
    finally:
        gc.callbacks.remove(steps)
        gc.set_threshold(*thresholds)


class _Steps:
    """Called by the collector before and after each collection."""

    def __init__(self) -> None:
        self._most = MOST_FROZEN
        self._room = self._most

    def __call__(self, phase: str, info: Mapping[str, Any]) -> None:
        if phase != "stop" or info["generation"] != _OLDEST:
            return
        self._room -= len(gc.get_objects(_OLDEST))
        if self._room <= 0 and self._are_too_many():
            gc.unfreeze()  # the next collection of the oldest generation looks at everything
        else:
            gc.freeze()

    def _are_too_many(self) -> bool:
        """Whether so many are left alone that they want a look.

        Counting them holds everybody up for ten milliseconds or more, as it walks through all of them. So it is done
        only when as many were frozen since the last time as there was room for; many of those may be gone.
        """
        count = gc.get_freeze_count()
        are_too_many = count > self._most
        if are_too_many:
            self._most *= 2
            count = 0
        self._room = self._most - count
        return are_too_many
