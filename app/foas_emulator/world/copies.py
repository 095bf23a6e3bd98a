"""Copies of worlds, for trials that must not change the world itself."""

from collections.abc import Iterator
from contextlib import contextmanager

from foas_emulator.world.registry import Registry
from foas_emulator.world.store import Store
from foas_emulator.world.world import World


@contextmanager
def copied(world: World, registry: Registry, *, image: bytes | None = None) -> Iterator[World]:
    """Yield a copy of a world in memory, with its own contents or another image; close the copy after the block."""
    store = Store(registry.connections, image=world.store.image() if image is None else image)
    copy = World(world.name, store, defaults=registry.defaults, handlers=registry.handlers)
    try:
        yield copy
    finally:
        copy.close()
