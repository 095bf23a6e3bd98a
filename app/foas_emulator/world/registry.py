"""All worlds of a process by name: created on first use, and reset to the images from which they were created."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from foas_emulator.world.clock import stopwatch
from foas_emulator.world.connections import Connections
from foas_emulator.world.expiry import Expiry, least_recently_used
from foas_emulator.world.file_errors import WorldFileError, naming, raise_for_file
from foas_emulator.world.files import WorldFiles
from foas_emulator.world.ids import fresh_seed, request_id, request_numbers
from foas_emulator.world.images import ImageBudget, KeptImage
from foas_emulator.world.names import WorldLimitError, check_name
from foas_emulator.world.settings import WorldSettings
from foas_emulator.world.store import Store
from foas_emulator.world.world import Handler, World

log = logging.getLogger(__name__)


class Registry:
    """The worlds of this process, each in memory or, with a directory, in a file of its own there.

    A directory belongs to one process at a time; a second one gets `DirectoryInUseError`. At most `max_worlds` are open
    at a time. A world that was not used for `idle` milliseconds expires when another has to be opened: in memory it is
    dropped, in a file it is closed and opened again when a request names it. With an `idle` of 0 none expires. At most
    `max_files` worlds in files are open at a time: opening one more closes the least recently used one.
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
        max_files: int | None = None,
    ) -> None:
        self.image = image
        self.handlers = handlers
        self.connections = connections
        self.defaults = defaults
        self._files = None if directory is None else WorldFiles(directory)
        self._max_files = max_files
        self._max_worlds = max_worlds
        self._expiry = Expiry(idle)
        self._worlds: dict[str, World] = {}
        self.images = ImageBudget(limit=image_bytes)
        self._origins: dict[str, KeptImage] = {}
        self._ready: Store | None = None
        self._is_closed = False
        self._requests = request_numbers(fresh_seed())
        self._requests_of: dict[str, Iterator[int]] = {}
        self._watchers: list[Callable[[str], None]] = []

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Call `watcher` with the name of every world that is reset, replaced or dropped from now on."""
        self._watchers.append(watcher)

    def next_request_id(self) -> str:
        """Return a request id for a response that belongs to no world."""
        return request_id(next(self._requests))

    def names(self) -> list[str]:
        """Return the names of all worlds, open or not, in order."""
        return sorted(self._worlds if self._files is None else self._files.names())

    def exists(self, name: str) -> bool:
        """Whether there is a world of this name, open or not. Raise `WorldNameError` for one that no world can have."""
        check_name(name)
        return name in (self._worlds if self._files is None else self._files)

    def last_used(self, name: str) -> int | None:
        """Return the `stopwatch` instant of a world's last use, None if it is not open."""
        world = self._worlds.get(name)
        return None if world is None else world.last_used

    def peek(self, name: str) -> World | None:
        """Return the world of this name if it is open, without counting this as a use."""
        return self._worlds.get(name)

    def origin(self, name: str) -> bytes:
        """Return the image to which a world is reset. Raise `WorldFileError` if its file cannot be read."""
        return self._origin(name) if self._files is None else self._files.origin(name)

    def origin_size(self, name: str) -> int:
        """Return how many bytes the image has to which a world is reset, 0 if it cannot be read."""
        return len(self._origin(name)) if self._files is None else self._files.origin_size(name)

    def holds(self, world: World) -> bool:
        """Whether a world is open: neither dropped nor expired since it was returned."""
        return self._worlds.get(world.name) is world

    def open_existing(self, name: str) -> World | None:
        """Return the world of this name, after opening its file if it is closed; None if it does not exist.

        Raise `WorldNameError` for a name that no world can have, `WorldLimitError` if it is closed and no further world
        may be open, and `WorldFileError` if its file cannot be used.
        """
        world = self._worlds.get(name)
        if world is not None:
            world.last_used = stopwatch()
            return world
        if not self.exists(name):
            return None
        self._make_room()
        return self._open(name)

    def open_or_create(self, name: str) -> World:
        """Return the world of this name, made of the default image if there is none. Raise as `open_existing` does."""
        return self.open_existing(name) or self._create(name, self.image)

    # -- beginnings and ends

    @property
    def is_in_memory(self) -> bool:
        """Whether worlds are kept in memory rather than in files."""
        return self._files is None

    def ready_files(self, image: bytes, number: int) -> Sequence[Path]:
        """Return so many files that hold an image, for worlds in files. Any thread may call this."""
        return () if self._files is None else self._files.make_ready(image, number=number)

    def create_or_replace(
        self, name: str, image: bytes | None = None, *, store: Store | None = None, files: Sequence[Path] = ()
    ) -> World:
        """Create a world from an image, the default one if none is given, or replace the one of this name.

        `store` is a database in memory that holds the image already, and `files` are two `ready_files` of it.
        A file that cannot be used is no obstacle: the new world takes its place. Raise `ImageBudgetError` if the image
        cannot be kept for resets, and the errors of `open_existing`.
        """
        image = self.image if image is None else image
        if not self.exists(name):
            return self._create(name, image, store, files)
        if self._files is None:
            world = self._worlds[name]
            world.last_used = stopwatch()
            self._keep_origin(name, image)
            world.load(image, store)
        else:
            world = self._replace_file(self._files, name, image, files)
        self._notify(name)
        return world

    def reset(self, name: str, *, store: Store | None = None, ready: Path | None = None) -> None:
        """Reset a world to what it was created from; create it if it does not exist.

        `store` is a database in memory, `ready` a file for an open world in a file, that holds its `origin` already.
        A database file that cannot be used is no obstacle. Where the file of what the world was created from cannot be
        used either, the world becomes one of the default image, and the log says so.
        """
        if not self.exists(name):
            self.open_or_create(name)
        elif self._files is None:
            self.open_or_create(name).load(self._origin(name), store)
        elif ready is not None:
            self.exchange(self._worlds[name], ready, partial(self._worlds[name].load, b""))
        else:
            self._reset_file(self._files, name)
        self._notify(name)

    def replace_image(self, image: bytes) -> Iterator[str | None]:
        """Change the default image; replace the worlds made from the previous one, and yield the name of each.

        Yield None after each that was looked at and stays, so that others can be served in between.
        """
        before = self.image
        beginnings = {name: world.beginning for name, world in self._worlds.items()}
        names = [name for name in self.names() if self._files is not None or self._origin(name) == before]
        self.image = image
        self._drop_ready()
        for name in names:
            world = self._worlds.get(name)
            is_as_before = world is None or world.beginning is beginnings.get(name, world.beginning)
            # One in memory may have been reset or replaced meanwhile; for one in a file, its origin shows that.
            is_replaced = (self._files is not None or is_as_before) and self._replace_made_of(name, before)
            yield name if is_replaced else None

    def _replace_made_of(self, name: str, before: bytes) -> bool:
        """Replace a world if it was made from the image `before`; return whether it was. Keep an unreadable file."""
        with suppress(WorldFileError):
            if not self.exists(name) or (self._files is not None and not self._files.begins_from(name, before)):
                return False
            if self._files is None or name in self._worlds:
                self.create_or_replace(name)
            else:
                self._files.replace(name, self.image)
                self._forget(name)
            return True
        return False

    def origin_stamp(self, name: str) -> tuple[int, int, int] | None:
        """Return the size of a closed world's origin, and what changes with its contents; None if it is not closed."""
        is_closed = self._files is not None and name in self._files and name not in self._worlds
        return self._files.origin_stamp(name) if self._files is not None and is_closed else None

    def reset_existing(self, name: str, *, ready: Path | None = None) -> None:
        """Reset a world to its origin, in `ready` already, if it exists; a closed world in a file stays closed."""
        if name in self._worlds:
            self.reset(name)
        elif self.exists(name) and self._files is not None:
            self._files.reset(name, ready)
            self._forget(name)

    def drop(self, name: str) -> bool:
        """Remove a world and its files; return whether it existed."""
        if not self.exists(name):
            return False
        if name in self._worlds:
            self._shut(name)
        if self._files is not None:
            self._files.remove(name)
        self._origins.pop(name, None)
        self._forget(name)
        return True

    def prewarm(self) -> None:
        """Prepare the database of the next world in memory: SQLite takes most of its time to read the schema."""
        if self._ready is None and self._files is None and not self._is_closed:
            self._ready = Store(self.connections, image=self.image)
            self._ready.prepare()

    def _drop_ready(self) -> None:
        if self._ready is not None:
            self._ready.close()
            self._ready = None

    def close(self) -> None:
        """Close every world and release the directory. Every write that was acknowledged is on disk already."""
        self._is_closed = True
        self._drop_ready()
        for world in self._worlds.values():
            world.close()
        self._worlds.clear()
        if self._files is not None:
            self._files.close()

    def _create(self, name: str, image: bytes, store: Store | None = None, files: Sequence[Path] = ()) -> World:
        self._make_room()
        if self._files is None:
            self._keep_origin(name, image)
        else:
            self._files.put(name, image, files)
        world = self._open(name, store)
        self._prewarm_soon()
        return world

    def _prewarm_soon(self) -> None:
        """Prewarm after the current request; without an event loop, do nothing."""
        with suppress(RuntimeError):
            asyncio.get_running_loop().call_soon(self.prewarm)

    def _open(self, name: str, store: Store | None = None) -> World:
        store = store or self._take_ready(name) or self._store(name)
        try:
            world = World(name, store, defaults=self.defaults, handlers=self.handlers)
        except BaseException as error:
            store.close()
            raise_for_file(error, store.path)
            raise
        if name in self._requests_of:
            world.continue_requests(self._requests_of.pop(name))
        world.last_used = stopwatch()
        self._worlds[name] = world
        return world

    def _store(self, name: str) -> Store:
        if self._files is None:
            return Store(self.connections, image=self._origin(name))
        path = self._files.database(name)
        with naming(path):
            image = b"" if path.exists() else self._files.origin(name)
        return Store(self.connections, image=image, path=path)

    def _shut(self, name: str) -> None:
        """Close a world, and keep its request ids so that they continue if it is opened again."""
        world = self._worlds.pop(name)
        self._requests_of[name] = world.requests
        world.close()

    # -- worlds in files

    def _replace_file(self, files: WorldFiles, name: str, image: bytes, ready: Sequence[Path] = ()) -> World:
        world = self._worlds.get(name)
        if world is None:
            self._make_room()
        before = files.generation(name)
        files.put(name, image, ready)
        self._requests_of.pop(name, None)
        try:
            if world is None:
                return self._open(name)
            with self._closed_if_that_fails(world):
                world.move_to(self._store(name))
        finally:
            files.clean(name, before)
        return world

    def exchange(self, world: World, ready: Path, take: Callable[[Store], None]) -> None:
        """Have an open world in a file `take` a database that is ready; it resets to what it did."""
        assert self._files is not None
        before = self._files.generation(world.name)
        self._files.exchange(world.name, ready)
        try:
            with self._closed_if_that_fails(world):
                take(self._store(world.name))
        finally:
            self._files.clean(world.name, before)

    @contextmanager
    def _closed_if_that_fails(self, world: World) -> Iterator[None]:
        """Close a world if anything is raised, for the next request to open; raise `WorldFileError` for its file."""
        try:
            yield
        except BaseException as error:
            path = world.store.path
            self._shut(world.name)
            raise_for_file(error, path)
            raise
        world.last_used = stopwatch()

    def _reset_file(self, files: WorldFiles, name: str) -> None:
        world = self._worlds.get(name)
        try:
            origin = files.origin(name)
        except WorldFileError as error:
            text = "world %s becomes one of the default seed, for what it was created from is lost: %s"
            log.warning(text, name, error)
            origin = self.image
        else:
            if world is not None:
                with suppress(WorldFileError), self._closed_if_that_fails(world):
                    world.load(origin)
                    return
        self._replace_file(files, name, origin)

    def _take_ready(self, name: str) -> Store | None:
        if name in self._origins or self._files is not None:
            return None
        store, self._ready = self._ready, None
        return store

    def _forget(self, name: str) -> None:
        self._requests_of.pop(name, None)
        self._notify(name)

    def _notify(self, name: str) -> None:
        for watcher in self._watchers:
            watcher(name)

    def _origin(self, name: str) -> bytes:
        origin = self._origins.get(name)
        return self.image if origin is None else origin.content

    def _keep_origin(self, name: str, image: bytes) -> None:
        if image is self.image:
            self._origins.pop(name, None)
        else:
            self._origins[name] = self.images.keep(image, instead_of=self._origins.get(name))

    def expire(self) -> None:
        """Close or drop the worlds that have been idle for too long, and log each."""
        for world in self._expiry.due(self._worlds.values()):
            self._expire(world)

    def _expire(self, world: World) -> None:
        if self._files is None:
            log.info("world %s was idle for too long and is dropped; the setting world_idle changes that", world.name)
            self.drop(world.name)
        else:
            log.info("world %s was idle for too long and is closed; its file stays", world.name)
            self._shut(world.name)

    def _make_room(self) -> None:
        self.expire()
        if len(self._worlds) >= self._max_worlds:
            raise WorldLimitError(
                f"{len(self._worlds)} worlds are open, and no more may be: DELETE /_emulator/worlds/NAME ends one, "
                "the settings max_worlds and world_idle allow more or let idle ones go sooner."
            )
        if self._files is not None and self._max_files is not None and len(self._worlds) >= self._max_files:
            self._close_least_recent()

    def _close_least_recent(self) -> None:
        world = least_recently_used(self._worlds.values())
        if world is None:
            raise WorldLimitError(
                f"The files of {len(self._worlds)} worlds are open and in use, and the system allows this process no "
                "more: ask again, or raise its limit of open files (ulimit -n)."
            )
        self._shut(world.name)
