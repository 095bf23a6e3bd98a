"""The database of the next world is prepared after a world was created, without any visible effect."""

import asyncio
from pathlib import Path

import pytest

from foas_emulator.settings import Settings
from foas_emulator.world.registry import Registry
from foas_emulator.world.store import Store
from foas_emulator.worlds import open_registry
from tests.api import dump
from tests.machine_clock import MachineClock


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path | None]:
    """Where the databases are that were opened."""
    real, paths = Store.__init__, []

    def noted(self: Store, *given: object, path: Path | None = None, **options: object) -> None:
        paths.append(path)
        real(self, *given, path=path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "__init__", noted)
    return paths


def in_a_server(registry: Registry, *names: str) -> None:
    """Make worlds as requests do, one after the other."""

    async def make() -> None:
        for name in names:
            registry.create_or_replace(name)
            await asyncio.sleep(0)

    asyncio.run(make())


def test_the_next_world_takes_the_database_that_was_laid_ready(opened: list[Path | None]) -> None:
    registry = open_registry(Settings())
    del opened[:]
    in_a_server(registry, "one", "two", "three")
    assert len(opened) == 4, "a database for each of them, and one for the next"
    registry.create_or_replace("four")
    assert len(opened) == 4
    registry.create_or_replace("five")
    assert len(opened) == 5, "without a server nothing is prepared"
    registry.close()


def test_a_prepared_world_is_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    MachineClock().install(monkeypatch)
    registry = open_registry(Settings())
    in_a_server(registry, "one")
    prepared, other = registry.create_or_replace("two"), open_registry(Settings()).create_or_replace("two")
    assert dump(prepared) == dump(other)
    assert prepared.next_request_id() == other.next_request_id()
    registry.close()


def test_a_world_from_another_image_does_not_take_it() -> None:
    registry = open_registry(Settings())
    in_a_server(registry, "one")
    empty = open_registry(Settings(seed=("empty",))).image
    assert registry.create_or_replace("two", empty).store.counts()["jobs"] == 0
    assert registry.create_or_replace("three").store.counts()["jobs"] > 0
    registry.close()


def test_worlds_in_files_are_not_prepared(opened: list[Path | None], tmp_path: Path) -> None:
    registry = open_registry(Settings(data_dir=tmp_path))
    del opened[:]
    in_a_server(registry, "one", "two")
    assert opened == [tmp_path / "one.db", tmp_path / "two.db"]
    registry.close()


def test_nothing_is_prepared_after_the_end(opened: list[Path | None]) -> None:
    registry = open_registry(Settings())

    async def end() -> None:
        registry.create_or_replace("one")
        registry.close()
        del opened[:]
        await asyncio.sleep(0)

    asyncio.run(end())
    assert opened == []


def test_a_world_is_made_where_there_is_no_memory_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(_: Store) -> None:
        raise MemoryError

    registry, failed = open_registry(Settings()), list[object]()

    async def make() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context))
        registry.create_or_replace("alice")
        monkeypatch.setattr(Store, "prepare", out_of_memory)
        await asyncio.sleep(0)
        registry.create_or_replace("bob")

    asyncio.run(make())
    assert (failed, registry.names()) == ([], ["alice", "bob", "default"])
    registry.close()
