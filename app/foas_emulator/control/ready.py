"""Large images are written beside the loop to where a world moves into them, which then takes no time."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

from foas_emulator.control.off_loop import LARGE, off_loop
from foas_emulator.world.connections import Connections
from foas_emulator.world.ready import NOTHING_READY, Ready
from foas_emulator.world.registry import Registry
from foas_emulator.world.world import World


@asynccontextmanager
async def made_ready(
    image: bytes | None, registry: Registry, scratch: Connections, *, with_origin: bool = False
) -> AsyncIterator[Ready]:
    """Yield what holds an image, as `Registry.make_ready` does; nothing for an image that is small.

    What no world has taken by the end of the block is removed. Raise `WorldFileError`.
    """
    if image is None or len(image) <= LARGE:
        yield NOTHING_READY
        return
    make = partial(registry.make_ready, image, connections=scratch, with_origin=with_origin)
    ready = await off_loop(len(image), make)
    try:
        yield ready
    finally:
        ready.discard()


@contextmanager
def created_or_opened(registry: Registry, name: str) -> Iterator[World]:
    """Yield a world; if it is created for the block, and that raises anything, there is none afterwards."""
    is_new = not registry.exists(name)
    world = registry.open_or_create(name)
    try:
        yield world
    except BaseException:
        if is_new:
            registry.drop(name)
        raise


async def load(registry: Registry, scratch: Connections, name: str, image: bytes) -> None:
    """Make a world what an image holds; it resets to what it did."""
    async with made_ready(image, registry, scratch) as ready:
        with created_or_opened(registry, name) as world:
            registry.exchange(world, partial(world.load, image), ready)
