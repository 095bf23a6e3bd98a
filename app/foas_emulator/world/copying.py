"""The image of a whole world, taken while requests use the world."""

import asyncio
import logging
import sqlite3

from foas_emulator.world import online_backup
from foas_emulator.world.store import LARGE
from foas_emulator.world.world import World

log = logging.getLogger(__name__)


async def image_of_world(world: World) -> bytes:
    """Return the image of a world; a large one is taken by another thread while requests use the world.

    Raise `StoreClosedError` if the world is dropped, reset or replaced meanwhile.
    """
    store = world.store
    if store.size <= LARGE or not online_backup.IS_POSSIBLE:
        return store.image()
    try:
        with world.in_use():
            return await asyncio.to_thread(store.image_beside)
    except (OSError, RuntimeError, sqlite3.Error) as error:  # no room for a file, or no thread
        log.warning("world %s is copied in one piece, which others wait for: %s", world.name, error)
        return store.image()
