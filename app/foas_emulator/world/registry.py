"""All worlds of a process by name: created on first use, reset to what they were created from."""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from foas_emulator.world.clock import stopwatch
from foas_emulator.world.ids import fresh_seed, request_id, request_numbers
from foas_emulator.world.images import ImageBudget, KeptImage
from foas_emulator.world.settings import WorldSettings
from foas_emulator.world.store import Connections, Store, write_file
from foas_emulator.world.world import Handler, World

if TYPE_CHECKING:
    from filelock import BaseFileLock

DEFAULT = "default"
"""The world of a request that names none. It never expires."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

log = logging.getLogger(__name__)


class WorldNameError(ValueError):
    """A name that no world can have."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} cannot name a world: use 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit."
        )


class WorldLimitError(Exception):
    """No further world may be open at a time."""


class DirectoryInUseError(Exception):
    """Another process keeps its worlds in the same directory."""


class Registry:
    """The worlds of this process, each in memory or, with a directory, in a file of its own there.

    A directory belongs to one process at a time; a second one gets `DirectoryInUseError`. At most `max_worlds` are open
    at a time. A world that was not used for `idle` milliseconds expires when another has to be opened: in memory it is
    dropped, in a file it is closed and opens again when a request names it. With an `idle` of 0 none expires.
    """

    def __init__(
        self,
        *,
        image: bytes,
        handlers: Mapping[str, Handler],
        connections: Connections,
        defaults: WorldSettings,
        directory: Path | None = None,
        max_worlds: int = 2000,
        idle: int = 0,
        image_bytes: int = 256 * 1024 * 1024,
    ) -> None:
        self.image = image
        self.handlers = handlers
        self.connections = connections
        self.defaults = defaults
        self._directory = directory
        self._max_worlds = max_worlds
        self._idle = idle * 1_000_000
        self._first_expiry = 0
        self._worlds: dict[str, World] = {}
        self.images = ImageBudget(limit=image_bytes)
        self._origins: dict[str, KeptImage] = {}
        self._ready: Store | None = None
        self._is_closed = False
        self._lock = None if directory is None else _lock(directory)
        self._requests = request_numbers(fresh_seed())
        self._watchers: list[Callable[[str], None]] = []

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Call `watcher` with the name of every world that is reset, replaced or dropped from now on."""
        self._watchers.append(watcher)

    def next_request_id(self) -> str:
        """Return a request id for a response that belongs to no world."""
        return request_id(next(self._requests))

    # -- finding

    def names(self) -> list[str]:
        """Return the names of all worlds, open or not, in order."""
        in_files = () if self._directory is None else (path.stem for path in self._directory.glob("*.origin"))
        return sorted({*self._worlds, *in_files})

    def last_used(self, name: str) -> int | None:
        """Return the `stopwatch` instant of a world's last use, None if it is not open."""
        world = self._worlds.get(name)
        return None if world is None else world.last_used

    def holds(self, world: World) -> bool:
        """Whether a world is open: neither dropped nor expired since it was returned."""
        return self._worlds.get(world.name) is world

    def open_existing(self, name: str) -> World | None:
        """Return the world of this name, opened if it is in a file and closed; None if it does not exist.

        Raise `WorldNameError` for a name that no world can have, and `WorldLimitError` if it is closed and no further
        world may be open.
        """
        world = self._worlds.get(name)
        if world is not None:
            world.last_used = stopwatch()
            return world
        if not self._is_in_file(name):
            return None
        self._make_room()
        return self._open(name)

    def open_or_create(self, name: str) -> World:
        """Return the world of this name, created from the default image if it does not exist.

        Raise the errors of `open_existing`.
        """
        return self.open_existing(name) or self._create(name, self.image)

    # -- beginnings and ends

    def create_or_replace(self, name: str, image: bytes | None = None) -> World:
        """Create a world from an image, the default one if none is given, or replace the one of this name.

        Raise `ImageBudgetError` if the image cannot be kept for resets, and the errors of `open_existing`.
        """
        image = self.image if image is None else image
        world = self.open_existing(name)
        if world is None:
            return self._create(name, image)
        self._keep_origin(name, image)
        world.load(image)
        self._notify(name)
        return world

    def reset(self, name: str) -> None:
        """Reset a world to what it was created from; create it if it does not exist."""
        self.open_or_create(name).load(self._origin(name))
        self._notify(name)

    def replace_image(self, image: bytes) -> list[str]:
        """Create new worlds from another image, replace those made from the one before; return their names.

        A world that is in a file and closed stays closed.
        """
        replaced = [name for name in self.names() if self._origin(name) == self.image]
        self.image = image
        if self._ready is not None:
            self._ready.close()
            self._ready = None
        for name in replaced:
            path = self._path(name)
            if name in self._worlds or path is None:
                self.create_or_replace(name)
            else:
                self._keep_origin(name, image)
                _unlink(path)
                self._notify(name)
        return replaced

    def reset_all(self) -> None:
        """Reset every world to what it was created from; one that is in a file and closed stays closed."""
        for name in self.names():
            path = self._path(name)
            if name in self._worlds or path is None:
                self.reset(name)
            else:
                _unlink(path)
                self._notify(name)

    def drop(self, name: str) -> bool:
        """Remove a world and its file; return whether it existed."""
        if name not in self._worlds and not self._is_in_file(name):
            return False
        if name in self._worlds:
            self._worlds.pop(name).close()
        self._origins.pop(name, None)
        path, origin = self._path(name), self._origin_path(name)
        if path is not None and origin is not None:
            origin.unlink()  # first: without it there is no such world, whatever else is left behind
            _unlink(path)
        self._notify(name)
        return True

    def prewarm(self) -> None:
        """Prepare the database of the next world in memory that is created from the default image.

        Most of the time that a new world takes is spent by SQLite on reading the schema.
        """
        if self._ready is None and self._directory is None and not self._is_closed:
            self._ready = Store(self.connections, image=self.image)
            self._ready.prepare()

    def close(self) -> None:
        """Close every world and release the directory. Everything that was acknowledged is on disk already."""
        self._is_closed = True
        if self._ready is not None:
            self._ready.close()
        for world in self._worlds.values():
            world.close()
        self._worlds.clear()
        if self._lock is not None:
            self._lock.release()

    def _create(self, name: str, image: bytes) -> World:
        self._make_room()
        path = self._path(name)
        if path is not None:
            _unlink(path)
        self._keep_origin(name, image)
        world = self._open(name)
        self._prewarm_soon()
        return world

    def _prewarm_soon(self) -> None:
        """Prewarm after the present request. Without an event loop there is none, and nothing is prepared."""
        with suppress(RuntimeError):
            asyncio.get_running_loop().call_soon(self.prewarm)

    def _open(self, name: str) -> World:
        store = self._take_ready(name) or Store(self.connections, image=self._origin(name), path=self._path(name))
        world = World(name, store, defaults=self.defaults, handlers=self.handlers)
        world.last_used = stopwatch()
        self._worlds[name] = world
        return world

    def _take_ready(self, name: str) -> Store | None:
        if name in self._origins:
            return None
        store, self._ready = self._ready, None
        return store

    def _notify(self, name: str) -> None:
        for watcher in self._watchers:
            watcher(name)

    # -- what a world was created from

    def _origin(self, name: str) -> bytes:
        path = self._origin_path(name)
        if path is not None:
            return path.read_bytes()
        origin = self._origins.get(name)
        return self.image if origin is None else origin.content

    def _keep_origin(self, name: str, image: bytes) -> None:
        path = self._origin_path(name)
        if path is not None:
            write_file(path, image)
        elif image is self.image:
            self._origins.pop(name, None)
        else:
            self._origins[name] = self.images.keep(image)

    def _is_in_file(self, name: str) -> bool:
        """Whether a file holds this world. Raises `WorldNameError`."""
        if _NAME.fullmatch(name) is None:
            raise WorldNameError(name)
        path = self._origin_path(name)
        return path is not None and path.exists()

    def _path(self, name: str) -> Path | None:
        return None if self._directory is None else self._directory / f"{name}.db"

    def _origin_path(self, name: str) -> Path | None:
        return None if self._directory is None else self._directory / f"{name}.origin"

    # -- how many, how long

    def expire(self) -> None:
        """Close or drop the worlds whose time is over, and log each."""
        now = stopwatch()
        if not self._idle or now < self._first_expiry:
            return
        for world in list(self._worlds.values()):
            if world.name != DEFAULT and world.last_used + self._idle <= now:
                self._let_go(world)
        used = (world.last_used for world in self._worlds.values() if world.name != DEFAULT)
        self._first_expiry = min(used, default=now) + self._idle

    def _let_go(self, world: World) -> None:
        if self._directory is None:
            log.info("world %s was idle for too long and is dropped; the setting world_idle changes that", world.name)
            self.drop(world.name)
        else:
            log.info("world %s was idle for too long and is closed; its file stays", world.name)
            self._worlds.pop(world.name).close()

    def _make_room(self) -> None:
        self.expire()
        if len(self._worlds) >= self._max_worlds:
            raise WorldLimitError(
                f"{len(self._worlds)} worlds are open, and no more may be: DELETE /_emulator/worlds/NAME ends one, "
                "the settings max_worlds and world_idle allow more or let idle ones go sooner."
            )


def _unlink(path: Path) -> None:
    """Remove a database file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _lock(directory: Path) -> "BaseFileLock":
    # Imported here: most servers keep their worlds in memory, and it takes a twentieth of a start.
    from filelock import FileLock, Timeout  # noqa: PLC0415

    directory.mkdir(parents=True, exist_ok=True)
    # Shared by threads: a server in a thread takes the lock in one and gives it back in another.
    lock = FileLock(directory / "lock", timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise DirectoryInUseError(
            f"{directory} is in use by another foas-emulator. One process keeps one directory: "
            "stop the other one, or give another --data-dir."
        ) from None
    return lock
