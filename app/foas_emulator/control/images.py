"""Images of whole worlds, for work on them outside the event loop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from foas_emulator.control.documents import parse_document
from foas_emulator.control.off_loop import LARGE, SMALL, off_loop
from foas_emulator.seeds.consistency import check_world
from foas_emulator.world.copies import copied
from foas_emulator.world.registry import Registry
from foas_emulator.world.snapshot import read_snapshot
from foas_emulator.world.store import Connections, Store, StoreClosedError
from foas_emulator.world.world import World


def image_of_snapshot(body: bytes | bytearray, *, as_yaml: bool, registry: Registry, scratch: Connections) -> bytes:
    """Return the image of the world in a snapshot. Raise `ControlError` or `SnapshotError`."""
    document = parse_document(body, as_yaml=as_yaml).value
    return read_snapshot(document, connections=scratch, kinds=registry.handlers, check=check_world)


async def image_of_world(world: World) -> bytes:
    """Return the image of a world. A large file is read through a connection of its own."""
    path = world.store.path
    size = 0 if path is None else path.stat().st_size
    if path is None or size <= SMALL:
        return world.store.image()
    return await off_loop(size, lambda: _image_of_file(path))


def _image_of_file(path: Path) -> bytes:
    if not path.exists():  # a store would create it
        raise StoreClosedError("the world was dropped or replaced")
    return Store(Connections(), image=b"", path=path).image()


@asynccontextmanager
async def copy_of_world(world: World, registry: Registry) -> AsyncIterator[World]:
    """Yield a copy of a world in memory, and close it after the block; a large copy is made outside the event loop.

    Its image is still copied on the loop, a millisecond for each mebibyte: only the loop touches worlds.
    """
    image = await image_of_world(world)
    if len(image) <= LARGE:
        with copied(world, registry, image=image) as copy:
            yield copy
        return
    store = await off_loop(len(image), lambda: Store(Connections(), image=image))
    copy = World(world.name, store, defaults=registry.defaults, handlers=registry.handlers)
    try:
        yield copy
    finally:
        copy.close()
