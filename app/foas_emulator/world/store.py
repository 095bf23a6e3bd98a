"""One world's database: SQLModel tables, SQLAlchemy Core statements, one held SQLite connection."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import (
    Boolean,
    Connection,
    CursorResult,
    Executable,
    MetaData,
    Select,
    Table,
    create_engine,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import InstrumentedAttribute, registry
from sqlalchemy.pool import NullPool, QueuePool
from sqlmodel import SQLModel

from foas_emulator.world import statements

SCHEMA_VERSION = 1
"""Version of the table layout, kept in a database's `user_version`. A file of a newer version is refused."""

PAGE_SIZE = 512
"""Bytes of a database page. Most of an emulated world's tables hold a few rows, so a small page keeps a world small."""

_MEMORY = ":memory:"


_TABLES = registry(metadata=MetaData())


class Row(SQLModel, registry=_TABLES):
    """Base of every table. Its registry is the emulator's own, so tables of a host program never mix with ours."""

    model_config = {"defer_build": True}

    @classmethod
    def table(cls) -> Table:
        """The SQLAlchemy table of this model, for Core statements."""
        return cast(Table, cls.__table__)  # type: ignore[attr-defined]


R = TypeVar("R", bound=Row)
V = TypeVar("V", str, int, float, str | None, int | None, float | None)
Values = Mapping[str, Any]
Condition = tuple[str, str | float | None]
"""A column's name and the value that it has in the rows that are meant; `equal` makes one."""
Change = tuple[str, str | float | None]
"""A column's name and the value that it gets; `assign` makes one."""


def equal(column: V, value: V) -> Condition:
    """The condition that a column has this value, as in `equal(Job.job_name, "job1")`. None matches NULL."""
    return cast(InstrumentedAttribute[Any], column).key, value


def assign(column: V, value: V) -> Change:
    """The change that gives a column this value, as in `assign(Job.code, "SELECT 1")`."""
    return cast(InstrumentedAttribute[Any], column).key, value


class NewerStoreError(Exception):
    """A database file was written by a newer version of the emulator; it was left untouched."""


class Connections:
    """The engine that all worlds draw their connections from.

    An engine per world would cost up to a mebibyte and thirty milliseconds. Transactions are the store's own
    statements, hence AUTOCOMMIT. A few connections to memory are kept when they are given back: loading a new world
    into one of them takes half as long as opening another.
    """

    def __init__(self) -> None:
        _TABLES.configure()  # or else no row that was not made by its class could be read
        self._target = _MEMORY
        kept = QueuePool(self._open, pool_size=4, max_overflow=-1)
        self._memory = create_engine("sqlite://", pool=kept, isolation_level="AUTOCOMMIT")
        self._files = create_engine("sqlite://", pool=NullPool(self._open), isolation_level="AUTOCOMMIT")

    def connect(self, path: Path | None) -> Connection:
        """A connection to a database file, or to one in memory that may still hold what another world left."""
        self._target = _MEMORY if path is None else str(path)
        return (self._memory if path is None else self._files).connect()

    @cached_property
    def empty_image(self) -> bytes:
        """A database image that holds every table and no row."""
        self._target = _MEMORY
        with self._files.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA page_size = {PAGE_SIZE}")
            connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
            Row.metadata.create_all(connection)
            return cast(sqlite3.Connection, connection.connection.driver_connection).serialize()

    def _open(self) -> DBAPIConnection:
        connection = sqlite3.connect(self._target, isolation_level=None, check_same_thread=False)
        return cast(DBAPIConnection, connection)


