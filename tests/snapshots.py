"""Snapshots of worlds, as documents that can be compared."""

from typing import Any

from foas_emulator.world.connections import Connections
from foas_emulator.world.snapshot import snapshot_of_image
from foas_emulator.world.world import World

_CONNECTIONS = Connections()


def take_snapshot(world: World) -> dict[str, Any]:
    """A snapshot of a world, whose rows can be read again and again."""
    with snapshot_of_image(world.store.image(), connections=_CONNECTIONS) as document:
        return {**document, "tables": {name: list(rows) for name, rows in document["tables"].items()}}
