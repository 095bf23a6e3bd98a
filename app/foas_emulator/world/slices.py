"""Long work on the event loop, cut into slices between which other requests are served."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import TypeVar
from weakref import WeakSet

from foas_emulator.world.clock import stopwatch
from foas_emulator.world.store import StoreClosedError
from foas_emulator.world.world import World

T = TypeVar("T")

SLICE_NS = 5_000_000
"""Nanoseconds after which other requests get their turn."""


class _Work:
    """One piece of work that is under way."""


_under_way: WeakSet[_Work] = WeakSet()


async def in_slices(items: Iterable[T]) -> AsyncGenerator[T, None]:
    """Yield each item; let other requests be served whenever the work on items has taken a few milliseconds.

    Thirty requests that work in slices have one slice each in a turn of the loop, so they share the time of one.
    """
    work = _Work()
    _under_way.add(work)
    began = stopwatch()
    for item in items:
        yield item
        if stopwatch() - began > SLICE_NS / len(_under_way):
            await asyncio.sleep(0)
            began = stopwatch()


async def read_in_slices(world: World, items: Iterable[T]) -> AsyncGenerator[T, None]:
    """Yield items of a world as `in_slices` does, and keep the world open.

    Raise `StoreClosedError` if a request that was served meanwhile has replaced or reset the world.
    """
    beginning = world.beginning
    with world.in_use():
        async for item in in_slices(items):
            if world.beginning is not beginning:
                raise StoreClosedError("the world was replaced or reset")
            yield item
