"""Images of databases that are in use, taken by another thread in steps between which their user goes on.

SQLite's online backup reads over the connection in use, so it sees each commit of that connection and need not begin
anew: the image is what the database was at one instant. Over a connection of its own it could not read a database in
memory at all. The image goes through a file, since Python hands out what SQLite has in memory in one piece, and holds
the interpreter for a millisecond for every two or three mebibytes meanwhile; the bytes of a file are read without it.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from time import sleep

IS_POSSIBLE = sqlite3.threadsafety == 3  # noqa: PLR2004 - serialized: threads may share a connection
"""Whether this SQLite lets two threads use one connection, as the standard builds of Python do."""

PAGES = 256
"""Pages that are read in one step: whoever uses the connection waits half a millisecond for them at most."""
_PAUSE_S = 0.0001
"""Seconds between two steps, or else this thread would be faster to take the connection again than one that waits."""
_RETRY_S = 0.001
"""Seconds until the next try to read while a transaction is open."""


class BackupEndedError(Exception):
    """The user of the database has ended the backup before it was whole."""


class OnlineBackup:
    """The backups of one database, one after another; its user ends them before it is replaced or closed."""

    __slots__ = ("_at_work", "_is_ending")

    def __init__(self) -> None:
        self._at_work = Lock()
        self._is_ending = False

    def image(self, connection: Callable[[], sqlite3.Connection]) -> bytes:
        """Return the image of the database that `connection` returns a connection to by the time this may begin.

        Raise `BackupEndedError`, and OSError or `sqlite3.Error` if there is no room for a temporary file, of which
        nothing is left however this ends.
        """
        with TemporaryDirectory(prefix="foas-emulator-") as directory:
            path = Path(directory) / "copy.db"
            with closing(sqlite3.connect(path, isolation_level=None)) as copy:
                copy.execute("PRAGMA synchronous = OFF")
                copy.execute("PRAGMA journal_mode = OFF")
                with self._at_work:
                    connection().backup(copy, pages=PAGES, progress=self._pause, sleep=_RETRY_S)
            with path.open("r+b") as file:
                # A database in memory cannot be in write-ahead mode, which two bytes of the header say.
                file.seek(18)
                file.write(b"\x01\x01")
            return path.read_bytes()

    def _pause(self, _status: int, _remaining: int, _total: int) -> None:
        if self._is_ending:
            raise BackupEndedError
        sleep(_PAUSE_S)

    @contextmanager
    def ended(self) -> Iterator[None]:
        """End the backup that is being made, which takes one step, and let none begin until this is left."""
        self._is_ending = True
        with self._at_work:
            self._is_ending = False
            yield
