"""Images of whole worlds, for work on them outside the event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, nullcontext
from functools import partial
from typing import Any

from fastapi import Request

from foas_emulator.control.documents import parse_document
from foas_emulator.control.off_loop import LARGE, off_loop
from foas_emulator.seeds.consistency import check_world
from foas_emulator.world.copying import image_of_world
from foas_emulator.world.loop_lock import LoopLock
from foas_emulator.world.registry import Registry
from foas_emulator.world.snapshot import read_snapshot
from foas_emulator.world.store import Store, StoreClosedError
from foas_emulator.world.world import World

_LARGEST_KEPT = 256 * 1024
"""The size in bytes of the largest snapshot whose image is kept."""
_MOST_KEPT = 4
"""The number of snapshots whose images are kept."""

_lock = LoopLock()


@asynccontextmanager
async def one_large_at_a_time(size: int, world: World | None = None) -> AsyncIterator[None]:
    """Let one block that holds large images run at a time; `size` is that of its images. Keep the world open meanwhile.

    Otherwise every request that waits for the thread for large work would hold its images, and would wait for that
    thread again after each of its steps.
    """
    with nullcontext() if world is None else world.in_use():
        async with _lock if size > LARGE else nullcontext():
            yield


async def has_left(request: Request, size: int) -> bool:
    """Whether the client of a request that works on `size` bytes has left; False for small ones, which never wait.

    Its work would delay others for an answer that nobody reads, again and again if the client gives up and retries.
    """
    return size > LARGE and await request.is_disconnected()


def image_of_snapshot(document: Any, registry: Registry) -> bytes:
    """Return the image of the world in a snapshot. Raise `SnapshotError`."""
    return read_snapshot(document, connections=registry.connections, kinds=registry.handlers, check=check_world)


class SnapshotImages:
    """The images of snapshots. The last few small ones are kept: a test suite often restores one before each test."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._kept: dict[tuple[bytes, bool], bytes] = {}

    async def image(self, body: bytes | bytearray, size: int, *, as_yaml: bool) -> bytes:
        """Return the image of the world in a snapshot, which takes the work of `size` bytes to read.

        Raise `ControlError` or `SnapshotError`.
        """
        key = (bytes(body), as_yaml) if len(body) <= _LARGEST_KEPT else None
        if key is not None and key in self._kept:
            return self._kept[key]
        image = await off_loop(
            size, lambda: image_of_snapshot(parse_document(body, as_yaml=as_yaml).value, self._registry)
        )
        if key is not None:
            if len(self._kept) >= _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = image
        return image


async def origin_of_world(registry: Registry, name: str) -> bytes:
    """Return the image that a world resets to, read by a thread: it may be in a file.

    Raise `StoreClosedError` if the world is dropped meanwhile, and `WorldFileError` if its file cannot be read.
    """
    try:
        return await off_loop(registry.origin_size(name), lambda: registry.origin(name), at_once=0)
    except KeyError:
        raise StoreClosedError("the world was dropped") from None


@asynccontextmanager
async def copy_of_world(world: World, registry: Registry) -> AsyncIterator[World]:
    """Yield a copy of a world in memory; close it after the block."""
    image = await image_of_world(world)
    store = await off_loop(len(image), partial(Store, registry.connections, image=image), at_once=LARGE)
    del image
    with closing(registry.detached(world.name, store)) as copy:
        yield copy
        await asyncio.sleep(0)  # an answer was written just now, and to free a large database takes as long
