"""Work on large documents beside the event loop, which goes on serving meanwhile."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

T = TypeVar("T")

SMALL = 64 * 1024
"""Bytes up to which a document is dealt with at once: handing it over would take longer."""

# One thread: what it works on is nobody else's, and two large documents at a time would only need twice the memory.
_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="documents")


async def off_loop(size: int, work: Callable[[], T]) -> T:
    """Return what `work` returns, done by another thread if the document it works on is large.

    Such work must not touch a world that requests can reach.
    """
    if size <= SMALL:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_worker, partial(work))
