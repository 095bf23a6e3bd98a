"""Two images compared by table and row, outside the event loop; and two texts side by side."""

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from foas_emulator.console.language import mark
from foas_emulator.console.site import View
from foas_emulator.world.advance import settle
from foas_emulator.world.copies import copied

MOST_ROWS = 100
_LONGEST = 400
_SHORT = 40
_TOLD = 6
_LEFT_ALONE = frozenset({"counters"})
ORIGIN = "@created"
"""Stands for what a world was created from; no world can have this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A row that both have, with the members that differ: name, left, right."""

    key: str
    members: Sequence[tuple[str, str, str]]


@dataclass(slots=True, kw_only=True)
class TableDifference:
    """How one table differs. Lists hold a hundred rows each at most, by key and summary; the counts tell of all."""

    name: str
    added: list[tuple[str, str]] = field(default_factory=list)
    removed: list[tuple[str, str]] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: {"added": 0, "removed": 0, "changed": 0})

    def count(self, kind: str, row: Any) -> None:
        """Count a row, and keep it while there is room."""
        kept: list[Any] = getattr(self, kind)
        if len(kept) < MOST_ROWS:
            kept.append(row)
        self.counts[kind] += 1


async def compare_page(view: View) -> dict[str, Any]:
    """Another world, or what this one was created from, against this world as it is now."""
    names = [name for name in view.site.registry.names() if name != view.world.name]
    wanted = view.query.get("with", ORIGIN)
    left = await image_of(view, wanted)
    differences = None
    if left is not None:
        differences = await asyncio.to_thread(compare, left, view.world.store.image())
    return {
        "others": names[:200],
        "wanted": wanted,
        "origin": ORIGIN,
        "differences": differences,
        "created": mark("as created"),
        "most": MOST_ROWS,
    }


async def image_of(view: View, name: str) -> bytes | None:
    """The image of a world by its name, or what this world was created from; None if there is no such world."""
    if name == ORIGIN:
        with copied(view.world, view.site.registry, image=view.site.registry.origin(view.world.name)) as copy:
            return copy.store.image()
    world = view.site.registry.peek(name)
    if world is None:
        return None
    await settle(world)
    return world.store.image()


def compare(left: bytes, right: bytes) -> list[TableDifference]:
    """The tables that differ between two images."""
    with closing(sqlite3.connect(":memory:")) as one, closing(sqlite3.connect(":memory:")) as other:
        one.deserialize(left)
        other.deserialize(right)
        names = [row[0] for row in other.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        differences = [_table(name, _rows(one, name), _rows(other, name)) for name in names if name not in _LEFT_ALONE]
    return [each for each in differences if any(each.counts.values())]


def _rows(connection: sqlite3.Connection, table: str) -> dict[str, Mapping[str, Any]]:
    """The rows of a table by their primary key, as text."""
    columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
    names = [column[1] for column in columns]
    keys = [column[1] for column in columns if column[5]]
    rows: dict[str, Mapping[str, Any]] = {}
    for values in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608 - names of our own tables
        row = dict(zip(names, values, strict=True))
        rows[" / ".join(str(row[key]) for key in keys)] = row
    return rows


def _table(name: str, left: Mapping[str, Any], right: Mapping[str, Any]) -> TableDifference:
    found = TableDifference(name=name)
    for key in sorted(left.keys() | right.keys()):
        if key not in left:
            found.count("added", (key, summary(right[key])))
        elif key not in right:
            found.count("removed", (key, summary(left[key])))
        elif left[key] != right[key]:
            found.count("changed", Changed(key=key, members=list(_members(left[key], right[key]))))
    return found


def _members(left: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, value in left.items():
        if right.get(name) != value:
            yield name, _shown(value), _shown(right.get(name))


def summary(row: Mapping[str, Any]) -> str:
    """What tells a row from others, in one line: its first members that are short and say something."""
    told = [f"{name}: {value}" for name, value in row.items() if value not in (None, "") and len(str(value)) <= _SHORT]
    return ", ".join(told[:_TOLD])


def _shown(value: Any) -> str:
    text = "–" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def side_by_side(text: str, differences: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the server signs, line by line, beside what the client signed, with the first difference marked.

    The client's text is not sent, only its signature; where the mistake was found, its line is known.
    """
    first = differences[0] if differences else {"field": "", "expected": None, "actual": None}
    expected, actual = first["expected"] or "", first["actual"] or ""
    lines = []
    is_found = False
    for line in text.split("\n"):
        differs = not is_found and bool(expected) and bool(actual) and expected in line
        is_found = is_found or differs
        lines.append((line, line.replace(expected, actual, 1) if differs else line, differs))
    return {"lines": lines, "first": first, "differences": differences, "is_found": is_found}
