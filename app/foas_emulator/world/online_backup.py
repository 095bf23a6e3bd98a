"""Images of databases in use, taken by another thread in steps between which the user of the database continues.

SQLite's online backup reads over the connection in use, so it sees each commit of that connection and need not start
again: the image is the state of the database at one instant. A separate connection could not read a database in memory
at all. The image goes through a file, because Python copies SQLite's memory in one piece and holds the interpreter lock
for a millisecond for every two or three mebibytes; the bytes of a file are read without it.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from time import sleep

IS_POSSIBLE = sqlite3.threadsafety == 3  # noqa: PLR2004 - serialized: threads may share a connection
"""Whether this SQLite allows two threads to use one connection, as in the standard builds of Python."""

PAGES = 256
"""Pages to read in one step: a user of the connection waits for them half a millisecond at most."""
_PAUSE_S = 0.0001
"""Seconds between two steps; without a pause, this thread would get the connection again before a waiting one."""
_RETRY_S = 0.001
"""Seconds until the next try to read while a transaction is open."""


class BackupEndedError(Exception):
    """The user of the database has ended the backup before it was complete."""


class OnlineBackup:
    """The backups of one database, one at a time; its user ends them before it replaces or closes the database."""

    __slots__ = ("_at_work", "_is_ending")

    def __init__(self) -> None:
        self._at_work = Lock()
        self._is_ending = False

    def image(self, connection: Callable[[], sqlite3.Connection]) -> bytes:
        """Return the image of a database; `connection` returns the connection to it once this backup may begin.

        Raise `BackupEndedError`, and OSError or `sqlite3.Error` if there is no room for a temporary file, which is
        removed in any case.
        """
        temporary = TemporaryDirectory(prefix="foas-emulator-")
        with temporary as directory:
            path = Path(directory) / "copy.db"
            alone = f"{path.as_uri()}?nolock=1"  # SQLite would wait for ever where the system gives it no lock
            with path.open("x+b") as file, closing(sqlite3.connect(alone, uri=True, isolation_level=None)) as copy:
                copy.execute("PRAGMA synchronous = OFF")
                copy.execute("PRAGMA journal_mode = OFF")
                copy.execute("SELECT 1 FROM sqlite_master").fetchone()  # opens the file
                if os.name != "nt":
                    temporary.cleanup()  # the open file needs no name, and so not even a kill leaves it behind
                with self._at_work:
                    connection().backup(copy, pages=PAGES, progress=self._pause, sleep=_RETRY_S)
                # A database in memory cannot be in write-ahead mode; two bytes of the header give the mode.
                file.seek(18)
                file.write(b"\x01\x01")
                file.seek(0)
                return file.read()

    def _pause(self, _status: int, _remaining: int, _total: int) -> None:
        if self._is_ending:
            raise BackupEndedError
        sleep(_PAUSE_S)

    @contextmanager
    def ended(self) -> Iterator[None]:
        """End the backup in progress, which takes one step, and let none begin inside the block."""
        self._is_ending = True
        with self._at_work:
            self._is_ending = False
            yield
