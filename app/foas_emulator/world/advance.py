"""Moving a world through time: all that comes due on the way happens, each change at its own instant."""

from collections.abc import Callable

from foas_emulator.world.clock import Mode
from foas_emulator.world.world import Change, World


def set_clock(world: World, *, mode: Mode, now: int) -> list[Change]:
    """Show `now` (milliseconds) from here on, running or frozen; answers what came due. Going back undoes nothing."""
    return _move(world, lambda: world.clock.set(mode=mode, now=now))


def advance_by(world: World, by: int) -> list[Change]:
    """Move the clock on by milliseconds; answers what came due."""
    return _move(world, lambda: world.clock.advance(by))


def advance_to(world: World, at: int) -> list[Change]:
    """Move the clock on to an instant in milliseconds; answers what came due."""
    return set_clock(world, mode=world.clock.mode, now=at)


def advance_to_next(world: World) -> list[Change]:
    """Move the clock on to the next pending change and bring it about; without one nothing moves."""
    return [] if world.next_due is None else advance_to(world, world.next_due)


def advance_until_idle(world: World) -> list[Change]:
    """Move the clock on until no change is pending, also none that another one brought about."""
    changes: list[Change] = []
    while world.next_due is not None:
        changes += advance_to(world, world.next_due)
    return changes


def _move(world: World, move: Callable[[], None]) -> list[Change]:
    try:
        with world.transaction():
            move()
            return world.settle()
    except BaseException:
        world.clock.reload()
        raise
