"""Worlds in the files of a data directory: they outlast the process, and are closed while nobody uses them."""

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from foas_emulator.world.clock import machine_now, stopwatch
from foas_emulator.world.expiry import CLOSE_AT_ONCE, least_recently_used
from foas_emulator.world.file_errors import WorldFileError, naming, raise_for_file
from foas_emulator.world.files import WorldFiles
from foas_emulator.world.names import WorldLimitError
from foas_emulator.world.owned_files import is_there
from foas_emulator.world.registry import Registry, RegistryOptions
from foas_emulator.world.staging import NOTHING_STAGED, Renewal, StagedImage
from foas_emulator.world.store import Store
from foas_emulator.world.world import Counts, World

log = logging.getLogger(__name__)


class FileRegistry(Registry):
    """The worlds of a process that keeps each in a file of its own; a world that expires is closed.

    A directory belongs to one process at a time; a second one gets `DirectoryInUseError`. At most `max_files` worlds
    are open at a time: opening one more closes the least recently used one.
    """

    def __init__(self, directory: Path, options: RegistryOptions, *, max_files: int | None) -> None:
        super().__init__(options, expire_at_once=CLOSE_AT_ONCE)
        self.files = WorldFiles(directory)
        self._max_files = max_files
        self._counts_of: dict[str, Counts] = {}
        """The counts of closed worlds, which continue when they are opened again."""
        self._outdated: dict[str, tuple[int, int, int]] = {}
        """The stamps of the origins of worlds whose renewal has begun: it may find no room, and is tried again then."""

    @property
    def _existing(self) -> Collection[str]:
        return self.files.names()

    def origin(self, name: str) -> bytes:
        return self.files.origin(name)

    def origin_size(self, name: str) -> int:
        return self.files.origin_size(name)

    def origin_stamp(self, name: str) -> object:
        return self.files.origin_stamp(name) if name in self.files.names() else None

    def stage(self, image: bytes, *, origin: bytes | None) -> StagedImage:
        self._require_open()  # a thread may come here after the end
        return StagedImage(files=self.files.stage(image, *([] if origin is None else [origin])))

    # -- opening and closing

    def _create(self, name: str, image: bytes, staged: StagedImage = NOTHING_STAGED) -> World:
        self._make_room()
        self.files.put(name, image, staged.files)
        with self._taken_back_if_that_fails(name, None):
            return self._open(name)

    def _open(self, name: str, store: Store | None = None, *, check: Callable[[Store], None] | None = None) -> World:
        world = super()._open(name, store, check=check)
        self._begun.pop(name, None)
        if name in self._counts_of:
            world.continue_counts(self._counts_of.pop(name))
        return world

    def _store(self, name: str) -> Store:
        path = self.files.database(name)
        with naming(path):
            image = b"" if is_there(path) else self.files.origin(name)
        return Store(self.connections, image=image, path=path)

    def _shut(self, name: str) -> None:
        world = self._worlds[name]
        self._counts_of[name] = world.requests, world.tallies
        super()._shut(name)

    def _expire(self, name: str) -> None:
        log.info("world %s was idle for too long and is closed; its file stays", name)
        self._shut(name)

    def _make_room(self) -> None:
        super()._make_room()
        if self._max_files is None or len(self._worlds) < self._max_files:
            return
        world = least_recently_used(self._worlds.values())
        if world is None:
            raise WorldLimitError(
                f"The files of all open worlds ({len(self._worlds)}) are in use, and the system allows this process no "
                "more: ask again, or raise its limit of open files (ulimit -n)."
            )
        self._shut(world.name)

    def _forget(self, name: str) -> None:
        self.files.remove(name)
        self._counts_of.pop(name, None)
        self._begun.pop(name, None)

    def close(self) -> None:
        """Close every world and release the directory. Every write that was acknowledged is on disk already.

        A call that goes on all the same opens, changes and removes nothing: the directory may be another process's.
        """
        if not self._is_closed:
            super().close()
            self.files.close()

    # -- replacing and resetting

    def _replace(self, name: str, image: bytes, staged: StagedImage) -> World:
        world = self._worlds.get(name)
        if world is None:
            self._make_room()
        before = self.files.generation(name)
        self.files.put(name, image, staged.files)
        with self._taken_back_if_that_fails(name, before):
            if world is None:
                return self._open(name)
            with self._closed_if_that_fails(world):
                world.load(self._store(name))
        return world

    def _reset(self, name: str, staged: StagedImage) -> None:
        world = self._worlds.get(name)
        if not staged.files:
            self._reset_in_one_piece(name, world)
        elif world is not None:
            self._exchange(world, world.load, staged)
        else:
            self._reset_closed(name, staged)

    def _reset_in_one_piece(self, name: str, world: World | None) -> None:
        origin = self.files.origin(name)
        if world is None or not self._loads(world, origin):
            self._replace(name, origin, NOTHING_STAGED)

    def _loads(self, world: World, origin: bytes) -> bool:
        """Load its origin into an open world; return whether the world's file holds that."""
        before = world.beginning
        try:
            with self._closed_if_that_fails(world):
                world.load(origin)
        except WorldFileError:
            if world.beginning is before:
                return False
            self._begin_later(world.name)  # only its first write failed: it begins as soon as a request can open it
        return True

    def _begin_later(self, name: str) -> None:
        """Note that a closed world begins anew when it is opened."""
        self._counts_of.pop(name, None)
        self._begun[name] = machine_now()

    def reset_existing(self, name: str, staged: StagedImage = NOTHING_STAGED) -> None:
        if name in self._worlds:
            self.reset(name, staged)
        elif self.exists(name):
            self._reset_closed(name, staged)
            self._notify(name)

    def _reset_closed(self, name: str, staged: StagedImage) -> None:
        """Reset a closed world, which stays closed; its origin is read when it is opened, if that is not `staged`."""
        self.files.reset(name, *staged.files)
        self._begin_later(name)

    def replace_lost(self, name: str, error: WorldFileError) -> None:
        if not self.exists(name) or error.path.suffix != ".origin" or error.may_pass:
            raise error
        log.warning("world %s becomes one of the default seed, for what it was created from is lost: %s", name, error)
        self._start_over(name, NOTHING_STAGED)

    def exchange(self, world: World, take: Callable[[bytes | Store], None], image: bytes, staged: StagedImage) -> None:
        if staged.files:
            self._exchange(world, take, staged)
        else:
            with self._closed_if_that_fails(world):
                take(image)

    def _exchange(self, world: World, take: Callable[[Store], None], staged: StagedImage) -> None:
        """Let an open world take over the database in a staged file."""
        before = self.files.generation(world.name)
        self.files.exchange(world.name, *staged.files)
        with self._taken_back_if_that_fails(world.name, before, is_moved=True), self._closed_if_that_fails(world):
            take(self._store(world.name))

    @contextmanager
    def _taken_back_if_that_fails(self, name: str, before: int | None, *, is_moved: bool = False) -> Iterator[None]:
        """Return a world to an earlier generation, None for no world, if the block raises; else remove that one."""
        counts, begun = self._counts_of.pop(name, None), self._begun.pop(name, None)
        try:
            yield
        except BaseException:
            self.files.take_back(name, before, is_moved=is_moved)
            if counts is not None:
                self._counts_of[name] = counts
            if begun is not None:
                self._begun[name] = begun
            raise
        self.files.clean(name, before)

    @contextmanager
    def _closed_if_that_fails(self, world: World) -> Iterator[None]:
        """Close a world if the block raises, to be opened by the next request; raise `WorldFileError` for its file."""
        try:
            yield
        except BaseException as error:
            path = world.store.path
            self._shut(world.name)
            raise_for_file(error, path)
            raise
        world.last_used = stopwatch()

    def replace_image(self, image: bytes) -> Iterator[Renewal]:
        before, self.image = self.image, image
        for name in self.names():
            with _stays_if_unusable(name):
                if self.exists(name):
                    stamp = self.files.origin_stamp(name)
                    is_due = partial(self._is_outdated, name, stamp, before)
                    yield Renewal(name, partial(self._renew, name, stamp), is_due)

    def _is_outdated(self, name: str, stamp: tuple[int, int, int], image: bytes) -> bool:
        with _stays_if_unusable(name), suppress(KeyError):  # it was dropped meanwhile
            if self._outdated.get(name) == stamp or self.files.begins_from(name, image):
                self._outdated[name] = stamp
                return True
        return False

    def _renew(self, name: str, stamp: tuple[int, int, int], staged: StagedImage) -> bool:
        with _stays_if_unusable(name):
            if not self.exists(name) or self.files.origin_stamp(name) != stamp:
                return False
            self._start_over(name, staged)
            self._outdated.pop(name, None)
            return True
        return False

    def _start_over(self, name: str, staged: StagedImage) -> None:
        """Replace a world by the default image, which may be `staged`; a closed one stays closed."""
        if name in self._worlds:
            self.create_or_replace(name, staged=staged)
        else:
            self.files.replace(name, self.image, staged.files)
            self._begin_later(name)
            self._notify(name)


@contextmanager
def _stays_if_unusable(name: str) -> Iterator[None]:
    """Log that a world stays as it is if the block cannot read or write its files."""
    try:
        yield
    except WorldFileError as error:
        log.warning("world %s does not start over before the seeds change again: %s", name, error)
