"""The connections to databases that worlds take and give back."""

import errno
import sqlite3
import threading
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, create_engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import NullPool, QueuePool

from foas_emulator.world.soundness import APPLICATION_ID, PAGE_SIZE
from foas_emulator.world.tables import SCHEMA_VERSION, TABLES, Row

_MEMORY = ":memory:"

_UNFIT = (
    f"this Python was built with an SQLite that lacks deserialize, as before 3.36 (it has {sqlite3.sqlite_version}); "
    "use another Python, such as that of the Docker image"
)

_WAIT_S = 0.01
"""Seconds to wait for another program that has locked a world's file: all requests wait meanwhile."""


class _ClosedWhenFreed(sqlite3.Connection):
    """A connection that is closed when its pool is freed; otherwise Python warns from 3.13 on."""

    def __del__(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it could not be opened
            self.close()


class Connections:
    """The engine from which all worlds get their connections.

    An engine per world would take up to a mebibyte and thirty milliseconds. Transactions are the store's own
    statements, hence AUTOCOMMIT. A few connections to memory are reused: loading a world into one of them takes half
    as long as opening another. Any thread may use them.
    """

    def __init__(self) -> None:
        """Raise OSError where Python cannot read and write databases as bytes, which worlds begin with."""
        if not hasattr(sqlite3.Connection, "deserialize"):
            raise OSError(errno.ENOTSUP, _UNFIT)
        TABLES.configure()  # otherwise rows that `row_of_columns` makes could not be read
        self._target = threading.local()
        pool = QueuePool(self._open, pool_size=4, max_overflow=-1)
        self._memory = create_engine("sqlite://", pool=pool, isolation_level="AUTOCOMMIT")
        self._files = create_engine("sqlite://", pool=NullPool(self._open), isolation_level="AUTOCOMMIT")

    def connect(self, path: Path | None) -> Connection:
        """Return a connection to a database file, or to one in memory that may still hold another world's rows."""
        self._target.name = _MEMORY if path is None else str(path)
        return (self._memory if path is None else self._files).connect()

    @cached_property
    def empty_image(self) -> bytes:
        """The image of a database with all tables and no rows."""
        self._target.name = _MEMORY
        with self._files.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA page_size = {PAGE_SIZE}")
            connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            Row.metadata.create_all(connection)
            return cast(sqlite3.Connection, connection.connection.driver_connection).serialize()

    def _open(self) -> DBAPIConnection:
        connection = sqlite3.connect(
            self._target.name,
            timeout=_WAIT_S,
            isolation_level=None,
            check_same_thread=False,
            factory=_ClosedWhenFreed,
        )
        return cast(DBAPIConnection, connection)
