"""The files of a data directory: the pair of files of each world, and their replacement in one step.

A world is two files: `NAME.origin`, the image to which it is reset, and `NAME.db`, its database. When it is replaced,
it gets a pair with the next generation in their names, `NAME.1.origin` and `NAME.1.db`, and so on. The origin of the
highest generation decides: the one rename that puts it into place replaces both, so that a process that is killed
before or after it leaves the old world or the new one, never some of each. An older pair is removed afterwards, or at
the next start. A file that the emulator did not write is never overwritten or removed, and decides nothing while there
is a pair that it did write. On Windows the files of a world whose name is that of a device begin with an underscore.
"""

import logging
import os
import re
from collections.abc import Iterator, KeysView, Sequence
from contextlib import suppress
from itertools import count, zip_longest
from pathlib import Path

from foas_emulator.world.clock import machine_now_ns
from foas_emulator.world.directory_lock import lock_directory
from foas_emulator.world.file_errors import WorldFileError, naming
from foas_emulator.world.names import NAME
from foas_emulator.world.owned_files import (
    BESIDE,
    is_file,
    is_taken,
    move_file,
    remove_file,
    require_file,
    synced,
    write_file,
)
from foas_emulator.world.soundness import damage_of, is_header_of_ours, size_in

_PORTS = frozenset(f"{port}{number}" for port in ("com", "lpt") for number in range(10))
DEVICES = {"con", "prn", "aux", "nul"} | _PORTS if os.name == "nt" else frozenset[str]()
"""Names that no file may have on this system, with any extension: the devices of Windows."""

_FILE = re.compile(rf"_?({NAME})(?:\.([1-9][0-9]{{0,8}}))?\.(origin|db|db-wal|db-shm|db-journal|new)")
_STAGED = re.compile(r"\+[0-9]+\.new")
"""A staged file, which can become one of a world's. No world can have such a name."""
_DATABASE = ("db", *(f"db{suffix}" for suffix in BESIDE))

log = logging.getLogger(__name__)


