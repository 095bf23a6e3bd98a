"""Return worlds to what they were created from, outside the event loop where that takes long."""

import logging
from collections.abc import Callable
from contextlib import suppress

from foas_emulator.control.images import one_large_at_a_time, origin_of_world
from foas_emulator.control.off_loop import LARGE, off_loop
from foas_emulator.control.staging import staged_image
from foas_emulator.world.connections import Connections
from foas_emulator.world.file_errors import WorldFileError
from foas_emulator.world.file_registry import FileRegistry
from foas_emulator.world.memory_registry import MemoryRegistry
from foas_emulator.world.registry import Registry
from foas_emulator.world.slices import in_slices
from foas_emulator.world.staging import NOTHING_STAGED, Renewal
from foas_emulator.world.store import StoreClosedError

log = logging.getLogger(__name__)


async def reset(registry: Registry, scratch: Connections, name: str) -> None:
    """Reset a world; create it if it does not exist."""
    with suppress(WorldFileError):  # which a reset repairs
        registry.open_existing(name)
    await _reset(registry, scratch, name, in_one_piece=registry.reset)


async def reset_all(registry: Registry, scratch: Connections) -> None:
    """Reset every world, also those after one whose file cannot be written; raise its error in the end."""
    failures: list[WorldFileError] = []
    async for name in in_slices(registry.names()):
        try:
            if registry.peek(name) is not None and registry.origin_size(name) > LARGE:
                await _reset(registry, scratch, name, in_one_piece=registry.reset_existing)
            else:
                await _reset_small_or_closed(registry, scratch, name)
        except WorldFileError as error:
            failures.append(error)
    if failures:
        raise failures[0]


async def start_over(registry: Registry, scratch: Connections, image: bytes) -> list[str]:
    """Change the default image, and replace the worlds made from the previous one; return their names."""
    return [
        renewal.name
        async for renewal in in_slices(registry.replace_image(image))
        if renewal is not None and await _renew(renewal, registry, scratch, image)
    ]


async def _renew(renewal: Renewal, registry: Registry, scratch: Connections, image: bytes) -> bool:
    try:
        if not await off_loop(registry.origin_size(renewal.name), renewal.is_due, at_once=LARGE):
            return False
        async with (
            one_large_at_a_time(len(image)),
            staged_image(image, registry, scratch, name=renewal.name, with_origin=True) as staged,
        ):
            return renewal.replace(staged)
    except WorldFileError as error:  # there is no room for what is staged
        log.warning("world %s does not start over before the seeds change again: %s", renewal.name, error)
        return False


async def _reset(registry: Registry, scratch: Connections, name: str, *, in_one_piece: Callable[[str], None]) -> None:
    world = registry.peek(name)
    async with one_large_at_a_time(0 if world is None else registry.origin_size(name), world):
        beginning = None if world is None else world.beginning
        origin = await _origin(registry, name)
        async with staged_image(origin, registry, scratch, name=name) as staged:
            is_same = registry.peek(name) is world and (world is None or world.beginning is beginning)
            # The default image may have been replaced meanwhile: then what is staged is no longer the world's origin.
            is_kept = not isinstance(registry, MemoryRegistry) or registry.origin(name) is origin
            if is_same and (origin is None or is_kept):
                registry.reset(name, staged)
            else:  # it ended or started over meanwhile
                in_one_piece(name)


async def _reset_small_or_closed(registry: Registry, scratch: Connections, name: str) -> None:
    """Reset a world; write the file of a large one that is closed off the loop, or opening it would do so on it."""
    if isinstance(registry, FileRegistry) and (stamp := registry.origin_stamp(name)) and stamp[0] > LARGE:
        with suppress(StoreClosedError):  # it was dropped meanwhile
            await _reset_closed(registry, scratch, name, stamp)
    else:
        registry.reset_existing(name)


async def _reset_closed(registry: FileRegistry, scratch: Connections, name: str, stamp: tuple[int, int, int]) -> None:
    async with one_large_at_a_time(stamp[0]):
        origin = await origin_of_world(registry, name)
        async with staged_image(origin, registry, scratch, name=name) as staged:
            is_same = registry.origin_stamp(name) == stamp
            registry.reset_existing(name, staged if is_same else NOTHING_STAGED)


async def _origin(registry: Registry, name: str) -> bytes | None:
    """Return the image that an open world resets to; None if it is closed, or if the image cannot be read."""
    try:
        return None if registry.peek(name) is None else await origin_of_world(registry, name)
    except (StoreClosedError, WorldFileError):
        return None
