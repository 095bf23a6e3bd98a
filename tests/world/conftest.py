"""Worlds without anything of the service in them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from foas_emulator.world.clock import machine_now
from foas_emulator.world.connections import Connections
from foas_emulator.world.file_registry import FileRegistry
from foas_emulator.world.ids import Counter
from foas_emulator.world.memory_registry import MemoryRegistry
from foas_emulator.world.pending import PendingChange
from foas_emulator.world.registry import Registry, RegistryOptions
from foas_emulator.world.settings import WorldSettings
from foas_emulator.world.staging import StagedImage
from foas_emulator.world.store import Store
from foas_emulator.world.world import World, WorldRow


@pytest.fixture(scope="session")
def connections() -> Connections:
    return Connections()


@pytest.fixture(scope="session")
def template(connections: Connections) -> bytes:
    """The image of a world that holds nothing."""
    store = Store(connections, image=connections.empty_image)
    with store.transaction():
        store.insert(WorldRow(template_at=machine_now()))
    image = store.image()
    store.close()
    return image


@pytest.fixture
def store(connections: Connections, data_dir: Path | None) -> Iterator[Store]:
    if data_dir is not None:
        data_dir.mkdir()
    opened = Store(
        connections, image=connections.empty_image, path=None if data_dir is None else data_dir / "worlds.db"
    )
    yield opened
    opened.close()


def ring(world: World, change: PendingChange) -> None:
    """Keep the instant at which a bell rang; one that is told to rings again."""
    world.store.insert(Counter(name=f"{change.key} rang at {world.now()}", value=1))
    again = change.read_details().get("again")
    if again:
        world.schedule("ring", change.subject, at=world.now() + again)


def break_(world: World, change: PendingChange) -> None:
    world.store.insert(Counter(name=f"{change.key} was touched", value=1))
    raise RuntimeError("it broke")


HANDLERS = {"bell": ring, "vase": break_}


@pytest.fixture
def open_registry(
    connections: Connections, template: bytes, data_dir: Path | None
) -> Iterator[Callable[..., Registry]]:
    opened: list[Registry] = []

    def open_(*, directory: Path | None = data_dir, max_files: int | None = None, **options: Any) -> Registry:
        usual: dict[str, Any] = {
            "image": template,
            "max_worlds": 2000,
            "idle": 0,
            "image_bytes": 2**28,
            "world_bytes": 2**32,
        }
        given = RegistryOptions(
            handlers=HANDLERS,
            connections=connections,
            defaults=WorldSettings(),
            check=lambda _: None,
            **(usual | options),
        )
        registry = MemoryRegistry(given) if directory is None else FileRegistry(directory, given, max_files=max_files)
        opened.append(registry)
        return registry

    yield open_
    for registry in opened:
        registry.close()


@pytest.fixture
def registry(open_registry: Callable[..., Registry]) -> Registry:
    return open_registry()


@pytest.fixture
def world(registry: Registry) -> World:
    return registry.open_or_create("alice")


def mark(world: World, name: str = "mark") -> None:
    """Write something of this name into a world."""
    with world.transaction():
        world.store.insert(Counter(name=name, value=1))


def stage(registry: Registry, image: bytes, *, with_origin: bool = False) -> StagedImage:
    """What holds an image for a world of the registry."""
    return registry.stage(image, origin=image if with_origin else None)


def rung(world: World) -> list[str]:
    return [counter.name for counter in world.store.find(Counter) if counter.name != "pending_change"]
