"""Databases that hold a large image before a world moves into them, which then takes no time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from foas_emulator.control.off_loop import LARGE, off_loop
from foas_emulator.world.connections import Connections
from foas_emulator.world.registry import Registry
from foas_emulator.world.store import Store


@asynccontextmanager
async def made_ready(image: bytes | None, registry: Registry, scratch: Connections) -> AsyncIterator[Store | None]:
    """A database in memory with an image, copied there off the loop; None for one that is small or goes into a file.

    It is closed unless a world has moved into it by the end of the block.
    """
    if image is None or len(image) <= LARGE or not registry.is_in_memory:
        yield None
        return
    store = await off_loop(len(image), lambda: Store(scratch, image=image))
    try:
        yield store
    finally:
        if not any((world := registry.peek(name)) and world.store is store for name in registry.names()):
            store.close()
