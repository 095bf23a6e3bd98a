"""One world's database: SQLModel tables, SQLAlchemy Core statements, one held SQLite connection."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn, cast

from sqlalchemy import Connection, CursorResult, Executable, Select, Table
from sqlalchemy.orm import InstrumentedAttribute

from foas_emulator.world import statements
from foas_emulator.world.connections import Connections
from foas_emulator.world.databases import DatabaseBudget, Share
from foas_emulator.world.file_errors import LOCKED, WorldFileError, WorldFullError, file_error, naming
from foas_emulator.world.online_backup import BackupEndedError, OnlineBackup
from foas_emulator.world.owned_files import is_there, remove_beside, require_file, write_file
from foas_emulator.world.soundness import require_sound, use_file
from foas_emulator.world.tables import (
    SCHEMA_VERSION,
    Change,
    Condition,
    R,
    Row,
    V,
    Values,
    row_of_columns,
    row_of_values,
)

LARGE = 1024 * 1024
"""The size in bytes from which copying an image in one piece would delay other threads and the event loop."""

_LEAVE_DELETED = "PRAGMA secure_delete = OFF"
"""Many builds of SQLite overwrite what is deleted with zeros, which takes ten times as long, seconds for a gigabyte."""


class StoreClosedError(Exception):
    """The database has been closed or replaced: its world was dropped, reset, replaced, or closed while it was idle."""


class StoppedError(StoreClosedError):
    """The emulator is being stopped: no world is opened, created or found any more."""


class _Closed:
    """A replacement for a connection that was given back, so that nobody writes into the next user's database."""

    def __getattr__(self, name: str) -> NoReturn:
        raise StoreClosedError("the world was dropped, or closed while it was idle")


class WriteOutsideTransactionError(RuntimeError):
    """The emulator wrote to a world without a transaction, which only operations that write have."""


