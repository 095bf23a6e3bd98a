"""All worlds of a process by name: created on first use, and reset to the images from which they were created."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from foas_emulator.world.clock import stopwatch
from foas_emulator.world.connections import Connections
from foas_emulator.world.databases import DatabaseBudget
from foas_emulator.world.expiry import Expiry
from foas_emulator.world.file_errors import WorldFileError, raise_for_file
from foas_emulator.world.ids import fresh_seed, request_id, request_numbers
from foas_emulator.world.images import ImageBudget
from foas_emulator.world.names import WorldLimitError, check_name
from foas_emulator.world.settings import WorldSettings
from foas_emulator.world.staging import NOTHING_STAGED, Renewal, StagedImage
from foas_emulator.world.store import StoppedError, Store
from foas_emulator.world.world import Handler, World


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryOptions:
    """What a registry makes worlds of, and its limits."""

    image: bytes
    """The default image: that of a world that is created without another."""
    handlers: Mapping[str, Handler]
    connections: Connections
    defaults: WorldSettings
    max_worlds: int
    """The most worlds that are open at a time."""
    idle: int
    """Milliseconds after which a world that was not used expires when another has to be opened; with 0 none does."""
    image_bytes: int
    """The most bytes of the images that are kept for resets and faults."""
    world_bytes: int
    """The most bytes of the databases of all worlds in memory."""
    check: Callable[[Store], None]
    """Raises ValueError for the database of a closed world that was edited and cannot be used."""


class Registry(ABC):
    """The worlds of this process, in memory (`MemoryRegistry`) or in files (`FileRegistry`)."""

    def __init__(self, options: RegistryOptions, *, expire_at_once: int) -> None:
        self.image = options.image
        """The default image at present."""
        self.handlers = options.handlers
        self.connections = options.connections
        self.defaults = options.defaults
        self.images = ImageBudget(limit=options.image_bytes)
        self.databases = DatabaseBudget(limit=options.world_bytes)
        self.budgets: Mapping[str, ImageBudget | DatabaseBudget] = {
            "image_bytes": self.images,
            "world_bytes": self.databases,
        }
        """What is limited in bytes, by the setting that limits it."""
        self._check = options.check
        self._max_worlds = options.max_worlds
        self._expiry = Expiry(options.idle, at_once=expire_at_once)
        self._worlds: dict[str, World] = {}
        self._requests = request_numbers(fresh_seed())
        self._begun: dict[str, int] = {}
        """When each closed world was reset, if it was not opened since: its pending changes count from there."""
        self._watchers: list[Callable[[str], None]] = []
        self._is_closed = False

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Call `watcher` with the name of every world that is reset, replaced or dropped from now on."""
        self._watchers.append(watcher)

    def _notify(self, name: str) -> None:
        for watcher in self._watchers:
            watcher(name)

    def next_request_id(self) -> str:
        """Return a request id for a response that belongs to no world."""
        return request_id(next(self._requests))

    # -- which worlds there are

    @property
    @abstractmethod
    def _existing(self) -> Collection[str]:
        """The names of all worlds, open or not."""

    def names(self) -> list[str]:
        """Return the names of all worlds, open or not, in order."""
        return sorted(self._existing)

    def exists(self, name: str) -> bool:
        """Whether there is a world of this name, open or not. Raise `WorldNameError` for one that no world can have."""
        check_name(name)
        self._require_open()
        return name in self._existing

    def _require_open(self) -> None:
        """Raise `StoppedError` after `close`: a call in progress must not report that there is no such world."""
        if self._is_closed:
            raise StoppedError("the emulator is being stopped")

    def peek(self, name: str) -> World | None:
        """Return the world of this name if it is open, without counting this as a use."""
        return self._worlds.get(name)

    def holds(self, world: World) -> bool:
        """Whether a world is open: neither dropped nor expired since it was returned."""
        return self._worlds.get(world.name) is world

    @abstractmethod
    def origin(self, name: str) -> bytes:
        """Return the image to which a world is reset. Raise `WorldFileError` if its file cannot be read."""

    @abstractmethod
    def origin_size(self, name: str) -> int:
        """Return how many bytes `origin` has, 0 if it cannot be read or there is no such world."""

    @abstractmethod
    def origin_stamp(self, name: str) -> object:
        """Return what is equal as long as `origin` is the same, None if there is no such world. Raise as it does."""

    def detached(self, name: str, store: Store) -> World:
        """Return a world in a database, as one of this registry would be, which no request can reach."""
        return World(name, store, defaults=self.defaults, handlers=self.handlers)

    # -- opening and creating

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
        return self._open(name, check=self._check)

    def open_or_create(self, name: str) -> World:
        """Return the world of this name, made of the default image if there is none. Raise as `open_existing` does."""
        return self.open_existing(name) or self._create(name, self.image)

    @abstractmethod
    def _create(self, name: str, image: bytes, staged: StagedImage = NOTHING_STAGED) -> World:
        """Create a world, which will be reset to the same image."""

    def _open(self, name: str, store: Store | None = None, *, check: Callable[[Store], None] | None = None) -> World:
        store = store or self._store(name)
        try:
            if check is not None:
                check(store)
            world = World(name, store, defaults=self.defaults, handlers=self.handlers, begun=self._begun.get(name))
        except BaseException as error:
            path = store.path
            store.close()
            raise_for_file(error, path)
            if path is not None and isinstance(error, ValueError | TypeError | AttributeError):
                # A whole file may still hold what is read here only: a setting of another type, for example.
                raise WorldFileError(path, f"it holds what no world can have ({error})") from error
            raise
        world.last_used = stopwatch()
        self._worlds[name] = world
        return world

    @abstractmethod
    def _store(self, name: str) -> Store:
        """Open the database of a world."""

    # -- replacing and resetting

    @abstractmethod
    def stage(self, image: bytes, *, origin: bytes | None) -> StagedImage:
        """Write an image where a world can take it over. Any thread may call this.

        `origin` is what a world that is created or replaced will reset to.
        """

    def create_or_replace(self, name: str, image: bytes | None = None, staged: StagedImage = NOTHING_STAGED) -> World:
        """Create a world from an image, the default one if none is given, or replace the one of this name.

        `staged` holds the image already. A file that cannot be used is no obstacle: the new world takes its place.
        Raise `ImageBudgetError` if the image cannot be kept for resets, and the errors of `open_existing`.
        """
        is_new = not self.exists(name)
        world = (self._create if is_new else self._replace)(name, self.image if image is None else image, staged)
        world.postponed_by += staged.postponed_by
        if not is_new:
            self._notify(name)
        return world

    @abstractmethod
    def _replace(self, name: str, image: bytes, staged: StagedImage) -> World:
        """Replace a world, open or not."""

    def reset(self, name: str, staged: StagedImage = NOTHING_STAGED) -> None:
        """Reset a world to what it was created from; create it if it does not exist.

        `staged` holds its `origin` already; then a closed world stays closed. A database file that cannot be used is no
        obstacle; raise `WorldFileError` if that of its origin cannot be used either: see `replace_lost`.
        """
        if self.exists(name):
            self._reset(name, staged)
            if (world := self._worlds.get(name)) is not None:
                world.postponed_by += staged.postponed_by
        else:
            self.open_or_create(name)
        self._notify(name)

    @abstractmethod
    def _reset(self, name: str, staged: StagedImage) -> None:
        """Reset a world that exists."""

    @abstractmethod
    def reset_existing(self, name: str, staged: StagedImage = NOTHING_STAGED) -> None:
        """Reset a world to its origin, which may be `staged`, if it exists; a closed one stays closed."""

    @abstractmethod
    def replace_lost(self, name: str, error: WorldFileError) -> None:
        """Replace a world by the default image if its reset failed because its origin is lost, and log that.

        Raise the error if it is another one, or if the origin only cannot be read for now.
        """

    @abstractmethod
    def exchange(self, world: World, take: Callable[[bytes | Store], None], image: bytes, staged: StagedImage) -> None:
        """Let an open world `take` an image, or the database in which it is staged; its origin stays the same."""

    @abstractmethod
    def replace_image(self, image: bytes) -> Iterator[Renewal]:
        """Change the default image; yield the replacement of each world that may have been made from the previous one.

        Each is to be done before the next one is asked for.
        """

    # -- ends

    def drop(self, name: str) -> bool:
        """Remove a world and its files; return whether it existed."""
        if not self.exists(name):
            return False
        if name in self._worlds:
            self._worlds[name].beginning = object()
            self._shut(name)
        self._forget(name)
        self._notify(name)
        return True

    @abstractmethod
    def _forget(self, name: str) -> None:
        """Remove all that is kept of a world that is closed."""

    def _shut(self, name: str) -> None:
        self._worlds.pop(name).close()

    def close(self) -> None:
        """Close every world. Every write that was acknowledged is on disk already, if worlds are in files."""
        self._is_closed = True
        for world in self._worlds.values():
            world.close()
        self._worlds.clear()

    def expire(self) -> None:
        """Close or drop the worlds that have been idle for too long, and log each."""
        for world in self._expiry.due(self._worlds.values()):
            self._expire(world.name)

    @abstractmethod
    def _expire(self, name: str) -> None:
        """Close or drop a world that has been idle for too long."""

    def _make_room(self) -> None:
        self._require_open()
        self.expire()
        if len(self._worlds) >= self._max_worlds:
            raise WorldLimitError(
                f"At most {self._max_worlds} worlds may be open: DELETE /_emulator/worlds/NAME drops one; "
                "the setting max_worlds allows more, and world_idle lets idle ones expire sooner."
            )
