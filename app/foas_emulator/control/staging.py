"""Stage large images: write them outside the event loop, so that a world only has to take them over."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace

from foas_emulator.control.off_loop import LARGE, off_loop
from foas_emulator.world.connections import Connections
from foas_emulator.world.registry import Registry
from foas_emulator.world.staging import NOTHING_STAGED, StagedImage
from foas_emulator.world.store import Store
from foas_emulator.world.world import World, leave_template


@asynccontextmanager
async def staged_image(
    image: bytes | None, registry: Registry, *, name: str, with_origin: bool = False
) -> AsyncIterator[StagedImage]:
    """Stage an image for a world of this name as `Registry.stage` does, unless it is small.

    `with_origin` is for a world that is created or replaced, and will reset to this image.
    What no world has taken by the end of the block is removed. Raise `WorldFileError`.
    """
    if image is None or len(image) <= LARGE:
        yield NOTHING_STAGED
        return

    def make() -> StagedImage:
        database, postponed_by = _begun(image, registry.connections, name)
        staged = registry.stage(database, origin=image if with_origin else None)
        return replace(staged, postponed_by=postponed_by)

    staged = await off_loop(len(image), make, discard=StagedImage.discard)
    try:
        yield staged
    finally:
        staged.discard()


def _begun(image: bytes, connections: Connections, name: str) -> tuple[bytes, int]:
    """Return an image as that of a world which begins now, and by how much its pending changes were postponed.

    A world that leaves a template itself writes all of them in one piece. What is no template stays as it is.
    """
    with closing(Store(connections, image=image)) as store:
        revision = store.revision
        postponed_by = leave_template(store, name)
        return (image if store.revision is revision else store.own_image()), postponed_by


@contextmanager
def created_or_opened(registry: Registry, name: str) -> Iterator[World]:
    """Yield a world, which is created if it does not exist, and then dropped again if the block raises anything."""
    is_new = not registry.exists(name)
    world = registry.open_or_create(name)
    try:
        yield world
    except BaseException:
        if is_new:
            registry.drop(name)
        raise


async def load(registry: Registry, name: str, image: bytes) -> None:
    """Replace the contents of a world by an image; its origin stays the same."""
    async with staged_image(image, registry, name=name) as staged:
        with created_or_opened(registry, name) as world:
            registry.exchange(world, world.load, image, staged)
