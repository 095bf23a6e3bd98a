"""Stage large images: write them beside the event loop to where a world can move into them in no time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from foas_emulator.control.off_loop import LARGE, off_loop
from foas_emulator.world.connections import Connections
from foas_emulator.world.registry import Registry
from foas_emulator.world.staging import NOTHING_STAGED, StagedImage


@asynccontextmanager
async def staged_image(
    image: bytes | None, registry: Registry, scratch: Connections, *, with_origin: bool = False
) -> AsyncIterator[StagedImage]:
    """Stage an image as `Registry.stage` does, unless it is small.

    What no world has taken by the end of the block is removed. Raise `WorldFileError`.
    """
    if image is None or len(image) <= LARGE:
        yield NOTHING_STAGED
        return
    make = partial(registry.stage, image, connections=scratch, with_origin=with_origin)
    staged = await off_loop(len(image), make)
    try:
        yield staged
    finally:
        staged.discard()


async def load(registry: Registry, scratch: Connections, name: str, image: bytes) -> None:
    """Replace the contents of a world by an image; its origin stays the same."""
    async with staged_image(image, registry, scratch) as staged:
        world = registry.open_or_create(name)
        registry.exchange(world, partial(world.load, image), staged)
