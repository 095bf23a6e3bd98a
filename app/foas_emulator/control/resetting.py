"""Return worlds to what they were created from, outside the event loop where that takes long."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from foas_emulator.control.images import one_large_at_a_time, origin_of_world
from foas_emulator.control.off_loop import LARGE, off_loop
from foas_emulator.control.staging import staged_image
from foas_emulator.world.file_errors import WorldFileError
from foas_emulator.world.file_registry import FileRegistry
from foas_emulator.world.memory_registry import MemoryRegistry
from foas_emulator.world.registry import Registry
from foas_emulator.world.slices import in_slices
from foas_emulator.world.staging import NOTHING_STAGED, Renewal
from foas_emulator.world.store import StoreClosedError
from foas_emulator.world.world import World

log = logging.getLogger(__name__)


async def reset(registry: Registry, name: str) -> None:
    """Reset a world; create it if it does not exist."""
    world = None
    with suppress(WorldFileError):  # which a reset repairs
        world = registry.open_existing(name)
    if world is not None and registry.origin_size(name) > LARGE:
        await _reset_large(registry, world, in_one_piece=registry.reset)
        return
    with suppress(WorldFileError):  # `Registry.reset` knows what becomes of a lost origin
        if world is None and await _reset_large_closed(registry, name):
            return
    registry.reset(name)


async def reset_all(registry: Registry) -> None:
    """Reset every world, also those after one whose file cannot be written; raise its error in the end."""
    failures: list[WorldFileError] = []
    async for name in in_slices(registry.names()):
        try:
            world = registry.peek(name)
            with _lost_replaced(registry, name):
                if world is not None and registry.origin_size(name) > LARGE:
                    await _reset_large(registry, world, in_one_piece=registry.reset_existing)
                elif not await _reset_large_closed(registry, name):
                    registry.reset_existing(name)
        except WorldFileError as error:
            failures.append(error)
    if failures:
        raise failures[0]


@contextmanager
def _lost_replaced(registry: Registry, name: str) -> Iterator[None]:
    """Replace a closed world whose origin the block finds lost by one of the default image, as `reset` does."""
    try:
        yield
    except WorldFileError as error:
        if not isinstance(registry, FileRegistry):
            raise
        registry.replace_lost(name, error)


async def start_over(registry: Registry, image: bytes) -> list[str]:
    """Change the default image, and replace the worlds made from the previous one; return their names."""
    return [
        renewal.name
        async for renewal in in_slices(registry.replace_image(image))
        if await _renew(renewal, registry, image)
    ]


async def _renew(renewal: Renewal, registry: Registry, image: bytes) -> bool:
    try:
        if not await off_loop(registry.origin_size(renewal.name), renewal.is_due, at_once=LARGE):
            return False
        async with (
            one_large_at_a_time(len(image)),
            staged_image(image, registry, name=renewal.name, with_origin=True) as staged,
        ):
            return renewal.replace(staged)
    except WorldFileError as error:  # there is no room for what is staged
        log.warning("world %s does not start over before the seeds change again: %s", renewal.name, error)
        return False


async def _reset_large(registry: Registry, world: World, *, in_one_piece: Callable[[str], None]) -> None:
    """Reset an open world to a staged origin; `in_one_piece` if the world has ended or started over meanwhile."""
    name = world.name
    async with one_large_at_a_time(registry.origin_size(name), world):
        beginning, origin = world.beginning, None
        with suppress(StoreClosedError, WorldFileError):  # `reset` knows what becomes of a lost one
            origin = await origin_of_world(registry, name)
        async with staged_image(origin, registry, name=name) as staged:
            # The default image may have been replaced meanwhile: then what is staged is no longer the world's origin.
            is_kept = origin is None or not isinstance(registry, MemoryRegistry) or registry.origin(name) is origin
            if is_kept and registry.holds(world) and world.beginning is beginning:
                registry.reset(name, staged)
            else:
                in_one_piece(name)


async def _reset_large_closed(registry: Registry, name: str) -> bool:
    """Reset a world in a file that is closed, whose opening would write it on the event loop; False for any other."""
    stamp = registry.origin_stamp(name) if isinstance(registry, FileRegistry) else None
    if not isinstance(registry, FileRegistry) or stamp is None or stamp[0] <= LARGE:
        return False
    async with one_large_at_a_time(stamp[0]):
        with suppress(StoreClosedError):  # it was dropped meanwhile
            origin = await origin_of_world(registry, name)
            async with staged_image(origin, registry, name=name) as staged:
                is_same = registry.origin_stamp(name) == stamp
                registry.reset_existing(name, staged if is_same else NOTHING_STAGED)
    return True