class Store:
    """Statements on one database, in memory or in a file.

    Reads run outside a transaction; a write belongs inside `transaction()`. Everything is synchronous: a statement
    takes microseconds, and one request's transaction ends before the next request begins.
    """

    __slots__ = ("_connection", "_raw", "path")

    def __init__(self, connections: Connections, *, image: bytes, path: Path | None = None) -> None:
        """Open `path`, creating it from `image` if it is absent; without a path load `image` into memory."""
        self.path = path
        if path is not None and not path.exists():
            write_file(path, image)
        self._connection = connections.connect(path)
        self._raw = cast(sqlite3.Connection, self._connection.connection.driver_connection)
        if path is None:
            self._raw.deserialize(image)
        else:
            self._prepare_file()

    def _prepare_file(self) -> None:
        version = self._raw.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            self._connection.close()
            raise NewerStoreError(
                f"{self.path} has schema version {version}; this emulator reads up to {SCHEMA_VERSION}. "
                "Use a newer emulator, or another --data-dir."
            )
        self._raw.execute("PRAGMA journal_mode = WAL")
        # NORMAL survives the death of the process, which is what is promised; a power cut may lose the last commits.
        self._raw.execute("PRAGMA synchronous = NORMAL")

    def prepare(self) -> None:
        """Have SQLite read what tables there are, which it does before the first statement."""
        self._raw.execute("SELECT 1 FROM sqlite_master").fetchone()

    # -- whole images

    def image(self) -> bytes:
        """The whole database as bytes that `load` and `Store(image=...)` accept."""
        if self.path is None:
            return self._raw.serialize()
        with sqlite3.connect(":memory:") as copy:
            self._raw.backup(copy)
            image = copy.serialize()
        copy.close()
        # A database in memory cannot be in write-ahead mode, which two bytes of the header say.
        return image[:18] + b"\x01\x01" + image[20:]

    def load(self, image: bytes) -> None:
        """Replace everything by the contents of `image`, all or nothing."""
        if self.path is None:
            self._raw.deserialize(image)
            return
        source = sqlite3.connect(":memory:")
        source.deserialize(image)
        source.backup(self._raw)
        source.close()

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()

    # -- transactions

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction has begun and not ended."""
        return self._raw.in_transaction

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside take effect together or, if anything is raised, not at all. Nested uses join."""
        if self.in_transaction:
            yield
            return
        self._raw.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._raw.execute("ROLLBACK")
            raise
        else:
            self._raw.execute("COMMIT")

    # -- statements

    def execute(self, statement: Executable, values: Values | Sequence[Values] | None = None) -> CursorResult[Any]:
        """Run one Core statement."""
        return self._connection.execute(statement, values)

    def fetch(self, model: type[R], statement: Select[Any], values: Values | None = None) -> list[R]:
        """The rows of a `select` over all columns of `model`."""
        return [_construct(model, row) for row in self._connection.execute(statement, values).mappings()]

    def find(self, model: type[R], *conditions: Condition) -> list[R]:
        """Return all rows that meet the conditions, in order of the primary key."""
        values = dict(conditions)
        rows = self._raw.execute(statements.select(model.table(), tuple(values)), values)
        return [_row(model, columns) for columns in rows]

    def get(self, model: type[R], *conditions: Condition) -> R | None:
        """Return the first row that meets the conditions, or None."""
        values = dict(conditions)
        columns = self._raw.execute(statements.select(model.table(), tuple(values)), values).fetchone()
        return None if columns is None else _row(model, columns)

    def count(self, model: type[Row], *conditions: Condition) -> int:
        """Return how many rows meet the conditions."""
        values = dict(conditions)
        return cast(int, self._raw.execute(statements.count(model.table(), tuple(values)), values).fetchone()[0])

    def least(self, column: V) -> V | None:
        """Return the least value that a column has, None if there is no row."""
        attribute = cast(InstrumentedAttribute[Any], column)
        least = statements.least(attribute.class_.table(), attribute.key)
        return cast(V | None, self._raw.execute(least).fetchone()[0])

    def counts(self) -> dict[str, int]:
        """How many rows every table has."""
        query = "SELECT count(*) FROM {}"
        return {name: self._raw.execute(query.format(name)).fetchone()[0] for name in Row.metadata.tables}

    def insert(self, *rows: Row) -> None:
        """Add rows. A row whose primary key exists raises `sqlite3.IntegrityError`."""
        for row in rows:
            self._raw.execute(statements.insert(row.table()), vars(row))

    def fill(self, table: Table, rows: Sequence[Values]) -> None:
        """Add rows that have a value for every column; many at once, and faster than `insert` does."""
        names = table.columns.keys()
        values = ", ".join("?" * len(names))
        self._raw.executemany(
            f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({values})",  # noqa: S608 - names of our own tables
            [tuple(row[name] for name in names) for row in rows],
        )

    def update(self, model: type[Row], *changes: Change, where: Sequence[Condition]) -> int:
        """Change the rows that meet the conditions; return how many there were."""
        wanted, values = dict(where), dict(changes)
        parameters = {f"where_{name}": value for name, value in wanted.items()} | values
        return self._raw.execute(statements.update(model.table(), tuple(wanted), tuple(values)), parameters).rowcount

    def delete(self, model: type[Row], *conditions: Condition) -> int:
        """Remove the rows that meet the conditions; return how many there were."""
        values = dict(conditions)
        return self._raw.execute(statements.delete(model.table(), tuple(values)), values).rowcount


def write_file(path: Path, content: bytes) -> None:
    """Put a file in its place at once: whoever is killed meanwhile leaves none, or a whole one."""
    beginning = path.with_suffix(".new")
    beginning.write_bytes(content)
    beginning.replace(path)


@cache
def _columns(model: type[Row]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of a table's columns, and of those that hold truth values, which SQLite keeps as numbers."""
    columns = model.table().columns
    return tuple(columns.keys()), tuple(column.name for column in columns if isinstance(column.type, Boolean))


def _row(model: type[R], values: Sequence[Any]) -> R:
    names, truths = _columns(model)
    columns = dict(zip(names, values, strict=True))
    for name in truths:
        columns[name] = bool(columns[name])
    return _construct(model, columns)


def _construct(model: type[R], columns: Mapping[Any, Any]) -> R:
    """Make a row of values for all of its columns, in a third of the time that `model_construct` takes."""
    row: R = model.__new__(model)
    vars(row).update(columns)
    return row
