"""The simple statements on a table, as SQL with named parameters.

SQLAlchemy Core builds each statement once and compiles it for SQLite: to compile it for every use would take five times
as long as SQLite takes to run it.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy
from sqlalchemy import ClauseElement, Table, bindparam, func
from sqlalchemy.dialects import sqlite

_DIALECT = sqlite.dialect(paramstyle="named")

Names = tuple[str, ...]


@lru_cache(maxsize=512)
def select(table: Table, equals: Names) -> str:
    """Return a SELECT of the rows with these values, in order of the primary key. NULL equals NULL."""
    return _sql(table.select().where(*_matches(table, equals)).order_by(*table.primary_key))


@lru_cache(maxsize=128)
def count(table: Table, equals: Names) -> str:
    """Return a SELECT that counts the rows with these values."""
    return _sql(sqlalchemy.select(func.count()).select_from(table).where(*_matches(table, equals)))


@lru_cache(maxsize=128)
def least(table: Table, column: str) -> str:
    """Return a SELECT of the smallest value of a column."""
    return _sql(sqlalchemy.select(func.min(table.c[column])))


@lru_cache(maxsize=128)
def ascending(table: Table, column: str) -> str:
    """Return a SELECT of the rows whose column is at most `most`, in order of the column and the primary key."""
    ordered = table.c[column]
    return _sql(table.select().where(ordered <= bindparam("most")).order_by(ordered, *table.primary_key))


@lru_cache(maxsize=128)
def insert(table: Table) -> str:
    """Return an INSERT of a row with a value for every column."""
    return _sql(table.insert())


@lru_cache(maxsize=128)
def delete(table: Table, equals: Names) -> str:
    """Return a DELETE of the rows with these values."""
    return _sql(table.delete().where(*_matches(table, equals)))


@lru_cache(maxsize=512)
def update(table: Table, where: Names, values: Names) -> str:
    """Return an UPDATE of columns of the rows that have the values `where_<name>`."""
    changed = table.update().where(*_matches(table, where, prefix="where_"))
    return _sql(changed.values({name: bindparam(name) for name in values}))


def _matches(table: Table, names: Sequence[str], prefix: str = "") -> list[Any]:
    return [table.c[name].is_not_distinct_from(bindparam(prefix + name)) for name in names]


def _sql(statement: ClauseElement) -> str:
    return str(statement.compile(dialect=_DIALECT))
