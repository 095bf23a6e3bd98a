"""A whole world as one document: every row of every table, sorted, so that people can compare two snapshots."""

import json
import math
import re
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, TypeDecorator, literal_column, select

from foas_emulator.showing import abridged
from foas_emulator.world.clock import ClockRow
from foas_emulator.world.connections import Connections
from foas_emulator.world.durations import LONGEST
from foas_emulator.world.ids import LAST_COUNT, Counter
from foas_emulator.world.instants import LAST_INSTANT
from foas_emulator.world.pending import PendingChange, UnknownChangeError, renumber
from foas_emulator.world.settings import read_setting
from foas_emulator.world.store import Store
from foas_emulator.world.tables import OLDEST_FIRST, SCHEMA_VERSION, Row
from foas_emulator.world.world import WorldRow

VERSION = "snapshot_version"
"""The member of a snapshot that gives the version of its table layout."""

_SURROGATE = re.compile("[\ud800-\udfff]")


class SnapshotError(ValueError):
    """A document is not a snapshot, or is one that this emulator cannot restore."""


@contextmanager
def snapshot_of_image(image: bytes, *, connections: Connections) -> Iterator[dict[str, Any]]:
    """Yield the world in an image as a document: tables by name, rows by primary key, every column by name.

    Rows of a table that is `OLDEST_FIRST` are in the order in which they were added. All rows can be read once, since
    there are no lists of them: Python frees a list in one piece, in which no other thread runs.
    """
    store = Store(connections, image=image)
    try:
        yield {VERSION: SCHEMA_VERSION, "tables": {name: _rows(store, table) for name, table in _tables().items()}}
    finally:
        store.close()


def _rows(store: Store, table: Table) -> Iterator[dict[str, Any]]:
    is_oldest_first = OLDEST_FIRST.items() <= table.info.items()
    order: list[ColumnElement[Any]] = [literal_column("rowid")] if is_oldest_first else [*table.primary_key]
    names = sorted(table.columns.keys())
    for row in store.execute(select(table).order_by(*order)).mappings():
        yield {name: row[name] for name in names}


def write_snapshot(document: Mapping[str, Any]) -> bytes:
    """Return a snapshot as JSON, with every row on a line of its own."""
    # Python lets other threads run while it joins bytes, but not while it joins or encodes strings.
    return b"".join([part.encode() for part in _parts(document)])


def _parts(document: Mapping[str, Any]) -> Iterator[str]:
    yield f'{{"{VERSION}": {document[VERSION]}, "tables": {{'
    end_of_table = "\n"
    for name, rows in document["tables"].items():
        yield f"{end_of_table}{json.dumps(name)}: ["
        end_of_row = "\n  "
        for row in rows:
            yield end_of_row + json.dumps(row, ensure_ascii=False)
            end_of_row = ",\n  "
        yield "]"
        end_of_table = ",\n"
    yield "\n}}\n"


def read_snapshot(
    document: Any,
    *,
    connections: Connections,
    kinds: Collection[str],
    check: Callable[[Store], None] | None = None,
) -> bytes:
    """Return the image of the world that a snapshot describes. Raise `SnapshotError`.

    `kinds` are the kinds of subjects that pending changes can have. `check` raises ValueError for rows that no
    operation could have written; it may write to the store, which is discarded afterwards.
    """
    tables = _check_document(document)
    store = Store(connections, image=connections.empty_image)
    try:
        with store.transaction():
            for name, rows in tables.items():
                store.fill(_tables()[name], rows)
            renumber(store)
    except (OverflowError, UnicodeError, sqlite3.IntegrityError) as error:
        raise SnapshotError(f"its rows cannot be stored: {error}") from None
    else:
        image = store.own_image()
        _check_state(store, kinds, check)
        return image
    finally:
        store.close()


def _tables() -> dict[str, Table]:
    return {name: Row.metadata.tables[name] for name in sorted(Row.metadata.tables)}


# -- the shape of the document


