"""Examine, write, move and remove single files of worlds. Files that are not ours stay as they are."""

import errno
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from foas_emulator.world.file_errors import WorldFileError, naming
from foas_emulator.world.soundness import is_header_of_ours, is_in_use

BESIDE = ("-wal", "-shm", "-journal")
"""Suffixes of the files that SQLite keeps beside a database that is in use, or was when its process was killed.

One that is not in write-ahead mode yet, as when it is opened for the first time, has a journal.
"""

log = logging.getLogger(__name__)


def require_file(path: Path) -> None:
    """Raise `WorldFileError` if a path exists and is not a file: reading from a pipe, for example, might never end."""
    with naming(path):
        is_something_else = is_there(path) and not is_file(path)
    if is_something_else:
        raise WorldFileError(path, "it is not a file", "move it away, and PUT, reset or DELETE the world")


def is_taken(path: Path) -> bool:
    """Whether anything has this name, a broken link included. Raise OSError if that cannot be determined.

    `os.path.lexists` returns False then.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def is_there(path: Path) -> bool:
    """Whether there is something of this name. Raise OSError if that cannot be determined."""
    return _mode(path) is not None


def is_file(path: Path) -> bool:
    """Whether there is a file of this name. Raise OSError if that cannot be determined."""
    mode = _mode(path)
    return mode is not None and stat.S_ISREG(mode)


def _mode(path: Path) -> int | None:
    # From Python 3.14 on, Path.is_file and its like return False for what cannot be examined; it would be replaced.
    try:
        return path.stat().st_mode
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        return None


def write_file(path: Path, content: bytes) -> None:
    """Write a file atomically and durably: a process that is killed leaves none of it, or all of it."""
    beginning = path.with_suffix(".new")
    remove_file(beginning)
    file = open(beginning, "xb", opener=_open_private)  # noqa: SIM115 - Path.open has no opener
    try:
        with file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with synced(path.parent):
            beginning.replace(path)
    except OSError:
        with suppress(OSError):
            beginning.unlink()
        raise


def move_file(file: Path, path: Path) -> None:
    with synced(path.parent):
        file.rename(path)


def _open_private(path: str, flags: int) -> int:
    # SQLite gives the files beside a database the same permissions.
    return os.open(path, flags, 0o600)


def remove_file(path: Path, *, is_lone: bool = False) -> bool:
    """Remove a file of ours, or an empty one; leave any other in place, and log that. Return whether nothing failed.

    A database without an origin (`is_lone`) is set aside if a world has used it; else it is left by a killed `put`.
    """
    if path.name.endswith(BESIDE):
        return True  # removed together with its database
    try:
        if not is_file(path) and is_taken(path):
            log.warning("%s is not a file and is left where it is", path)
            return True
        with path.open("rb") as file:
            header = file.read(100)
        if header and not is_header_of_ours(header):
            log.warning("%s is not a file of foas-emulator and is left where it is", path)
            return True
        if is_lone and is_in_use(header):
            _set_aside(path)
            return True
        if path.suffix == ".db":
            remove_beside(path)
        path.unlink()
    except FileNotFoundError:
        pass
    except OSError as error:
        log.warning("%s cannot be removed (%s) and is left where it is", path, error.strerror)
        return False
    return True


def _set_aside(database: Path) -> None:
    """Rename a database that has no origin, as where a person puts back a copy of it alone."""
    names = (database.with_name(f"{database.name}.{number}.lost") for number in count(1))
    aside = next(name for name in names if not is_taken(name))
    for suffix in (*BESIDE, ""):  # the database last: what SQLite kept beside it must never be without it
        with suppress(FileNotFoundError):
            database.with_name(database.name + suffix).rename(aside.with_name(aside.name + suffix))
    text = "%s has no .origin file and so is not a world: it is kept as %s; put both back under their names"
    log.warning(text, database, aside.name)


def remove_beside(database: Path) -> None:
    """Remove the files that SQLite kept beside a database: it would apply them to the next one of this name."""
    for suffix in BESIDE:
        database.with_name(database.name + suffix).unlink(missing_ok=True)


@contextmanager
def synced(directory: Path) -> Iterator[None]:
    """Make a rename in a directory durable, if the system has a way to do so: Windows has none.

    The directory is opened before the rename: where that fails, as without a free descriptor, nothing has changed.
    """
    if os.name != "posix":
        yield
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        yield
        with suppress(OSError):  # some file systems refuse it for directories
            os.fsync(handle)
    finally:
        with suppress(OSError):  # what the block has done is done
            os.close(handle)
