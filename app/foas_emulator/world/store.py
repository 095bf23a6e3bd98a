"""One world's database: SQLModel tables, SQLAlchemy Core statements, one held SQLite connection."""

import itertools
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from sqlalchemy import (
    Connection,
    CursorResult,
    Executable,
    MetaData,
    Select,
    Table,
    bindparam,
    create_engine,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.orm import registry
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

SCHEMA_VERSION = 1
"""Version of the table layout, kept in a database's `user_version`. A file of a newer version is refused."""

PAGE_SIZE = 1024
"""Bytes of a database page. Most of an emulated world's tables hold a few rows, so a small page keeps a world small."""


class Row(SQLModel, registry=registry(metadata=MetaData())):
    """Base of every table. Its registry is the emulator's own, so tables of a host program never mix with ours."""

    @classmethod
    def of(cls, **columns: Any) -> Self:
        """A row of these columns, which are not validated; the others take their defaults."""
        return cast(Self, cls.model_construct(**columns))

    @classmethod
    def table(cls) -> Table:
        """The SQLAlchemy table of this model, for Core statements."""
        return cast(Table, cls.__table__)  # type: ignore[attr-defined]


R = TypeVar("R", bound=Row)
Values = Mapping[str, Any]


class NewerStoreError(Exception):
    """A database file was written by a newer version of the emulator; it was left untouched."""


class Connections:
    """The one engine that all worlds draw their connections from.

    An engine per world would cost up to a mebibyte and thirty milliseconds. Transactions are the store's own
    statements, hence AUTOCOMMIT.
    """

    def __init__(self) -> None:
        self._target = ":memory:"
        self._revisions = itertools.count(1)
        self._engine = create_engine("sqlite://", creator=self._open, poolclass=NullPool, isolation_level="AUTOCOMMIT")

    def connect(self, path: Path | None) -> Connection:
        """A connection to a database file, or to a new database in memory."""
        self._target = ":memory:" if path is None else str(path)
        return self._engine.connect()

    def next_revision(self) -> int:
        """A number that no state of any world has had in this process."""
        return next(self._revisions)

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._target, isolation_level=None, check_same_thread=False)


def empty_image(connections: Connections) -> bytes:
    """A database image that holds every table and no row."""
    with connections.connect(None) as connection:
        connection.exec_driver_sql(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
        Row.metadata.create_all(connection)
        return cast(sqlite3.Connection, connection.connection.driver_connection).serialize()


class Store:
    """Statements on one database, in memory or in a file.

    Reads run outside a transaction; a write belongs inside `transaction()`. Everything is synchronous: a statement
    takes microseconds, and one request's transaction ends before the next request begins.
    """

    def __init__(self, connections: Connections, *, image: bytes, path: Path | None = None) -> None:
        """Open `path`, creating it from `image` if it is absent; without a path load `image` into memory."""
        self.path = path
        self.revision = connections.next_revision()
        self._next_revision = connections.next_revision
        self._depth = 0
        if path is not None and not path.exists():
            _create(path, image)
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

    # -- whole images

    def image(self) -> bytes:
        """The whole database as bytes that `load` and `Store(image=...)` accept."""
        with sqlite3.connect(":memory:") as copy:
            self._raw.backup(copy)  # unlike serialize() it leaves no write-ahead mode behind in the header
            image = copy.serialize()
        copy.close()
        return image

    def load(self, image: bytes) -> None:
        """Replace everything by the contents of `image`, all or nothing."""
        self.revision = self._next_revision()
        if self.path is None:
            self._raw.deserialize(image)
            return
        source = sqlite3.connect(":memory:")
        source.deserialize(image)
        source.backup(self._raw)
        source.close()

    def close(self) -> None:
        self._connection.close()

    # -- transactions

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside take effect together or, if anything is raised, not at all. Nested uses join."""
        if self._depth:
            yield
            return
        self._raw.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
        except BaseException:
            self._raw.execute("ROLLBACK")
            raise
        else:
            self._raw.execute("COMMIT")
            self.revision = self._next_revision()
        finally:
            self._depth = 0

    # -- statements

    def execute(self, statement: Executable, values: Values | Sequence[Values] | None = None) -> CursorResult[Any]:
        """Run one Core statement."""
        return self._connection.execute(statement, values)

    def fetch(self, model: type[R], statement: Select[Any], values: Values | None = None) -> list[R]:
        """The rows of a `select` over all columns of `model`."""
        return [model.of(**row) for row in self._connection.execute(statement, values).mappings()]

    def find(self, model: type[R], /, **equals: Any) -> list[R]:
        """All rows with these values, in order of the primary key. `None` matches NULL."""
        return self.fetch(model, _select(model, tuple(equals)), equals)

    def get(self, model: type[R], /, **equals: Any) -> R | None:
        """The first row with these values, or None."""
        row = self._connection.execute(_select(model, tuple(equals)), equals).mappings().first()
        return None if row is None else model.of(**row)

    def count(self, model: type[Row], /, **equals: Any) -> int:
        """How many rows have these values."""
        return cast(int, self._connection.execute(_count(model, tuple(equals)), equals).scalar_one())

    def counts(self) -> dict[str, int]:
        """How many rows every table has."""
        return {
            name: self._connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in Row.metadata.tables.items()
        }

    def insert(self, *rows: Row) -> None:
        """Add rows. A row whose primary key exists raises `sqlalchemy.exc.IntegrityError`."""
        for row in rows:
            self._connection.execute(type(row).table().insert(), row.model_dump())

    def update(self, model: type[Row], where: Values, /, **values: Any) -> int:
        """Change the rows that match `where`; answers how many there were."""
        statement = _update(model, tuple(where), tuple(values))
        parameters = {f"where_{name}": value for name, value in where.items()} | values
        return self._connection.execute(statement, parameters).rowcount

    def delete(self, model: type[Row], /, **equals: Any) -> int:
        """Remove the rows with these values; answers how many there were."""
        return self._connection.execute(_delete(model, tuple(equals)), equals).rowcount


def _create(path: Path, image: bytes) -> None:
    """Put a database file in its place at once: whoever is killed meanwhile leaves none, or a whole one."""
    beginning = path.with_suffix(".new")
    beginning.write_bytes(image)
    beginning.replace(path)


# Building a statement costs three times as much as running it, so each shape is built once.


@lru_cache(maxsize=512)
def _select(model: type[Row], names: tuple[str, ...]) -> Select[Any]:
    return select(model.table()).where(*_matches(model, names)).order_by(*model.table().primary_key)


@lru_cache(maxsize=128)
def _count(model: type[Row], names: tuple[str, ...]) -> Select[Any]:
    return select(func.count()).select_from(model.table()).where(*_matches(model, names))


@lru_cache(maxsize=128)
def _delete(model: type[Row], names: tuple[str, ...]) -> Executable:
    return delete(model.table()).where(*_matches(model, names))


@lru_cache(maxsize=512)
def _update(model: type[Row], where: tuple[str, ...], values: tuple[str, ...]) -> Executable:
    return (
        update(model.table())
        .where(*_matches(model, where, prefix="where_"))
        .values({name: bindparam(name) for name in values})
    )


def _matches(model: type[Row], names: tuple[str, ...], prefix: str = "") -> list[Any]:
    columns = model.table().c
    return [columns[name].is_not_distinct_from(bindparam(prefix + name)) for name in names]
