"""Garbage collection in steps that take milliseconds, for a process that is all the emulator's.

Nothing the emulator keeps refers to itself in a circle, so that nearly everything is freed the moment nobody refers to
it. What is left for the collector is short-lived. As Python has it, though, the collector would look at all there is
whenever that has grown by a quarter: a journal of some ten thousand calls held the event loop for 150 ms. Even to count
what is frozen Python walks through all of it, which took 50 ms after 40,000 calls and longer with every further one.
"""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_OLDEST = 2
_THRESHOLDS = 700, 10, 3
"""Objects, and collections of the two younger generations, after which each is looked at: 20,000 objects at most."""
ENOUGH_STEPS = 100
"""Collections of the oldest generation after which some hundred circles may be among what is frozen."""
LOOK_EVERY_S = 60
"""Seconds that a process has to do next to nothing before everything is looked at."""
_IDLE = 0.01
"""The part of that time in which a process that does next to nothing works."""


class Steps:
    """Called by the collector before and after each collection."""

    def __init__(self) -> None:
        self._steps = 0
        self._worked_before = 0.0

    def __call__(self, phase: str, info: Mapping[str, Any]) -> None:
        if phase == "stop" and info["generation"] == _OLDEST:
            self._steps += 1
            gc.freeze()

    def look_at_everything_if_idle(self, worked: float) -> None:
        """Collect the circles that were frozen before nobody referred to them, if nobody seems to wait for an answer.

        That takes a third of a second for what a long test suite leaves. To be called every `LOOK_EVERY_S` with the
        seconds of processor time that the process has taken by then.
        """
        is_idle = worked - self._worked_before < _IDLE * LOOK_EVERY_S
        self._worked_before = worked
        if is_idle and self._steps >= ENOUGH_STEPS:
            self._steps = 0
            gc.unfreeze()
            gc.collect()


@contextmanager
def in_steps() -> Iterator[Steps]:
    """Collect, and leave alone what there is by now and what a collection of the oldest generation leaves over."""
    thresholds = gc.get_threshold()
    steps = Steps()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    gc.callbacks.append(steps)
    gc.enable()
    try:
        yield steps
    finally:
        gc.callbacks.remove(steps)
        gc.set_threshold(*thresholds)
