"""Recognise our files by their headers and tables, and check that they are complete and undamaged."""

import re
import sqlite3
from collections.abc import Set as AbstractSet
from contextlib import closing
from pathlib import Path

from foas_emulator.world.file_errors import NAMES_NO_TEXT, NewerStoreError, WorldFileError

LARGEST_CHECKED = 4 * 1024 * 1024
"""The size in bytes of the largest file that is checked completely before use: at most 20 milliseconds' work.

An image is always checked: a thread reads large ones.
"""

APPLICATION_ID = int.from_bytes(b"FOAS")
"""The `application_id` in the SQLite header of each of our databases."""

PAGE_SIZE = 512
"""The size in bytes of a database page. Most tables of a world have a few rows, so small pages keep a world small."""

_FIRST_BYTES = b"SQLite format 3\x00"
_UNREAD_PAGE = re.compile(r"unable to get the page\. error code=([0-9]+)|failed to get page [0-9]+")
"""What SQLite's check says of a page that it could not read; of the pages of a long text it does not say why."""


def damage_of(image: bytes) -> str | None:
    """Return the reason why an image is not one of ours or is damaged, None if it is valid."""
    if not image:
        return "it is empty"
    if not is_header_of_ours(image[:100]):
        return "it is not a file of foas-emulator"
    if len(image) < size_in(image[:100]):
        return "it is incomplete"
    return _damage_inside(image)


def _damage_inside(image: bytes) -> str | None:
    with closing(sqlite3.connect(":memory:")) as opened:
        opened.deserialize(image)
        try:
            return found_by_check(opened)
        except UnicodeDecodeError:
            return NAMES_NO_TEXT
        except sqlite3.Error as error:
            return f"it is damaged ({error})"


def found_by_check(connection: sqlite3.Connection) -> str | None:
    """Return what SQLite's check of a database finds wrong with it, None if it finds nothing.

    Raise what a statement would raise where the system failed to read a page, which the check takes for damage.
    """
    (first,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if (unread := _UNREAD_PAGE.search(first)) is not None:
        _raise_for(int(unread[1] or sqlite3.SQLITE_IOERR))
    return None if first == "ok" else f"it is damaged ({first.splitlines()[-1]})"


def _raise_for(code: int) -> None:
    if code & 0xFF == sqlite3.SQLITE_NOMEM:
        raise MemoryError
    if code & 0xFF == sqlite3.SQLITE_IOERR:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = code
        raise error


def use_file(connection: sqlite3.Connection, path: Path, *, version: int, tables: AbstractSet[str]) -> None:
    """Set a connection to a file up for a world. Raise `WorldFileError` for one that is newer, not ours or damaged."""
    # This comes first, so that SQLite maps no file to share with other processes: where a disk's blocks are smaller
    # than pages of memory, to write there when the disk is full would end the process (SIGBUS).
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    stored = connection.execute("PRAGMA user_version").fetchone()[0]
    if stored > version:
        raise NewerStoreError(path, version=stored, known=version)
    if not {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")} >= tables:
        raise WorldFileError(path, "it is not a world of foas-emulator")
    reason = found_by_check(connection) if path.stat().st_size <= LARGEST_CHECKED else None
    if reason is not None:
        raise WorldFileError(path, reason)
    connection.execute("PRAGMA journal_mode = WAL")
    # NORMAL survives the death of the process, which is all that we promise; a power cut may lose the last commits.
    connection.execute("PRAGMA synchronous = NORMAL")


def require_sound(image: bytes, path: Path | None) -> bytes:
    """Return an image; raise `WorldFileError` if it was read from a file and is damaged. One in memory has no path."""
    reason = None if path is None else damage_of(image)
    if path is not None and reason is not None:
        raise WorldFileError(path, reason)
    return image


def is_header_of_ours(header: bytes) -> bool:
    """Whether a file has our header. Files of version 0.1.0 lack our id and are recognised by their page size."""
    owner = int.from_bytes(header[68:72])
    before_owners = owner == 0 and int.from_bytes(header[60:64]) == 1 and int.from_bytes(header[16:18]) == PAGE_SIZE
    return header.startswith(_FIRST_BYTES) and (owner == APPLICATION_ID or before_owners)


def size_in(header: bytes) -> int:
    """Return how many bytes a whole file with this header has."""
    pages, page = int.from_bytes(header[28:32]), int.from_bytes(header[16:18])
    return pages * page


def is_in_use(header: bytes) -> bool:
    """Whether a database with this header has been a world's: then it is in write-ahead mode, as no image is."""
    return header[18:19] == b"\x02"
