"""Garbage collection in steps that take milliseconds, for a process that runs only the emulator.

No object that the emulator keeps is part of a reference cycle, so nearly all objects are freed by reference counting,
and only short-lived ones are left to the collector. With Python's settings, however, the collector would scan all
objects whenever they have grown by a quarter: a journal of some ten thousand calls blocked the event loop for 150 ms.
"""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_OLDEST = 2
_THRESHOLDS = 700, 10, 3
"""Objects, and collections of the two younger generations, after which each is scanned: 20,000 objects at most."""
MOST_FROZEN = 2_000_000
"""Frozen objects after which all are scanned for reference cycles, and again whenever their number has doubled."""


@contextmanager
def in_steps() -> Iterator[None]:
    """Collect in steps inside the block: freeze all present objects, and the survivors of each full collection."""
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
    """A callback that the collector calls before and after each collection."""

    def __init__(self) -> None:
        self._most = MOST_FROZEN

    def __call__(self, phase: str, info: Mapping[str, Any]) -> None:
        if phase != "stop" or info["generation"] != _OLDEST:
            return
        if gc.get_freeze_count() > self._most:
            gc.unfreeze()  # the next collection of the oldest generation scans everything
            self._most *= 2
        else:
            gc.freeze()
