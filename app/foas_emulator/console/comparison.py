"""Compare two worlds by table and row, outside the event loop.

Each side is a world as it is now, the origin of a world, or a snapshot in a file.
"""

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from foas_emulator.console.language import mark
from foas_emulator.console.messages import MessageError
from foas_emulator.console.site import Site, View
from foas_emulator.control.documents import parse_document
from foas_emulator.control.errors import ControlError
from foas_emulator.control.images import image_of_snapshot, one_large_at_a_time, origin_of_world
from foas_emulator.control.off_loop import off_loop
from foas_emulator.seeds.limits import weight
from foas_emulator.world import pending
from foas_emulator.world.advance import settle
from foas_emulator.world.connections import Connections
from foas_emulator.world.copying import image_of_world
from foas_emulator.world.file_errors import WorldFileError
from foas_emulator.world.names import WorldLimitError, WorldNameError
from foas_emulator.world.pending import PendingChange
from foas_emulator.world.snapshot import SnapshotError
from foas_emulator.world.store import Store
from foas_emulator.world.tables import equal
from foas_emulator.world.world import WorldRow, leave_template

MOST_ROWS = 50
_LONGEST = 400
_SHORT = 40
_MOST_MEMBERS = 6
MOST_WORLDS = 200
_LEFT_ALONE = frozenset({"counters"})
ORIGIN = "@created"
"""The name for the origin of a world, which no world can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A row that both sides have, with the members that differ: name, left, right."""

    key: str
    members: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDifference:
    """The differences of one table. Lists have at most fifty rows each, by key and summary; the counts cover all."""

    name: str
    added: Sequence[tuple[str, str]]
    removed: Sequence[tuple[str, str]]
    changed: Sequence[Changed]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: the name of a world, `ORIGIN`, or a file with its bytes."""

    name: str
    content: bytes | None = None


class NoImageError(MessageError):
    """A side cannot be compared."""


async def compare_page(view: View) -> dict[str, Any]:
    """Return the context of a comparison: by default, of this world's origin with its present state."""
    name = view.world.name
    return await compared(view, Side(view.query.get("left", ORIGIN)), Side(view.query.get("right", name)))


async def compared(view: View, left: Side, right: Side) -> dict[str, Any]:
    """Return the context of the comparison of two sides."""
    names = [name for name in view.site.registry.names() if name != view.world.name]
    context: dict[str, Any] = {
        "names": names[:MOST_WORLDS],
        "total": len(names),
        "left": left,
        "right": right,
        "origin": ORIGIN,
        "most": MOST_ROWS,
        "differences": [],
        "problem": None,
    }
    try:
        async with one_large_at_a_time(max(size_of(view, left), size_of(view, right))):
            images = []
            for side in (left, right):
                images.append(await image_of(view, side))
                await asyncio.sleep(0)  # an image is copied on the event loop
            context["differences"] = await off_loop(len(images[0]) + len(images[1]), lambda: compare(*images))
    except NoImageError as error:
        context["problem"] = error.title, error.hint  # the frames of the error, and of its cause, hold images and files
    return context


def size_of(view: View, side: Side) -> int:
    """Return about how many bytes the image of a side has."""
    if side.content is not None:
        return len(side.content)
    if side.name == ORIGIN:
        return view.site.registry.origin_size(view.world.name)
    with suppress(WorldFileError, WorldLimitError, WorldNameError):
        world = view.site.registry.open_existing(side.name)  # what is closed has no size
        return 0 if world is None else world.store.size
    return 0


async def image_of(view: View, side: Side) -> bytes:
    """Return the image of a side. Raise `NoImageError`."""
    if side.content is not None:
        return await _image_of_file(view.site, side.name, side.content)
    registry = view.site.registry
    try:
        if side.name == ORIGIN:
            origin = await origin_of_world(registry, view.world.name)
            by, oldest = view.world.postponed_by, pending.oldest(view.world.store)
            begun = partial(_as_begun, origin, registry.connections, view.world.name, postponed_by=by, oldest=oldest)
            return await off_loop(len(origin), begun)
        world = registry.open_existing(side.name)
    except (WorldFileError, WorldLimitError, WorldNameError) as error:
        raise NoImageError(str(error)) from None
    if world is None:
        raise NoImageError(mark("One of these worlds does not exist."), mark("Choose another one."))
    await settle(world)
    return await image_of_world(world)


