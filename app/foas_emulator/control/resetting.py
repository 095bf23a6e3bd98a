"""Return worlds to what they were created from, outside the event loop where that takes long."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from foas_emulator.control.images import one_large_at_a_time, origin_of_world
from foas_emulator.control.off_loop import LARGE, off_loop
from foas_emulator.control.staging import staged_image
from foas_emulator.world.file_errors import WorldFileError
from foas_emulator.world.registry import Registry
from foas_emulator.world.slices import in_slices
from foas_emulator.world.staging import NOTHING_STAGED, Renewal, StagedImage
from foas_emulator.world.store import StoreClosedError

log = logging.getLogger(__name__)


async def reset(registry: Registry, name: str) -> None:
    """Reset a world; create it if it does not exist."""
    with suppress(WorldFileError):  # which a reset repairs
        registry.open_existing(name)
    await _reset(registry, name, registry.reset)


async def reset_all(registry: Registry) -> None:
    """Reset every world, also those after one whose file cannot be written; raise its error in the end."""
    failures: list[WorldFileError] = []
    async for name in in_slices(registry.names()):
        try:
            await _reset(registry, name, registry.reset_existing)
        except WorldFileError as error:
            failures.append(error)
    if failures:
        raise failures[0]


async def _reset(registry: Registry, name: str, reset_by: Callable[[str, StagedImage], None]) -> None:
    """Reset a world by a method of its registry, which is given the origin staged if that is large."""
    try:
        async with _staged_origin(registry, name) as staged:
            reset_by(name, staged)
    except WorldFileError as error:
        registry.replace_lost(name, error)


@asynccontextmanager
async def _staged_origin(registry: Registry, name: str) -> AsyncIterator[StagedImage]:
    """Stage the image that a world resets to if it is large, unless that becomes another one meanwhile."""
    size = registry.origin_size(name)
    if size <= LARGE:
        yield NOTHING_STAGED
        return
    async with one_large_at_a_time(size, registry.peek(name)):
        stamp, origin = registry.origin_stamp(name), None
        with suppress(StoreClosedError):  # it is dropped meanwhile
            origin = await origin_of_world(registry, name)
        async with staged_image(origin, registry, name=name) as staged:
            yield staged if registry.origin_stamp(name) == stamp else NOTHING_STAGED


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
