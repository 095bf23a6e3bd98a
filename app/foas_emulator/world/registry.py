"""All worlds of a process: created on first use, found by name."""

import fcntl
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from foas_emulator.world.ids import RequestIds, fresh_seed, seed_of
from foas_emulator.world.settings import WorldSettings
from foas_emulator.world.store import Connections, Store
from foas_emulator.world.world import Handler, World, WorldRow

DEFAULT = "default"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class WorldNameError(ValueError):
    """A name that no world can have."""


class DirectoryInUseError(Exception):
    """Another process keeps its worlds in the same directory."""


class Registry:
    """The worlds of this process, each in memory or, with a directory, in a file of its own there.

    A directory belongs to one process at a time; a second one is refused with `DirectoryInUseError`.
    """

    def __init__(
        self,
        *,
        image: bytes,
        handlers: Mapping[str, Handler],
        connections: Connections,
        defaults: WorldSettings,
        directory: Path | None = None,
    ) -> None:
        self.image = image
        self.defaults = defaults
        self._handlers = handlers
        self._connections = connections
        self._directory = directory
        self._worlds: dict[str, World] = {}
        self._lock = None if directory is None else _lock(directory)
        self._request_ids = RequestIds(fresh_seed())

    def __iter__(self) -> Iterator[World]:
        return iter(list(self._worlds.values()))

    def next_request_id(self) -> str:
        """A request id for an answer that belongs to no world."""
        return self._request_ids.next()

    def find(self, name: str) -> World | None:
        """The world of this name if it exists. Raises `WorldNameError` for a name that none can have."""
        world = self._worlds.get(name)
        if world is not None:
            return world
        if _NAME.fullmatch(name) is None:
            raise WorldNameError(name)
        path = self._path(name)
        return self._open(name) if path is not None and path.exists() else None

    def open(self, name: str) -> World:
        """The world of this name, created from the default image if there is none yet."""
        return self.find(name) or self._open(name)

    def _open(self, name: str) -> World:
        path = self._path(name)
        fresh = path is None or not path.exists()
        store = Store(self._connections, image=self.image, path=path)
        if fresh:
            with store.transaction():
                store.update(WorldRow, {"id": 1}, seed=seed_of(name))
        world = World(name, store, origin=self.image, defaults=self.defaults, handlers=self._handlers)
        self._worlds[name] = world
        return world

    def _path(self, name: str) -> Path | None:
        return None if self._directory is None else self._directory / f"{name}.db"

    def close(self) -> None:
        """Close every world and let the directory go. What was acknowledged is on disk already."""
        for world in self._worlds.values():
            world.close()
        self._worlds.clear()
        if self._lock is not None:
            self._lock.close()


def _lock(directory: Path) -> IO[str]:
    directory.mkdir(parents=True, exist_ok=True)
    handle = (directory / "lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise DirectoryInUseError(
            f"{directory} is in use by another foas-emulator. One process keeps one directory: "
            "stop the other one, or give another --data-dir."
        ) from None
    return handle
