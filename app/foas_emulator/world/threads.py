"""Work in threads, for what takes too long on the event loop."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from foas_emulator.world.loop_lock import LoopLock
from foas_emulator.world.shortage import refused_by_system

P = ParamSpec("P")
T = TypeVar("T")

_threads = LoopLock(2)
"""Each thread that computes may keep the event loop from the interpreter for a while: many would keep it for long."""


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
