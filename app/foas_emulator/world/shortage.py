"""What the system may refuse to any process: memory, threads and descriptors."""

import asyncio
import errno
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from foas_emulator.world.loop_lock import LoopLock

P = ParamSpec("P")
T = TypeVar("T")

_threads = LoopLock(2)
"""Each thread that computes may keep the event loop from the interpreter for a while: many would keep it for long."""


def refused_by_system(error: BaseException) -> str | None:
    """Return what the system refused, and what to do about it; None if an error has another cause."""
    if isinstance(error, MemoryError):
        return "The system gives the emulator no more memory: ask again, or let it have more."
    if isinstance(error, RuntimeError) and str(error).startswith("can't start new thread"):
        return "The system gives the emulator no further thread: ask again, or let it have more (ulimit -u, pids.max)."
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return "The system lets the emulator open no further file: ask again, or allow more of them (ulimit -n)."
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return refused_by_system(MemoryError())
    return None


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return the result of work that is done in a thread; at most two threads work at once.

    If the system allows no thread, the work is done here and others wait for it; once there is a thread, it may be done
    a second time.
    """
    async with _threads:
        try:
            return await asyncio.to_thread(work, *args, **kwargs)
        except RuntimeError as error:
            if refused_by_system(error) is None:
                raise
            return work(*args, **kwargs)
