"""Move a world through time: apply every change that becomes due on the way, each at its own instant.

A move over many changes is done in slices, each a transaction, and other requests are served between two slices. The
clock moves slice by slice too, so that a request between two slices sees the world at an instant on the way.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from foas_emulator.world.clock import ClockIsAheadError, ClockRangeError, Mode, Reading
from foas_emulator.world.instants import LAST_INSTANT
from foas_emulator.world.store import StoreClosedError
from foas_emulator.world.world import SettledChange, World

SLICE = 50
"""The most changes to settle in one transaction: a few milliseconds' work."""


async def settle(world: World) -> list[SettledChange]:
    """Settle everything that is due now, once nobody holds the world; return the changes. On return nothing is due."""
    changes: list[SettledChange] = []
    if world.is_held or not world.is_settled:
        async with world.settling:
            await _settle(world, changes)
    return changes


@asynccontextmanager
async def held(world: World) -> AsyncIterator[None]:
    """Settle a world; until the end of the block, let all other tasks wait that would settle it or move its clock."""
    async with world.settling:
        await _settle(world, [])
        world.is_held = True
        try:
            yield
        finally:
            world.is_held = False


async def set_clock(world: World, *, mode: Mode | None = None, now: int | None = None) -> list[SettledChange]:
    """Set the clock to `now` (milliseconds), running or frozen; return what came due. Going back undoes nothing.

    None keeps the mode or the time that the clock has when its turn comes. Raise `ClockRangeError` for an instant
    outside the years 1970 to 9999.
    """
    if now is not None and not 0 <= now <= LAST_INSTANT:
        raise ClockRangeError
    async with world.settling:
        until = world.clock.peek() if now is None else now
        return await _move(world, until=until, mode=mode or world.clock.mode)


async def advance_by(world: World, by: int) -> list[SettledChange]:
    """Move the clock on by milliseconds; return what came due. Raise `ClockRangeError` beyond the year 9999."""
    async with world.settling:
        final = world.clock.ahead(by)
        return await _move(world, until=world.clock.peek() + by, mode=world.clock.mode, final=final)


async def advance_to(world: World, at: int) -> list[SettledChange]:
    """Move the clock on to an instant in milliseconds; return what came due. Raise `ClockRangeError` as `set_clock`.

    Raise `ClockIsAheadError` if the clock is past the instant already.
    """
    if at > LAST_INSTANT:
        raise ClockRangeError
    async with world.settling:
        if at < world.clock.peek():
            raise ClockIsAheadError
        return await _move(world, until=at, mode=world.clock.mode)


async def advance_to_next(world: World) -> list[SettledChange]:
    """Move the clock on to the next pending change and apply it. If there is none, do nothing.

    Raise `ClockRangeError` if it lies beyond the year 9999; such a change may not even be possible.
    """
    async with world.settling:
        if world.next_due is None:
            return []
        if world.next_due > LAST_INSTANT:
            raise ClockRangeError
        return await _move(world, until=max(world.next_due, world.clock.peek()), mode=world.clock.mode)


async def advance_until_idle(world: World) -> list[SettledChange]:
    """Move the clock on until no change is pending, including those that other changes schedule.

    Raise `ClockRangeError` if a change lies beyond the year 9999; the changes before it have been applied then.
    """
    changes: list[SettledChange] = []
    async with world.settling:
        beginning = world.beginning
        while world.next_due is not None:
            if world.next_due > LAST_INSTANT:
                raise ClockRangeError
            with world.transaction():
                changes += _settle_slice(world, until=LAST_INSTANT, mode=world.clock.mode)
            await _let_others(world, beginning)
        await _settle(world, changes)
    return changes


async def _move(world: World, *, until: int, mode: Mode, final: Reading | None = None) -> list[SettledChange]:
    """Settle up to an instant, slice by slice, then set the clock to `final` or, without it, to the instant."""
    changes: list[SettledChange] = []
    beginning = world.beginning
    is_there = False
    while not is_there:
        with world.transaction():
            settled = _settle_slice(world, until=until, mode=mode)
            is_there = world.next_due is None or world.next_due > until
            if is_there and final is not None:
                world.clock.put(final)
            elif is_there:
                world.clock.set(mode=mode, now=until)
        changes += settled
        if not is_there:
            await _let_others(world, beginning)
    await _settle(world, changes)
    return changes


async def _let_others(world: World, beginning: object) -> None:
    """Let other requests be served. Raise `StoreClosedError` if one of them has replaced or reset the world."""
    await asyncio.sleep(0)
    if world.beginning is not beginning:
        raise StoreClosedError("the world was replaced or reset while its clock was moved")


def _settle_slice(world: World, *, until: int, mode: Mode) -> list[SettledChange]:
    """Settle the next changes that are due at an instant, and move the clock to the last of them."""
    settled = world.settle(until=until, most=SLICE)
    if settled and settled[-1].at > world.clock.peek():
        world.clock.set(mode=mode, now=settled[-1].at)
    return settled


async def _settle(world: World, changes: list[SettledChange]) -> None:
    """Settle what is due now, and append it to `changes`. On return nothing is due."""
    while not world.is_settled:
        changes += world.settle(most=SLICE)
        if not world.is_settled:
            await asyncio.sleep(0)
