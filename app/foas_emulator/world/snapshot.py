"""A whole world as one document: every row of every table, sorted, so that two snapshots can be compared by eye."""

import json
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Table, TypeDecorator, select

from foas_emulator.world.clock import ClockRow
from foas_emulator.world.pending import PendingChange
from foas_emulator.world.settings import read_setting
from foas_emulator.world.store import SCHEMA_VERSION, Connections, Row, Store
from foas_emulator.world.world import World, WorldRow

VERSION = "snapshot_version"
"""The member of a snapshot that says which layout its tables have."""


class SnapshotError(ValueError):
    """A document that is no snapshot, or none that this emulator can restore."""


def take_snapshot(world: World) -> dict[str, Any]:
    """The world as a document: tables by name, rows by primary key, every column of each row by name."""
    tables = {name: _rows(world.store, table) for name, table in _tables().items()}
    return {VERSION: SCHEMA_VERSION, "tables": tables}


def _rows(store: Store, table: Table) -> list[dict[str, Any]]:
    rows = store.execute(select(table).order_by(*table.primary_key)).mappings()
    names = sorted(table.columns.keys())
    return [{name: row[name] for name in names} for row in rows]


def write_snapshot(document: Mapping[str, Any]) -> str:
    """A snapshot as JSON with every row on a line of its own."""
    tables = ",\n".join(f"{json.dumps(name)}: {_lines(rows)}" for name, rows in document["tables"].items())
    return f'{{"{VERSION}": {document[VERSION]}, "tables": {{\n{tables}\n}}}}\n'


def _lines(rows: Sequence[Mapping[str, Any]]) -> str:
    return "[" + ",".join("\n  " + json.dumps(row, ensure_ascii=False) for row in rows) + "]"


def read_snapshot(
    document: Any,
    *,
    connections: Connections,
    kinds: Collection[str],
    check: Callable[[Store], None] | None = None,
) -> bytes:
    """The image of a world that is what a snapshot says. Raises `SnapshotError`.

    `kinds` are the kinds of subjects that pending changes can have. `check` raises ValueError for rows that others
    than the world could not read.
    """
    tables = _check_document(document)
    store = Store(connections, image=connections.empty_image)
    try:
        with store.transaction():
            for name, rows in tables.items():
                store.fill(_tables()[name], rows)
    except (OverflowError, UnicodeError, sqlite3.IntegrityError) as error:
        raise SnapshotError(f"its rows cannot be stored: {error}") from None
    else:
        _check_state(store, kinds, check)
        return store.image()
    finally:
        store.close()


def _tables() -> dict[str, Table]:
    return {name: Row.metadata.tables[name] for name in sorted(Row.metadata.tables)}


# -- the shape of the document


def _check_document(document: Any) -> Mapping[str, list[dict[str, Any]]]:
    if not isinstance(document, Mapping) or VERSION not in document:
        raise SnapshotError(f"a snapshot is an object with {VERSION} and tables")
    if document[VERSION] != SCHEMA_VERSION:
        raise SnapshotError(
            f"its {VERSION} is {document[VERSION]!r}, and this emulator restores {SCHEMA_VERSION}: "
            "take it again with this version"
        )
    tables = document.get("tables")
    if not isinstance(tables, Mapping):
        raise SnapshotError("its tables are not an object")
    known = _tables()
    for name, rows in tables.items():
        if name not in known:
            raise SnapshotError(f"there is no table {name!r}; there are: {', '.join(known)}")
        _check_rows(known[name], rows)
    return tables


def _check_rows(table: Table, rows: Any) -> None:
    if not isinstance(rows, Sequence):
        raise SnapshotError(f"{table.name} is not a list of rows")
    columns = [(column.name, _types(column)) for column in table.columns]
    names = {name for name, _ in columns}
    for position, row in enumerate(rows):
        if not isinstance(row, Mapping) or row.keys() != names:
            members = ", ".join(sorted(names))
            raise SnapshotError(f"{table.name}[{position}] does not have exactly the members {members}")
        for name, types in columns:
            if type(row[name]) not in types:
                raise SnapshotError(f"{table.name}[{position}].{name} is {row[name]!r}, which it cannot be")


def _types(column: "Column[Any]") -> tuple[type, ...]:
    """The types a column's value can have; a whole number is a float, too."""
    declared = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    plain = declared.python_type
    types = (float, int) if plain is float else (plain,)
    return (*types, type(None)) if column.nullable else types


# -- what the world itself reads from its rows


def _check_state(store: Store, kinds: Collection[str], check: Callable[[Store], None] | None) -> None:
    if [(row.id, row.template_at) for row in store.find(WorldRow)] != [(1, None)]:
        raise SnapshotError("world does not hold one row, with id 1 and no template_at")
    if [(row.id, row.mode) for row in store.find(ClockRow)] not in ([], [(1, "real")], [(1, "frozen")]):
        raise SnapshotError("clock does not hold at most one row, with id 1 and mode real or frozen")
    try:
        for name, value in json.loads(store.find(WorldRow)[0].settings).items():
            read_setting(name, value)
        for change in store.find(PendingChange):
            change.read_details()
        if check is not None:
            check(store)
    except (ValueError, AttributeError) as error:
        raise SnapshotError(f"its world cannot be: {error}") from None
    unknown = [change.what for change in store.find(PendingChange) if change.kind not in kinds]
    if unknown:
        raise SnapshotError(f"nothing is known of pending changes like {unknown[0]!r}")
