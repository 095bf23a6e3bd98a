"""Garbage collection in steps that take milliseconds, for a process that runs only the emulator.

No object that the emulator keeps is part of a reference cycle, so nearly all objects are freed by reference counting,
and only short-lived ones are left to the collector. With Python's settings, however, the collector would scan all
objects whenever they have grown by a quarter: a journal of some ten thousand calls blocked the event loop for 150 ms.
Python walks through all frozen objects even to count them, which took 50 ms after 40,000 calls and longer with every
further one.

A reference cycle that is in use when a step ends is frozen and stays in memory when it becomes garbage. So cycles are
cut where they end (`forget_frames`), an idle process scans everything, and so does a busy one that has taken so much
memory that it may be garbage: Python cannot scan a part of what is frozen.
"""

import gc
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

if sys.platform != "win32":
    import resource

_OLDEST = 2
_THRESHOLDS = 700, 10, 3
"""Objects, and collections of the two younger generations, after which each is scanned: 20,000 objects at most."""
ENOUGH_STEPS = 100
"""Collections of the oldest generation after which some hundred reference cycles may be frozen."""
LOOK_EVERY_S = 60
"""Seconds for which a process must be idle before all objects are scanned."""
_IDLE = 0.01
"""The share of that time for which an idle process may use the processor."""
ENOUGH_MEMORY = 512 * 1024 * 1024
"""The least bytes by which memory grows, and it doubles at least, before a busy process scans all objects."""


class Steps:
    """A callback that the collector calls before and after each collection."""

    def __init__(self) -> None:
        self._steps = 0
        self._worked_before = 0.0
        self._most_memory = _more(peak_memory())

    def __call__(self, phase: str, info: Mapping[str, Any]) -> None:
        if phase == "stop" and info["generation"] == _OLDEST:
            self._steps += 1
            peak = peak_memory()
            if peak > self._most_memory:
                self._most_memory = _more(peak)
                gc.unfreeze()  # the next collection scans everything: some hundred milliseconds, at most every 512 MiB
            else:
                gc.freeze()

    def look_at_everything_if_idle(self, worked: float) -> None:
        """Collect reference cycles that became garbage after they were frozen, if nobody seems to wait for an answer.

        That takes a third of a second after a long test suite. Call it every `LOOK_EVERY_S` with the seconds of
        processor time that the process has used so far.
        """
        is_idle = worked - self._worked_before < _IDLE * LOOK_EVERY_S
        self._worked_before = worked
        if is_idle and self._steps >= ENOUGH_STEPS:
            self._steps = 0
            gc.unfreeze()
            gc.collect()


def peak_memory() -> int:
    """Return the most bytes that this process has had in memory, 0 where the system does not say."""
    if sys.platform != "win32":
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return 0


def _more(memory: int) -> int:
    return max(2 * memory, memory + ENOUGH_MEMORY)


def forget_frames(error: BaseException | None) -> None:
    """Let go of all that the traceback of an error refers to, once it was answered and nobody is to see it.

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