class WorldFiles:
    """The worlds of one directory, which this process owns until `close`."""

    def __init__(self, directory: Path) -> None:
        """Lock a directory, after creating it if it is absent, and find its worlds.

        Raise `DirectoryInUseError` if another process owns it, `WorldFileError` if the lock is not ours, and OSError if
        it cannot be used.
        """
        self._directory = directory.absolute()  # whatever directory is the current one later, and no URI for SQLite
        self._lock = lock_directory(self._directory)
        self._generations: dict[str, int] = {}
        self._left: dict[str, set[int]] = {}
        """The earlier generations of each world of which a file could not be removed."""
        self._staged = count(machine_now_ns())  # a later owner of the directory has other names
        try:
            self._find()
        except BaseException:
            self._lock.release()
            raise

    def _find(self) -> None:
        """Find the newest generation of every world, and remove the files of others."""
        found = list(self._files())
        origins: dict[str, list[int]] = {}
        for _, name, generation, kind in found:
            if kind == "origin":
                origins.setdefault(name, []).append(generation)
        self._generations = {name: self._newest(name, sorted(generations)) for name, generations in origins.items()}
        being_removed = {(name, generation) for _, name, generation, kind in found if kind == "new"}
        self._remove_staged()
        for path, name, generation, kind in found:
            newest = self._generations.get(name)
            is_passed_over = newest is not None and newest < generation and generation in origins[name]
            if kind == "db" and newest is None:
                remove_file(path, is_lone=(name, generation) not in being_removed)
            elif kind == "new" or (generation != newest and not is_passed_over):
                self._remove(path, name, generation)

    def _files(self) -> Iterator[tuple[Path, str, int, str]]:
        """Yield every file with the name of one of ours, with the world, the generation and the kind in its name."""
        for path in self._directory.iterdir():
            match = _FILE.fullmatch(path.name)
            if match and path.name.startswith("_") == (match[1] in DEVICES) and is_file(path):
                yield path, match[1], int(match[2] or 0), match[3]

    def _newest(self, name: str, generations: Sequence[int]) -> int:
        """Return the highest of these generations that `put` has completed; the highest of all if none is."""
        complete = generations if len(generations) == 1 else [each for each in generations if self._is_pair(name, each)]
        newest = complete[-1] if complete else generations[-1]
        for other in generations[generations.index(newest) + 1 :]:
            log.warning("%s is passed over: it is no complete origin of ours", self._path(name, other, "origin"))
        return newest

    def _is_pair(self, name: str, generation: int) -> bool:
        origin, database = (self._path(name, generation, kind) for kind in ("origin", "db"))
        try:
            with origin.open("rb") as file:
                header = file.read(100)
            return is_header_of_ours(header) and origin.stat().st_size >= size_in(header) and is_file(database)
        except (FileNotFoundError, PermissionError):  # any other error proves nothing, so no older pair decides
            return False

    def _remove_staged(self) -> None:
        for path in [path for path in self._directory.iterdir() if _STAGED.fullmatch(path.name)]:
            remove_file(path)

    def close(self) -> None:
        """Release the directory, so that another process may own it; remove what no world will take any more."""
        with suppress(OSError):
            self._remove_staged()
        self._generations.clear()
        self._lock.release()

    def names(self) -> KeysView[str]:
        """Return the names of all worlds."""
        return self._generations.keys()

    def database(self, name: str) -> Path:
        """Return the path of a world's database."""
        return self._path(name, self._generations[name], "db")

    def origin(self, name: str) -> bytes:
        """Return the image to which a world is reset. Raise `WorldFileError` if it cannot be read or is not valid."""
        path = self._path(name, self._generations[name], "origin")
        require_file(path)
        with naming(path):
            image = path.read_bytes()
            reason = damage_of(image)
        if reason is not None:
            raise WorldFileError(path, reason)
        return image

    def origin_size(self, name: str) -> int:
        """Return how many bytes `origin` has, 0 if its file cannot be read or the world has ended."""
        with suppress(KeyError, OSError):
            return self._path(name, self._generations[name], "origin").stat().st_size
        return 0

    def begins_from(self, name: str, image: bytes) -> bool:
        """Whether an image is the one to which a world is reset. Raise `WorldFileError` as `origin` does."""
        return self.origin_size(name) == len(image) and self.origin(name) == image

    def stage(self, *images: bytes) -> Sequence[Path]:
        """Write images into files that belong to no world yet and only have to be renamed. Any thread may call this.

        Raise `WorldFileError` if they cannot be written; then there are no such files.
        """
        files = [self._directory / f"+{next(self._staged)}.new" for _ in images]
        self._write(files, images)
        return files

    def put(self, name: str, image: bytes, staged: Sequence[Path] = ()) -> None:
        """Create or replace a world from an image, in one step; the next `clean` removes its previous files.

        `staged` are two files that hold the image already, if there are any; they are moved.
        Raise `WorldFileError` if the files cannot be written; then nothing has changed.
        """
        generation = self._next(name)
        self._write([self._path(name, generation, kind) for kind in ("db", "origin")], [image, image], staged)
        self._generations[name] = generation

    @staticmethod
    def _write(paths: Sequence[Path], images: Sequence[bytes], staged: Sequence[Path] = ()) -> None:
        """Write or move files into their places, in order: all, or none of them."""
        try:
            for path, image, made in zip_longest(paths, images, staged):
                with naming(path):
                    write_file(path, image) if made is None else move_file(made, path)
        except WorldFileError:
            for path in paths:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            raise

    def replace(self, name: str, image: bytes, staged: Sequence[Path] = ()) -> None:
        """Replace a closed world by an image, in one step, as `put` does."""
        before = self.generation(name)
        self.put(name, image, staged)
        self.clean(name, before)

    def reset(self, name: str, staged: Path | None = None) -> None:
        """Return a world to its origin, in one step; its database may be damaged or missing.

        `staged` is a file that holds the origin already.
        """
        before = self._generations[name]
        if staged is None:
            self._remove_left(name)
            self._move_origin(name, self._next(name))
        else:
            self.exchange(name, staged)
        self.clean(name, before)

    def origin_stamp(self, name: str) -> tuple[int, int, int]:
        """Return the size of a world's origin, and numbers that change with its contents. Raise `WorldFileError`."""
        path = self._path(name, self._generations[name], "origin")
        with naming(path):
            found = path.stat()
        return found.st_size, found.st_ino, found.st_mtime_ns

    def exchange(self, name: str, staged: Path) -> None:
        """Let a staged file take the place of a world's database, in one step; the next `clean` removes the old one.

        The world keeps its origin. Raise `WorldFileError` if that fails; then nothing has changed.
        """
        generation = self._next(name)
        database = self._path(name, generation, "db")
        self._write([database], [], [staged])
        try:
            self._move_origin(name, generation)
        except WorldFileError:
            with suppress(OSError):
                database.unlink()
            raise

    def _move_origin(self, name: str, generation: int) -> None:
        origin = self._path(name, self._generations[name], "origin")
        with naming(origin):
            move_file(origin, self._path(name, generation, "origin"))
        self._generations[name] = generation

    def take_back(self, name: str, generation: int | None, *, is_moved: bool = False) -> None:
        """Let an earlier generation be the world again, None for no world, after its replacement could not be opened.

        Nobody may have used the replacement; `exchange` has moved the origin to it, `put` has not. This needs neither a
        descriptor nor room. If it fails all the same, the log says so, the replacement remains the world, and the
        earlier generation is removed.
        """
        made = self._generations[name]
        replacement, removed = (self._path(name, made, kind) for kind in ("origin", "new"))
        try:
            if is_moved and generation is not None:
                replacement.rename(self._path(name, generation, "origin"))
            else:
                replacement.rename(removed)  # as `remove` does
        except OSError as error:
            log.warning("world %s stays replaced, though it cannot be opened: %s", name, error)
            self.clean(name, generation)
            return
        if generation is None:
            del self._generations[name]
        else:
            self._generations[name] = generation
        self._remove_database(name, made)

    def generation(self, name: str) -> int | None:
        """Return the present generation of a world, None if the world does not exist."""
        return self._generations.get(name)

    def clean(self, name: str, generation: int | None) -> None:
        """Remove the files of a generation unless it is the present one."""
        if generation is not None and generation != self._generations.get(name):
            for kind in ("origin", "db"):
                self._remove(self._path(name, generation, kind), name, generation)

    def _remove(self, path: Path, name: str, generation: int) -> None:
        if not remove_file(path):
            self._left.setdefault(name, set()).add(generation)

    def _remove_database(self, name: str, generation: int) -> None:
        """Remove the database of a world that is removed, then the file that makes the next start do so."""
        database, removed = (self._path(name, generation, kind) for kind in ("db", "new"))
        self._remove(database, name, generation)
        with suppress(OSError):
            if not is_taken(database):  # on Windows it stays while another program reads it
                self._remove(removed, name, generation)

    def _remove_left(self, name: str) -> None:
        """Remove what could not be removed before: an origin without a newer pair would decide at the next start."""
        for generation in self._left.get(name, set()) - {self._generations.get(name)}:
            origin = self._path(name, generation, "origin")
            with naming(origin):
                origin.unlink(missing_ok=True)
            self._left[name].discard(generation)
            self._remove_database(name, generation)

    def remove(self, name: str) -> None:
        """Remove a world. Raise `WorldFileError` if its origin cannot be removed; then it still exists."""
        self._remove_left(name)
        generation = self._generations[name]
        origin, removed = (self._path(name, generation, kind) for kind in ("origin", "new"))
        require_file(origin)
        remove_file(removed)
        with naming(origin), synced(self._directory), suppress(FileNotFoundError):
            if is_taken(removed):  # by a file of somebody else
                origin.unlink()
            else:
                origin.replace(removed)  # if this is killed now, the next start removes the database, too
        del self._generations[name]
        self._remove_database(name, generation)

    def _next(self, name: str) -> int:
        """Return the next generation of a world for which no file exists yet."""
        generation = self._generations.get(name, -1) + 1
        with naming(self._path(name, generation, "db")):
            while any(is_taken(self._path(name, generation, kind)) for kind in ("origin", "new", *_DATABASE)):
                generation += 1
        return generation

    def _path(self, name: str, generation: int, kind: str) -> Path:
        stem = f"_{name}" if name in DEVICES else name
        return self._directory / (f"{stem}.{generation}.{kind}" if generation else f"{stem}.{kind}")
