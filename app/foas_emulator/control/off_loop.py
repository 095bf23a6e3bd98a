"""Work on large documents in threads, while the event loop continues to serve."""

import asyncio
import gc
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

from foas_emulator.garbage import freeze_if_in_steps

T = TypeVar("T")

SMALL = 2048
"""The largest document, in bytes, to process on the loop: a few dozen resources take a few milliseconds."""
LARGE = 1024 * 1024
"""The size in bytes above which documents have a thread of their own, so that smaller ones need not wait for them."""
UNKNOWN = LARGE + 1
"""The size of what is not known before it is read or made: it may be large."""


class _Worker:
    """A daemon thread that does one task after another; it does not keep a stopping process alive."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._works: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._starting = Lock()
        self._thread: Thread | None = None

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Queue a task; it is not begun if its future is cancelled before.

        Raise RuntimeError if the system allows no thread for it; the next call asks for one again.
        """
        with self._starting:
            if self._thread is None:
                thread = Thread(target=self._run, name=self._name, daemon=True)
                thread.start()
                self._thread = thread
        future: Future[T] = Future()
        self._works.put((future, work))
        return future

    def _run(self) -> None:
        while True:
            self._do(*self._works.get())

    @staticmethod
    def _do(future: "Future[T]", work: Callable[[], T]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            done = work()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            future.set_exception(error)
            del future, work  # this frame is part of the error, which would hold itself, and the document
        else:
            future.set_result(done)


# One thread each, because two large documents at a time would need twice the memory.
_small, _large = _Worker("small documents"), _Worker("large documents")


async def off_loop(
    size: int, work: Callable[[], T], *, at_once: int = SMALL, discard: Callable[[T], None] | None = None
) -> T:
    """Return the result of `work`, run in another thread if it works on more than `at_once` bytes.

    Such work must not touch a world that requests can reach. `discard` is called with a result that nobody gets: a
    thread goes on when what waits for it is cancelled.
    """
    if size <= at_once:
        return work()
    worker = _small if size <= LARGE else _large
    future = worker.submit(partial(_uncollected, work))
    try:
        return await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        if discard is not None:
            future.add_done_callback(partial(_discarded, discard))
        raise
    finally:
        del future  # as in `_do`


def _discarded(discard: Callable[[T], None], future: "Future[T]") -> None:
    if not future.cancelled() and future.exception() is None:
        discard(future.result())


_uncollecting = Lock()
_at_work = 0
_was_enabled = False


def _uncollected(work: Callable[[], T]) -> T:
    """Do work without garbage collection, which would stop all threads to scan the many objects that it makes."""
    _stop_collecting()
    try:
        return work()
    finally:
        _go_on_collecting()


def _stop_collecting() -> None:
    global _at_work, _was_enabled  # noqa: PLW0603 - the collector is the process's, too
    with _uncollecting:
        if not _at_work:
            _was_enabled = gc.isenabled()
            gc.disable()
        _at_work += 1


def _go_on_collecting() -> None:
    global _at_work  # noqa: PLW0603 - as above
    with _uncollecting:
        _at_work -= 1
        if not _at_work and _was_enabled:
            freeze_if_in_steps()
            gc.enable()