class Store:
    """Statements on one database, in memory or in a file.

    Reads run outside a transaction. A write runs inside `transaction()`, which gives the database a new `revision`;
    outside, it raises `WriteOutsideTransactionError`. Everything is synchronous: a statement takes microseconds, and
    one request's transaction ends before the next request begins.
    """

    __slots__ = ("_backup", "_connection", "_raw", "_share", "path", "revision")

    def __init__(self, connections: Connections, *, image: bytes, path: Path | None = None) -> None:
        """Open `path`, creating it from `image` if it is absent; without a path load `image` into memory.

        Raise `WorldFileError` for a file that cannot be used, and leave it unchanged.
        """
        self.path = path
        self._backup = OnlineBackup()
        self._share: Share | None = None
        self.revision = object()
        """Identifies the present contents: a new object after every commit, load and close."""
        if path is None:
            self._connect(connections)
            self._deserialize(image)
            return
        require_file(path)
        with naming(path):
            if not is_there(path):
                remove_beside(path)
                write_file(path, image)
            with path.open("r+b") as file:  # fails if the file may not be written; an exclusive lock would not
                if not file.read(1):
                    raise WorldFileError(path, "it is empty")
            self._connect(connections)
            try:
                use_file(self._raw, path, version=SCHEMA_VERSION, tables=Row.metadata.tables.keys())
                self._raw.execute(_LEAVE_DELETED)
            except BaseException:
                self._connection.close()
                raise

    def _connect(self, connections: Connections) -> None:
        self._connection = connections.connect(self.path)
        self._raw = cast(sqlite3.Connection, self._connection.connection.driver_connection)

    def _deserialize(self, image: bytes) -> None:
        self._raw.deserialize(image)
        self._raw.execute(_LEAVE_DELETED)

    def prepare(self) -> None:
        """Let SQLite read the schema, which it does before the first statement."""
        self._raw.execute("SELECT 1 FROM sqlite_master").fetchone()

    @property
    def writes(self) -> int:
        """How many rows were written over its connection so far, also those that made no revision."""
        return self._raw.total_changes

    # -- whole images

    @property
    def size(self) -> int:
        """The size of the image in bytes."""
        # Two statements: read as tables, they crash SQLite once a connection has been loaded again.
        pages, page = (self._raw.execute(f"PRAGMA {each}").fetchone()[0] for each in ("page_count", "page_size"))
        return cast(int, pages * page)

    @property
    def budget(self) -> DatabaseBudget | None:
        """The budget in which the database counts; None for one in a file, and for one that is no world's."""
        return None if self._share is None else self._share.budget

    def count_in(self, budget: DatabaseBudget | None) -> None:
        """Count the database in a budget from now on, which also limits its growth."""
        self._share = None if budget is None else Share(budget, self._raw)

    def image(self) -> bytes:
        """Return the whole database as bytes that `load` and `Store(image=...)` accept."""
        if self.path is None:
            return self._raw.serialize()
        with closing(sqlite3.connect(":memory:")) as copy:
            self._raw.backup(copy, progress=self._refuse_to_wait)
            try:
                image = copy.serialize()
            except sqlite3.OperationalError as error:
                raise WorldFileError(self.path, f"it is damaged ({error})") from error
        # A database in memory cannot be in write-ahead mode, which two bytes of the header say.
        return require_sound(image[:18] + b"\x01\x01" + image[20:], self.path)

    def image_beside(self) -> bytes:
        """Return the image as `image` does, called in another thread while the store's own thread keeps using it.

        Raise `StoreClosedError` if that loads or closes it, OSError or `sqlite3.Error` if there is no room.
        """
        try:
            return require_sound(self._backup.image(lambda: self._raw), self.path)
        except BackupEndedError:
            raise StoreClosedError("the world was dropped, reset or replaced, or closed while it was idle") from None

    def own_image(self) -> bytes:
        """Return the image of a store that only this thread uses; other threads continue while a large one is taken."""
        if self.size > LARGE:
            with suppress(OSError, RuntimeError, sqlite3.Error):  # as where a world's user takes one
                return self.image_beside()
        return self.image()

    def load(self, image: bytes) -> None:
        """Replace all contents by those of `image`, atomically. Raise `WorldFullError` if it does not fit."""
        if self._share is not None:
            self._share.require(image)
        self.revision = object()
        with self._backup.ended():
            if self.path is None:
                self._deserialize(image)
                if self._share is not None:
                    self._share.replaced(image)
                return
            with closing(sqlite3.connect(":memory:")) as source:
                source.deserialize(image)
                source.backup(self._raw, progress=self._refuse_to_wait)

    def _refuse_to_wait(self, status: int, _remaining: int, _total: int) -> None:
        """Raise `WorldFileError` if another program has locked the file: SQLite would try to copy for ever."""
        if self.path is not None and status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise WorldFileError(self.path, "database is locked", LOCKED)

    def close(self) -> None:
        """Release the connection, and change the revision, so that nothing read before is current."""
        self.revision = object()
        with self._backup.ended():
            connection = self._connection
            if isinstance(connection, _Closed):
                return
            if self.path is None and ((self._share is not None and self._share.is_limited) or self._may_be_large()):
                connection.detach()  # one that is kept for the next world would keep its limit, and all that it holds
            if self._share is not None:
                self._share.release()
            self._raw = cast(sqlite3.Connection, _Closed())
            self._connection = cast(Connection, _Closed())
            connection.close()

    def _may_be_large(self) -> bool:
        try:
            return self.size > LARGE
        except (MemoryError, sqlite3.Error):
            return True

    # -- transactions

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction has begun and not ended."""
        return self._raw.in_transaction

    @contextmanager
    def transaction(self, *, is_admitted: bool = False, may_grow: bool = True) -> Iterator[None]:
        """Run the statements inside as one transaction: if anything is raised, none takes effect. Nested uses join it.

        One that `is_admitted` may let the database grow though its budget is exhausted. After one that only changes
        numbers (`may_grow`) its size is not counted: SQLite would read the schema of a database that was just loaded.
        Raise `WorldFileError` if the file is the cause of an error, as on a full disk.
        """
        if self.in_transaction:
            yield
            return
        try:
            if self._share is not None:
                (self._share.lift_limit if is_admitted else self._share.limit_growth)(self._raw)
            self._raw.execute("BEGIN IMMEDIATE")
            yield
            self._raw.execute("COMMIT")
            if self._share is not None and may_grow:
                self._share.count(self._raw)
        except BaseException as error:
            if self.in_transaction:  # SQLite rolls back by itself when, for example, the disk is full
                self._raw.execute("ROLLBACK")
            translated = file_error(error, self.path)
            if translated is None or translated is error:
                raise
            if isinstance(translated, WorldFullError) and self._share is not None and self._share.is_limited:
                translated = self._share.budget.exhausted()
            raise translated from error
        self.revision = object()

    def _require_transaction(self) -> None:
        if not self._raw.in_transaction:
            raise WriteOutsideTransactionError(
                "A write outside of a transaction: declare the operation as one that writes, or open a transaction."
            )

    # -- statements

    def execute(self, statement: Executable, values: Values | Sequence[Values] | None = None) -> CursorResult[Any]:
        """Run one Core statement; any but a SELECT belongs inside a transaction."""
        if not statement.is_select:
            self._require_transaction()
        return self._connection.execute(statement, values)

    def fetch(self, model: type[R], statement: Select[Any], values: Values | None = None) -> list[R]:
        """Return the rows of a `select` over all columns of `model`."""
        return [row_of_columns(model, row) for row in self._connection.execute(statement, values).mappings()]

    def find(self, model: type[R], *conditions: Condition) -> list[R]:
        """Return all rows that meet the conditions, in order of the primary key."""
        values = dict(conditions)
        rows = self._raw.execute(statements.select(model.table(), tuple(values)), values)
        return [row_of_values(model, columns) for columns in rows]

    def get(self, model: type[R], *conditions: Condition) -> R | None:
        """Return the first row that meets the conditions, or None."""
        values = dict(conditions)
        columns = self._raw.execute(statements.select(model.table(), tuple(values)), values).fetchone()
        return None if columns is None else row_of_values(model, columns)

    def count(self, model: type[Row], *conditions: Condition) -> int:
        """Return the number of rows that meet the conditions."""
        values = dict(conditions)
        return cast(int, self._raw.execute(statements.count(model.table(), tuple(values)), values).fetchone()[0])

    def first(self, model: type[R], column: V, *, most: V) -> R | None:
        """Return the row with the smallest value of a column, if that is at most `most`; ties go by primary key."""
        statement = statements.ascending(model.table(), cast("InstrumentedAttribute[Any]", column).key)
        columns = self._raw.execute(statement, {"most": most}).fetchone()
        return None if columns is None else row_of_values(model, columns)

    def least(self, column: V) -> V | None:
        """Return the smallest value of a column, None if there is no row."""
        attribute = cast("InstrumentedAttribute[Any]", column)
        statement = statements.least(attribute.class_.table(), attribute.key)
        return cast("V | None", self._raw.execute(statement).fetchone()[0])

    def counts(self) -> dict[str, int]:
        """Return the number of rows of every table."""
        query = "SELECT count(*) FROM {}"
        return {name: self._raw.execute(query.format(name)).fetchone()[0] for name in Row.metadata.tables}

    def insert(self, *rows: Row) -> None:
        """Add rows. Raise `sqlite3.IntegrityError` if a primary key exists already."""
        self._require_transaction()
        for row in rows:
            self._raw.execute(statements.insert(row.table()), vars(row))

    def fill(self, table: Table, rows: Iterable[Values]) -> None:
        """Add many rows that have a value for every column, faster than `insert` does."""
        self._require_transaction()
        names = table.columns.keys()
        values = ", ".join("?" * len(names))
        self._raw.executemany(
            f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({values})",  # noqa: S608 - names of our own tables
            (tuple(row[name] for name in names) for row in rows),
        )

    def update(self, model: type[Row], *changes: Change, where: Sequence[Condition]) -> int:
        """Change the rows that meet the conditions; return their number."""
        self._require_transaction()
        return self._update(model, changes, where)

    def update_without_revision(self, model: type[Row], *changes: Change, where: Sequence[Condition]) -> int:
        """Change rows outside a transaction and keep the revision, so that cached responses stay valid.

        Only for columns on which no response of the service depends: the counts of fault rules.
        """
        return self._update(model, changes, where)

    def _update(self, model: type[Row], changes: Sequence[Change], where: Sequence[Condition]) -> int:
        wanted, values = dict(where), dict(changes)
        parameters = {f"where_{name}": value for name, value in wanted.items()} | values
        return self._raw.execute(statements.update(model.table(), tuple(wanted), tuple(values)), parameters).rowcount

    def delete(self, model: type[Row], *conditions: Condition) -> int:
        """Remove the rows that meet the conditions; return their number."""
        self._require_transaction()
        values = dict(conditions)
        return self._raw.execute(statements.delete(model.table(), tuple(values)), values).rowcount
