"""Free the parts of large documents one by one, in a thread.

Python frees a list together with everything that only this list holds, and nothing else runs meanwhile: half a second
for a few mebibytes of lists in lists.
"""

import weakref
from collections.abc import Iterable
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

MANY = 10_000
"""More parts than are freed in a millisecond."""


def free_with(owner: object, *parts: list[Any] | dict[Any, Any]) -> None:
    """Free parts one by one, from the last to the first, once nothing refers to their owner any more.

    A part must come after the parts in it, so that none of them is freed together with it. The owner must not be among
    the parts, or it would never end. A part that something else refers to stays.
    """
    large = [each for each in parts if len(each) > MANY]
    if large:
        _thread.begin()
        weakref.finalize(owner, _thread.free, large).atexit = False


def free(parts: list[Any] | dict[Any, Any]) -> None:
    """Empty a list or a mapping from its end."""
    while parts:
        if isinstance(parts, list):
            parts.pop()
        else:
            parts.popitem()


class _FreeingThread:
    """A daemon thread: owners may end on the event loop."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Iterable[list[Any] | dict[Any, Any]]] = SimpleQueue()
        self._starting = Lock()
        self._is_begun = False

    def begin(self) -> None:
        """Start the thread, unless it runs; where the system allows none, the next call tries again."""
        with self._starting:
            if not self._is_begun:
                with suppress(RuntimeError):
                    Thread(target=self._run, name="freeing", daemon=True).start()
                    self._is_begun = True

    def free(self, parts: Iterable[list[Any] | dict[Any, Any]]) -> None:
        """Free parts; a collection of garbage may call this anywhere, also while a thread starts: it waits for none."""
        self._waiting.put(parts)

    def _run(self) -> None:
        while True:
            for each in self._waiting.get():
                free(each)


_thread = _FreeingThread()
