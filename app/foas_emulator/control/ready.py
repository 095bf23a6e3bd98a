"""Databases that are loaded with a large image before a world moves into them, which is then fast."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from foas_emulator.control.off_loop import LARGE, off_loop
from foas_emulator.world.registry import Registry
from foas_emulator.world.store import Connections, Store


@asynccontextmanager
async def made_ready(image: bytes | None, registry: Registry, scratch: Connections) -> AsyncIterator[Store | None]:
    """Yield a database in memory, loaded with an image outside the loop; None if it is small or worlds are in files.

    Close the database after the block unless a world has moved into it.
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