def _as_begun(
    origin: bytes, connections: Connections, name: str, *, postponed_by: int, oldest: PendingChange | None
) -> bytes:
    """Return the image of a world's origin with its pending changes postponed by as much as those of the world were.

    The oldest change of the world shows by how much, if it is pending in both. Without one, it is what the world
    remembers, which is 0 after its file was opened again; either way it is the same each time.
    """
    with closing(Store(connections, image=origin)) as store:
        same = oldest and store.get(PendingChange, equal(PendingChange.sequence, oldest.sequence))
        by = oldest.at - same.at if oldest and same else postponed_by
        template_at = store.find(WorldRow)[0].template_at
        leave_template(store, name, begun=None if template_at is None else template_at + by)
        return store.own_image()


async def _image_of_file(site: Site, name: str, content: bytes) -> bytes:
    as_yaml = name.lower().endswith((".yaml", ".yml"))
    try:
        return await off_loop(
            weight(content), lambda: image_of_snapshot(parse_document(content, as_yaml=as_yaml).value, site.registry)
        )
    except ControlError as error:
        raise NoImageError(f"{name}: {error.error}", error.hint) from None
    except SnapshotError as error:
        raise NoImageError(mark("This file holds no snapshot of a world."), f"{name}: {error}.") from None


def compare(left: bytes, right: bytes) -> list[TableDifference]:
    """Return the differences of the tables that differ between two images."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA temp_store = MEMORY")  # or else large tables need room on a disk
        connection.deserialize(left)
        connection.execute("ATTACH ':memory:' AS other")
        connection.deserialize(right, name="other")
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        differences = [_table(connection, name) for name in names if name not in _LEFT_ALONE]
    return [each for each in differences if any(each.counts.values())]


def _table(connection: sqlite3.Connection, name: str) -> TableDifference:
    """Return the difference of one table.

    SQLite compares, counts and orders the rows, without blocking other threads; only those to show leave it. `_members`
    takes columns by their names, because those of a file that another version made may have another order.
    """
    columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
    keys = [column["name"] for column in columns if column["pk"]]
    same = " AND ".join(f"mine.{key} = its.{key}" for key in keys)
    differs = " OR ".join(f"mine.{each} IS NOT its.{each}" for each in (column["name"] for column in columns))
    order = ", ".join(f"mine.{key}" for key in keys)

    def only_in(side: str, other: str) -> str:
        return f"{side}.{name} AS mine WHERE NOT EXISTS (SELECT 1 FROM {other}.{name} AS its WHERE {same})"  # noqa: S608

    def count(source: str) -> int:
        return cast(int, connection.execute(f"SELECT count(*) FROM {source}").fetchone()[0])  # noqa: S608 - ours

    def rows(source: str, side: str = "mine") -> list[dict[str, Any]]:
        first = f"SELECT {side}.* FROM {source} ORDER BY {order} LIMIT {MOST_ROWS}"  # noqa: S608 - ours
        return [dict(row) for row in connection.execute(first)]

    def key_of(row: Mapping[str, Any]) -> str:
        return " / ".join(str(row[key]) for key in keys)

    added, removed = only_in("other", "main"), only_in("main", "other")
    changed = f"main.{name} AS mine JOIN other.{name} AS its ON {same} WHERE {differs}"
    return TableDifference(
        name=name,
        added=[(key_of(row), summary(row)) for row in rows(added)],
        removed=[(key_of(row), summary(row)) for row in rows(removed)],
        changed=[
            Changed(key=key_of(left), members=list(_members(left, right)))
            for left, right in zip(rows(changed), rows(changed, "its"), strict=True)
        ],
        counts={"added": count(added), "removed": count(removed), "changed": count(changed)},
    )


def _members(left: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, value in left.items():
        if right.get(name) != value:
            yield name, _shown(value), _shown(right.get(name))


def summary(row: Mapping[str, Any]) -> str:
    """Return one line that identifies a row: its first members that are short and not empty."""
    short = [f"{name}: {value}" for name, value in row.items() if value not in (None, "") and len(str(value)) <= _SHORT]
    return ", ".join(short[:_MOST_MEMBERS])


def _shown(value: Any) -> str:
    text = "–" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
