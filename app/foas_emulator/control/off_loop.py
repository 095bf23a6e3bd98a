"""Work on large documents beside the event loop, which goes on serving meanwhile."""

import asyncio
import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

T = TypeVar("T")

SMALL = 2048
"""Bytes up to which a document is dealt with at once: a few dozen resources take a few milliseconds."""

# One thread: what it works on is nobody else's, and two large documents at a time would only need twice the memory.
_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="documents")


async def off_loop(size: int, work: Callable[[], T]) -> T:
    """Return what `work` returns, done by another thread if the document it works on is large.

    Such work must not touch a world that requests can reach.
    """
    if size <= SMALL:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_worker, partial(_uncollected, work))


def _uncollected(work: Callable[[], T]) -> T:
    """Do work that makes many objects and no garbage: looking for some would stop every thread again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return work()
    finally:
        if was_enabled:
            gc.enable()
