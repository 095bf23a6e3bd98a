"""Databases and files that hold a large image before a world moves into them, which then takes no time."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from foas_emulator.control.off_loop import LARGE, off_loop
from foas_emulator.world.connections import Connections
from foas_emulator.world.registry import Registry
from foas_emulator.world.store import Store


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


async def load(registry: Registry, scratch: Connections, name: str, image: bytes) -> None:
    """Make a world what an image holds; it resets to what it did."""
    async with made_ready(image, registry, scratch) as store, ready_files(image, registry) as files:
        world = registry.open_or_create(name)
        if files:
            registry.exchange(world, files[0], partial(world.load, image))
        else:
            world.load(image, store)


@asynccontextmanager
async def ready_files(image: bytes | None, registry: Registry, number: int = 1) -> AsyncIterator[Sequence[Path]]:
    """Files with an image, for a world in files, written off the loop; none for one that is small.

    They are removed unless a world has taken them by the end of the block, or else at the next start. Raise
    `WorldFileError`.
    """
    if image is None or len(image) <= LARGE or registry.is_in_memory:
        yield ()
        return
    files = await off_loop(len(image), lambda: registry.ready_files(image, number))
    try:
        yield files
    finally:
        for file in files:
            file.unlink(missing_ok=True)
