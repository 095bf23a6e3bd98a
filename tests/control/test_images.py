"""Images of worlds that are in files, read beside the event loop."""

import asyncio
from pathlib import Path
from threading import Event

import pytest

from foas_emulator.control.images import image_of_world
from foas_emulator.control.off_loop import SMALL, off_loop
from foas_emulator.main import open_registry
from foas_emulator.settings import Settings
from foas_emulator.world.store import StoreClosedError


def test_a_world_that_is_dropped_before_it_is_read_leaves_no_file_behind(tmp_path: Path) -> None:
    registry = open_registry(Settings(data_dir=tmp_path))
    may_begin = Event()

    async def read_what_is_dropped() -> None:
        before = asyncio.create_task(off_loop(SMALL + 1, lambda: may_begin.wait(60)))
        await asyncio.sleep(0)
        image = asyncio.create_task(image_of_world(registry.open_or_create("mine")))
        await asyncio.sleep(0)
        registry.drop("mine")
        may_begin.set()
        assert await before
        with pytest.raises(StoreClosedError):
            await image

    asyncio.run(read_what_is_dropped())
    registry.close()
    assert not list(tmp_path.glob("mine*"))
