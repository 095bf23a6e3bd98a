"""Errors of the files in which worlds are kept: each names its file, the reason, and what to do about it."""

import errno
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

_FULL = "make room on the disk and ask again; nothing that was acknowledged is lost"
_TOO_MANY = "ask again when fewer files and connections are open, or allow more of them (ulimit -n)"
LOCKED = "end the other program that has it open, and ask again"
_FULL_OR_FAILED = (
    "make room on the disk, or look after it if there is room, and ask again; nothing that was acknowledged is lost"
)
_FAILED = "ask again, and look after the disk if it fails again"
_OURS_ALONE = "let the user of the emulator read and write it and its directory"
LONGEST_PATH = 504
"""The most bytes of the path of a database that SQLite opens where it is not on Windows."""
NAMES_NO_TEXT = "it is damaged (it contains bytes that are not text)"
"""The reason where sqlite3 raises UnicodeDecodeError, for an error of SQLite that quotes bytes which are no text."""
DAMAGED = "PUT, reset or DELETE the world to repair it, or put a copy of the file back"

_ADVICE = {
    errno.EFBIG: _FULL,
    errno.ENOSPC: _FULL,
    getattr(errno, "EDQUOT", errno.ENOSPC): _FULL,
    errno.EIO: _FAILED,
    getattr(errno, "ESTALE", errno.EIO): _FAILED,
    errno.EMFILE: _TOO_MANY,
    errno.ENFILE: _TOO_MANY,
}
"""Advice for the errors of the system that have other causes than the rights to a file."""
_TROUBLES = {
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_CANTOPEN: _OURS_ALONE,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: _FAILED,
    sqlite3.SQLITE_IOERR_FSYNC: _FULL_OR_FAILED,  # these four are of a quota or a limit of a file's size, too
    sqlite3.SQLITE_IOERR_SHMSIZE: _FULL_OR_FAILED,
    sqlite3.SQLITE_IOERR_TRUNCATE: _FULL_OR_FAILED,
    sqlite3.SQLITE_IOERR_WRITE: _FULL_OR_FAILED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_PERM: _OURS_ALONE,
    sqlite3.SQLITE_READONLY: _OURS_ALONE,
}
"""Advice for each error of SQLite that is caused by a file rather than by a statement, and for some of its kinds."""
_NO_TEXT = "Could not decode to UTF-8"
"""The beginning of the message of Python's sqlite3 for bytes that are not text; that error has no code."""


class WorldFileError(Exception):
    """A file of a world cannot be used; the message names the file, the reason, and what to do about it."""

    def __init__(self, path: Path, reason: str, advice: str = DAMAGED) -> None:
        super().__init__(f"{path} cannot be used: {reason}; {advice}.")
        self.path = path
        self.reason = reason
        self.advice = advice
        self.hint = f"The file {path.name} of the data directory cannot be used: {reason}; {advice}."
        """The same message for clients, without the path of the directory."""

    @property
    def is_full(self) -> bool:
        """Whether there is certainly no room, and nothing wrong with the file."""
        return self.advice == _FULL

    @property
    def may_pass(self) -> bool:
        """Whether the file may be whole: the system refused to read it, and did not find it gone."""
        return isinstance(self.__cause__, OSError) and not isinstance(self.__cause__, FileNotFoundError)


class WorldFullError(WorldFileError):
    """A world has the largest size of a database in memory, or the last number of a counter; no file is at fault."""

    def __init__(
        self,
        reason: str = "one in memory holds a gibibyte",
        advice: str = "delete some of it, or serve with --data-dir",
    ) -> None:
        super().__init__(Path(":memory:"), reason, advice)
        self.hint = f"The world is full: {reason}; {advice}."
        self.args = (self.hint,)

    @property
    def is_full(self) -> bool:
        return True


class NewerStoreError(WorldFileError):
    """A database file was written by a newer version of the emulator; it was left untouched."""

    def __init__(self, path: Path, *, version: int, known: int) -> None:
        reason = f"it has schema version {version}, and this emulator reads up to {known}"
        super().__init__(path, reason, "use a newer emulator, or another --data-dir")


class UnreadableRowError(ValueError):
    """A row holds what no version of the emulator has written, as after its file was edited by hand."""


def read_object(text: str, where: str) -> dict[str, Any]:
    """Return the JSON object in a column of a row. Raise `UnreadableRowError` with the name of the place."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableRowError(f"no JSON is in {where} ({error})") from None
    if not isinstance(value, dict):
        raise UnreadableRowError(f"no JSON object is in {where}")
    return value


def file_error(error: BaseException, path: Path | None) -> WorldFileError | None:
    """Return the file error behind an error of a database, None if neither its file nor a full memory is the cause."""
    if isinstance(error, WorldFileError):
        return error
    if isinstance(error, UnreadableRowError):
        return None if path is None else WorldFileError(path, str(error))
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", 0)
    advice = _TROUBLES.get(code) or _TROUBLES.get(code & 0xFF)
    if isinstance(cause, sqlite3.Error) and str(cause).startswith(_NO_TEXT):
        advice = DAMAGED
    if path is None:
        return WorldFullError() if code == sqlite3.SQLITE_FULL else None
    length = len(os.fsencode(path))
    if code == sqlite3.SQLITE_CANTOPEN and length > LONGEST_PATH and os.name == "posix":
        reason = f"its path has {length} bytes, and SQLite opens none of over {LONGEST_PATH}"
        return WorldFileError(path, reason, "give a --data-dir whose path is shorter")
    return None if advice is None else WorldFileError(path, str(cause), advice)


def raise_for_file(error: BaseException, path: Path | None) -> None:
    """Raise `WorldFileError` if the cause of an exception is a world's file."""
    translated = file_error(error, path)
    if translated is not None:
        raise translated from error


def _advice_for(error: OSError, path: Path) -> str:
    if os.name == "nt" and isinstance(error, PermissionError):
        return LOCKED  # Windows has no other error for a file that another program has open
    if isinstance(error, FileNotFoundError) and path.parent.is_dir():
        return DAMAGED
    return _ADVICE.get(error.errno or 0, _OURS_ALONE)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Raise `WorldFileError` if an operation on this file fails inside the block."""
    try:
        yield
    except OSError as error:
        raise WorldFileError(path, error.strerror or str(error), _advice_for(error, path)) from error
    except (sqlite3.Error, DBAPIError) as error:
        raise_for_file(error, path)
        raise
    except UnicodeDecodeError as error:
        raise WorldFileError(path, NAMES_NO_TEXT) from error
