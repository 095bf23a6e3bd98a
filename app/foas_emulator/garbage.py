"""Garbage collection in steps that take milliseconds, for a process that runs only the emulator.

No object that the emulator keeps is part of a reference cycle, so nearly all objects are freed by reference counting,
and only short-lived ones are left to the collector. With Python's settings, however, the collector would scan all
objects whenever they have grown by a quarter: a journal of some ten thousand calls blocked the event loop for 150 ms.
Python walks through all frozen objects even to count them, which took 50 ms after 40,000 calls and longer with every
further one.

A reference cycle that is in use when a step ends is frozen, and stays in memory when it becomes garbage, until the
process is idle: Python cannot scan a part of what is frozen. So cycles are cut where they end (`forget_frames`).
"""

import gc
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_OLDEST = 2
_THRESHOLDS = 700, 10, 3
"""Objects, and collections of the two younger generations, after which each is scanned: `MANY` objects at most."""
MANY = 20_000
"""Objects that are scanned in a few milliseconds."""
_MOST_SCANNED = 3 * MANY
"""Objects that may be left to the collector; between two documents there are those of one, and `MANY` others."""
ENOUGH_STEPS = 100
"""Collections of the oldest generation after which some hundred reference cycles may be frozen."""
LOOK_EVERY_S = 60
"""Seconds for which a process must be idle before all objects are scanned."""
_IDLE = 0.01
"""The share of that time for which an idle process may use the processor."""
_MOST_ANSWERED = 2 * LOOK_EVERY_S
"""Requests that an idle process may answer in that time. One that gets no processor works little, but is not idle."""


class Steps:
    """A callback that the collector calls before and after each collection."""

    def __init__(self) -> None:
        self._steps = 0
        self._worked_before = 0.0
        self._answered_before = 0

    def __call__(self, phase: str, info: Mapping[str, Any]) -> None:
        if phase == "stop" and info["generation"] == _OLDEST:
            self.freeze()

    def freeze(self) -> None:
        """Keep all present objects from the collector."""
        self._steps += 1
        gc.freeze()

    def look_at_everything_if_idle(self, worked: float, answered: int) -> None:
        """Collect reference cycles that became garbage after they were frozen, if nobody seems to wait for an answer.

        That takes a third of a second after a long test suite. Call it every `LOOK_EVERY_S` with the seconds of
        processor time that the process has used so far, and the number of requests that it has answered.
        """
        has_worked = worked - self._worked_before >= _IDLE * LOOK_EVERY_S
        is_idle = not has_worked and answered - self._answered_before <= _MOST_ANSWERED
        self._worked_before, self._answered_before = worked, answered
        if is_idle and self._steps >= ENOUGH_STEPS:
            self._steps = 0
            gc.unfreeze()
            gc.collect()


def freeze_if_in_steps() -> None:
    """Freeze all present objects if this process collects in steps, and those of a large document are among them.

    To scan them would take long, as would those of many small documents that wait for their turn at the same time.
    Where there are few, they are left to the collector: what is garbage among them would stay until the process is
    idle.
    """
    if gc.get_count()[0] <= MANY and _scanned_by_all_steps() <= _MOST_SCANNED:
        return
    for each in gc.callbacks:
        if isinstance(each, Steps):
            each.freeze()


def _scanned_by_all_steps() -> int:
    return sum(len(gc.get_objects(generation)) for generation in range(_OLDEST + 1))


def forget_frames(error: BaseException | None) -> None:
    """Release everything that the traceback of an error refers to, once the error has been answered.

    A frame that refers to the error that passed through it is a reference cycle, with the whole request in it.
    """
    while error is not None and error.__traceback__ is not None:
        traceback.clear_frames(error.__traceback__)
        error.__traceback__ = None
        error = error.__context__


@contextmanager
def in_steps() -> Iterator[Steps]:
    """Collect in steps inside the block: freeze all present objects, and the survivors of each full collection."""
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