def _check_document(document: Any) -> Mapping[str, list[dict[str, Any]]]:
    if not isinstance(document, Mapping) or VERSION not in document:
        raise SnapshotError(f"a snapshot is an object with {VERSION} and tables; a seed is for creating a world")
    if document[VERSION] != SCHEMA_VERSION:
        raise SnapshotError(
            f"its {VERSION} is {abridged(document[VERSION])}, and this emulator restores {SCHEMA_VERSION}: "
            "take it again with this version"
        )
    tables = document.get("tables")
    if not isinstance(tables, Mapping):
        raise SnapshotError("its tables are not an object")
    known = _tables()
    for name, rows in tables.items():
        if name not in known:
            raise SnapshotError(f"there is no table {abridged(name)}; there are: {', '.join(known)}")
        _check_rows(known[name], rows)
    missing = [name for name in known if name not in tables]
    if missing:
        raise SnapshotError(f"it has no table {missing[0]}: a snapshot is whole, with every table, even an empty one")
    return tables


def _check_rows(table: Table, rows: Any) -> None:
    if not isinstance(rows, list):
        raise SnapshotError(f"{table.name} is not a list of rows")
    columns = [(column.name, types_of(column)) for column in table.columns]
    names = {name for name, _ in columns}
    for position, row in enumerate(rows):
        place = f"{table.name}[{position}]"
        if not isinstance(row, Mapping):
            raise SnapshotError(f"{place} is not a row: an object with the members {', '.join(sorted(names))}")
        if row.keys() != names:
            raise SnapshotError(f"{place} {_member_fault(row.keys(), names)}")
        for name, types in columns:
            if type(row[name]) not in types or not _is_storable(row[name]):
                raise SnapshotError(f"{place}.{name} is {abridged(row[name])}, which is not valid there")


def _member_fault(given: Collection[str], names: set[str]) -> str:
    missing = sorted(names.difference(given))
    return f"lacks the member {missing[0]}" if missing else f"has an unknown member {abridged(min(set(given) - names))}"


def _is_storable(value: Any) -> bool:
    """Whether a column can store a value: an integer of 64 bits, a finite number, a text without a lone surrogate."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, str) or value.isascii() or not _SURROGATE.search(value)


def types_of(column: "Column[Any]") -> tuple[type, ...]:
    """Return the types that a column's value may have; a column of floats may also have integers."""
    declared = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    plain = declared.python_type
    types = (float, int) if plain is float else (plain,)
    return (*types, type(None)) if column.nullable else types


# -- the rows that the world itself reads


def _check_state(store: Store, kinds: Collection[str], check: Callable[[Store], None] | None) -> None:
    try:
        _check_world(store)
        _check_clock(store)
        _check_counters(store)
        _check_pending(store, kinds)
        if check is not None:
            check(store)
    except (ValueError, RecursionError) as error:
        raise SnapshotError(f"its world is not valid: {error}") from None


def _check_world(store: Store) -> None:
    if [(row.id, row.template_at) for row in store.find(WorldRow)] != [(1, None)]:
        raise ValueError("world does not hold one row, with id 1 and no template_at")
    for name, value in store.find(WorldRow)[0].read_settings().items():
        try:
            read_setting(name, value)
        except ValueError as error:
            raise ValueError(f"its setting {name} is refused: {error}; take it out of the settings") from None


def _check_clock(store: Store) -> None:
    if [(row.id, row.mode) for row in store.find(ClockRow)] not in ([], [(1, "real")], [(1, "frozen")]):
        raise ValueError("clock does not hold at most one row, with id 1 and mode real or frozen")
    for clock in store.find(ClockRow):
        # One that runs shows either end while it is past it, as any that was set to an end is a moment later.
        least, given = (0, clock.frozen_at) if clock.mode == "frozen" else (-LAST_INSTANT, clock.offset_ms)
        if not least <= given <= LAST_INSTANT:
            raise ValueError("clock shows a time before 1970 or beyond the year 9999")


def _check_counters(store: Store) -> None:
    for counter in store.find(Counter):
        if not 0 <= counter.value <= LAST_COUNT:
            raise ValueError(f"the counter {counter.name!r} is {counter.value}; it may be 0 to {LAST_COUNT}")


def _check_pending(store: Store, kinds: Collection[str]) -> None:
    for change in store.find(PendingChange):
        # A change beyond the year 9999 never happens, and can be planned by a delay all the same.
        if not 0 <= change.at <= LAST_INSTANT + LONGEST:
            raise ValueError(f"the pending change {change.what!r} is due before 1970 or long beyond the year 9999")
        if change.kind not in kinds:
            raise UnknownChangeError(change)
        change.read_details()
