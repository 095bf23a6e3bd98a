"""Images of worlds in use; large ones are taken by another thread."""

import asyncio
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import pytest

from foas_emulator.world import copying, online_backup
from foas_emulator.world.copying import image_of_world
from foas_emulator.world.expiry import Expiry
from foas_emulator.world.ids import Counter
from foas_emulator.world.store import Store, StoreClosedError
from tests.api import Api, dump, open_api


@pytest.fixture
def api(data_dir: Path | None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """An emulator to which every world is a large one."""
    monkeypatch.setattr(copying, "LARGE", 0)
    monkeypatch.setattr(online_backup, "PAGES", 1)
    with open_api(data_dir=data_dir) as api:
        yield api


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> tuple[Event, Event]:
    """Set when a first part of a world was read, and what lets the rest be read."""
    paused, may_go_on = Event(), Event()

    def pause(_: float) -> None:
        paused.set()
        assert may_go_on.wait(60)

    monkeypatch.setattr(online_backup, "sleep", pause)
    return paused, may_go_on


def rows_of(api: Api, image: bytes) -> Any:
    with closing(api.registry.detached(api.world.name, Store(api.registry.connections, image=image))) as copy:
        return dump(copy)


needs_threads = pytest.mark.skipif(not online_backup.IS_POSSIBLE, reason="this SQLite is for one thread")


@needs_threads
def test_requests_use_a_world_while_its_image_is_taken(api: Api, pauses: tuple[Event, Event]) -> None:
    paused, may_go_on = pauses
    world = api.world

    async def write_meanwhile() -> bytes:
        taking = asyncio.create_task(image_of_world(world))
        assert await asyncio.to_thread(paused.wait, 60)
        with world.transaction():
            world.store.insert(Counter(name="meanwhile", value=1))
        assert not taking.done()
        may_go_on.set()
        return await taking

    image = asyncio.run(write_meanwhile())
    assert rows_of(api, image) == dump(world)


@needs_threads
def test_a_world_whose_image_is_taken_does_not_expire(api: Api, pauses: tuple[Event, Event]) -> None:
    paused, may_go_on = pauses
    registry = api.registry
    registry._expiry = Expiry(idle=1)
    world = registry.open_or_create("mine")

    async def expire_meanwhile() -> None:
        taking = asyncio.create_task(image_of_world(world))
        assert await asyncio.to_thread(paused.wait, 60)
        world.last_used = 0
        registry.expire()
        assert registry.holds(world)
        may_go_on.set()
        await taking

    asyncio.run(expire_meanwhile())
    world.last_used = 0
    registry._expiry = Expiry(idle=1)
    registry.expire()
    assert not registry.holds(world)


@needs_threads
@pytest.mark.parametrize("end", ["drop", "reset", "create_or_replace"])
def test_a_world_that_ends_meanwhile_is_refused_and_leaves_nothing_behind(
    api: Api, monkeypatch: pytest.MonkeyPatch, temporary: Path, end: str
) -> None:
    store = api.registry.open_or_create("mine").store
    paused = Event()

    def wait_for_the_end(_: float) -> None:
        paused.set()
        for _ in range(20_000):
            if store._backup._is_ending:
                return
            sleep(0.001)

    monkeypatch.setattr(online_backup, "sleep", wait_for_the_end)

    async def end_meanwhile() -> None:
        taking = asyncio.create_task(image_of_world(api.registry.open_or_create("mine")))
        assert await asyncio.to_thread(paused.wait, 60)
        getattr(api.registry, end)("mine")
        with pytest.raises(StoreClosedError, match="dropped, reset or replaced"):
            await taking

    asyncio.run(end_meanwhile())
    assert list(temporary.iterdir()) == []
    assert (api.registry.peek("mine") is None) is (end == "drop")


@needs_threads
def test_a_world_that_ends_before_its_turn_is_refused_too(api: Api, temporary: Path) -> None:
    may_begin = Event()

    async def end_before() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        before = asyncio.create_task(asyncio.to_thread(may_begin.wait, 60))
        await asyncio.sleep(0)
        taking = asyncio.create_task(image_of_world(api.registry.open_or_create("mine")))
        await asyncio.sleep(0)
        api.registry.drop("mine")
        may_begin.set()
        assert await before
        with pytest.raises(StoreClosedError):
            await taking

    asyncio.run(end_before())
    assert list(temporary.iterdir()) == []


def test_where_it_cannot_be_taken_by_a_thread_it_is_taken_in_one_piece(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    rows = dump(api.world)
    assert rows_of(api, asyncio.run(image_of_world(api.world))) == rows
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert rows_of(api, asyncio.run(image_of_world(api.world))) == rows
    assert "copied in one piece" in caplog.text
    caplog.clear()
    monkeypatch.setattr(online_backup, "IS_POSSIBLE", False)
    assert rows_of(api, asyncio.run(image_of_world(api.world))) == rows
    assert caplog.text == ""


def test_a_small_world_is_copied_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Store) -> bytes:
        raise AssertionError("that would take longer")

    monkeypatch.setattr(Store, "image_beside", refuse)
    with open_api() as api:
        copying = image_of_world(api.world)
        with pytest.raises(StopIteration) as ended:
            copying.send(None)  # it waits for nothing
        assert ended.value.value == api.world.store.image()
