"""A lock for an application that may serve in several event loops, one after another."""

import asyncio
from weakref import WeakKeyDictionary


class LoopLock:
    """A lock that so many tasks of an event loop may hold at once, usable in several loops.

    A lock of asyncio belongs to the first loop in which a task waits for it, and raises RuntimeError in all others.
    """

    __slots__ = ("_locks", "_most")

    def __init__(self, most: int = 1) -> None:
        self._most = most
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    def locked(self) -> bool:
        """Whether another task would have to wait for it."""
        return any(lock.locked() for lock in self._locks.values())

    async def __aenter__(self) -> None:
        await self._locks.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(self._most)).acquire()

    async def __aexit__(self, *_: object) -> None:
        self._locks[asyncio.get_running_loop()].release()
