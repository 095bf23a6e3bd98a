"""Let requests store hostile contents, read all that can be read of them, and tell what that costs.

Pages, copies, snapshots and the seeds that pages offer are read, too: what may be stored must not harm its readers.
"""

import json
import random
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from html import unescape
from itertools import count, islice
from typing import Any
from urllib.parse import urljoin

import httpx

from foas_emulator.settings import Settings
from tests.endurance.figures import Bounds, Figures, main
from tests.endurance.grammar import SERVED
from tests.endurance.positions import COUNTED, DOCUMENTS, every_tree, filled, reset_worlds, size_of, watched
from tests.endurance.trees import Page, Place, Tree, tree

WORLD = SERVED[0]
"""The world in which all is stored."""
WRITES = ("POST", "PUT")
MOST_STORED, IN_A_ROW = 20, 40
"""After so many requests that were accepted, or that were made, all is read, and the world begins anew."""
REPLACING = 5
"""After the requests in a row, so many that replace the world: after each that is accepted all is read."""
AGAIN = 0.2
"""The share of positions whose content was refused before."""

MOST_ROWS = 5
"""So many new or changed rows have their names in reads."""
MOST_PAGES = 50
"""Pages of the console that are read in a world, those that are new first."""
COPY, FORK, GROWN = "pairs-copy", "pairs-fork", "pairs-grown"
"""The worlds that a snapshot, a fork and the console's seeds go into."""
JSON, YAML = "application/json", "application/yaml"
_KINDS = {"projects": "project_name", "jobs": "job_name", "packages": "package_name", "clusters": "cluster_id"}
"""The names that follow a segment of a path; a number of an instance follows `instances` and `instance`."""
_ALIASES = {"projects": {"name": "project_name"}, "instances": {"id": "instance_id"}}
_SEED = re.compile(r'<pre [^>]*aria-label="seed">(.*?)</pre>', re.DOTALL)

TEXT = ""
Row = Mapping[str, Any]
Position = tuple[Tree, Place]
Ask = Callable[[Tree], tuple[int, bytes]]
"""Makes a request; returns status and bytes of the answer."""


class World:
    """A world that requests have changed, as it was before."""

    def __init__(self, client: httpx.Client, name: str) -> None:
        self._client = client
        self.name = name
        self._before = {*_written(self._tables())}

    def _tables(self) -> Mapping[str, Any]:
        answer = self._client.get(f"/_emulator/worlds/{self.name}/snapshot")
        tables: Mapping[str, Any] = answer.json().get("tables", {}) if answer.status_code == 200 else {}
        return tables

    def new_rows(self, chance: random.Random) -> Iterator[Row]:
        """Yield a few rows that are new or have changed, of as many tables, with the names that parameters have."""
        tables = [*self._tables().items()]
        for table, rows in chance.sample(tables, len(tables)):
            new = [row for row in rows if _row(table, row) not in self._before]
            if new:
                row = chance.choice(new)
                yield {**row, **{alias: row[name] for name, alias in _ALIASES.get(table, {}).items()}}

    def reads(self, gets: Sequence[Tree], chance: random.Random) -> Iterator[Tree]:
        """Yield every read of the control API, then of the service in both formats, with the names of new rows."""
        rows = [*islice(self.new_rows(chance), MOST_ROWS)]
        api = f"/_emulator/worlds/{self.name}"
        yield from (tree("GET", f"{api}/faults/{row['id']}", "", None, {}) for row in rows if "hits" in row)
        yield from (each for each in gets if each.parts["path"][0] == "_emulator" and not _is_page(each))
        yield tree("GET", f"{api}/faults", "", None, {})
        yield tree("DELETE", f"{api}/faults", "", None, {})  # or else reads of the service would wait and fail
        yield tree("PUT", f"{api}/settings", JSON, {"latency": 0, "error_rate": 0, "signature": "off"}, {})
        for each in gets:
            if each.parts["path"][0] == "api":
                named = (found for row in rows if (found := with_names(each, row)) is not None)
                for found in {str(found.parts): found for found in (each, *named)}.values():
                    yield from (found.with_value(("query", "Format"), format_) for format_ in ("JSON", "XML"))
        for query in ("limit=1000", "last=20", "failed=true&last=20", "unread=true", "operation=C*&code=Inv*"):
            yield tree("GET", f"{api}/journal?{query}", "", None, {})
        yield tree("POST", f"{api}/clock/advance?dry_run=true", JSON, {"until": "idle"}, {})
        for expected in ({"count": {"exactly": 0}}, {"in_order": ["CreateJob", "*", "CreateJob"]}):
            yield tree("POST", f"{api}/journal/verify", JSON, {"operation": "*", **expected}, {})


def with_names(given: Tree, row: Row) -> Tree | None:
    """Return a request for what a row names, None if it names nothing that the request has."""
    path, changed = given.parts["path"], given
    for place, kind in enumerate(path[:-1]):
        name = "instance_id" if kind.startswith("instance") else _KINDS.get(kind, "")
        if row.get(name):
            changed = changed.with_value(("path", place + 1), str(row[name]))
    for name in given.parts["query"]:
        value = row.get(re.sub("([A-Z])", r"_\1", name).lower())
        if isinstance(value, str) and 0 < len(value) < 4000:
            changed = changed.with_value(("query", name), value)
    return None if changed is given else changed


def read_all(ask: Ask, figures: Figures, world: World, gets: Sequence[Tree], chance: random.Random) -> None:
    """Read all of a world: by the service and the control API, on pages, in copies, as a snapshot and as seeds."""
    name, api = world.name, f"/_emulator/worlds/{world.name}"
    for each in world.reads(gets, chance):
        ask(each)
    usual = {each.target for each in gets if _is_page(each)}
    for seed in read_pages(ask, f"/_emulator/console/w/{name}/", usual):
        body = "seed:\n" + "".join(f"  {line}\n" for line in seed.split("\n"))
        status, answer = ask(tree("PUT", f"/_emulator/worlds/{GROWN}", YAML, TEXT, {}).with_bare(("body",), body))
        figures.require(f"a seed that a page offers is refused: {answer[-600:]!r} {seed[:2000]!r}", holds=status < 400)
    status, answer = ask(tree("GET", f"{api}/snapshot", "", None, {}))
    if status == 200:
        snapshot = answer.partition(b"\r\n\r\n")[2].decode()
        put = tree("PUT", f"/_emulator/worlds/{COPY}/snapshot", JSON, TEXT, {}).with_bare(("body",), snapshot)
        status, answer = ask(put)
        figures.require(f"a snapshot of {name} is refused: {answer[-600:]!r}", holds=status < 400)
    ask(tree("PUT", f"/_emulator/worlds/{FORK}", JSON, {"fork": name}, {}))
    for left, right in (("@created", name), (name, COPY), (FORK, COPY)):
        ask(tree("GET", f"/_emulator/console/w/{name}/compare?left={left}&right={right}", "", None, {}))
    ask(tree("POST", f"{api}/reset", "", None, {}))


def read_pages(ask: Ask, home: str, usual: AbstractSet[str]) -> Iterator[str]:
    """Walk through the console's pages of a world by their links, new ones first; yield the seeds that they offer."""
    seen, ahead = {home}, deque([home])
    for _ in range(MOST_PAGES):
        if not ahead:
            return
        target = ahead.popleft()
        _, answer = ask(tree("GET", target, "", None, {}))
        page = answer.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")
        for link in Page(page).links:
            found = urljoin(target, link)
            is_chosen = "lang=" in found or "theme=" in found  # which leads back to the page
            if found.startswith(home) and found not in seen and not is_chosen:
                seen.add(found)
                (ahead.append if found in usual else ahead.appendleft)(found)
        yield from map(unescape, _SEED.findall(page))


def _written(tables: Mapping[str, Any]) -> Iterator[str]:
    return (_row(table, row) for table, rows in tables.items() for row in rows)


def _row(table: str, row: Row) -> str:
    return table + json.dumps(row, sort_keys=True)


def pairs(*, bounds: Bounds, seed: int, is_counted: bool = False) -> Figures:
    """Fill positions of requests that write; after every few that are accepted, read all of their world.

    `is_counted` is as for `positions`; so is what must hold. Besides, the seeds that pages offer and the
    snapshot of the world must be accepted.
    """
    figures, chance = Figures(), random.Random(seed)
    with watched(figures, Settings(port=0, log_refused=False), is_counted=is_counted) as (client, user):
        reset_worlds(client)
        trees = [_in(WORLD, each) for each in every_tree(client, chance)]
        gets = [each for each in trees if each.method == "GET"]
        world = World(client, WORLD)
        walk = [
            (each, place) for each in trees if each.method in WRITES for place in each.places() if _is_kept(each, place)
        ]
        orders = [_Order([each for each in walk if _replaces(each[0]) is apart], chance) for apart in (False, True)]
        stored: list[str] = []
        written = 0

        def ask(read: Tree) -> tuple[int, bytes]:
            figures.counts["reads of what was stored"] += 1
            status = user.ask(read.raw(), f"{read} {read.target[:200]} after {stored}", written=written)
            return status, user.answer

        for number in count(1):
            turn = number % (IN_A_ROW + REPLACING)
            order = orders[turn >= IN_A_ROW]
            each, place = position = order.next()
            what = f"{each} {'.'.join(map(str, place))} ({seed}-{number})"
            most = size_of(each, place, chance, most=COUNTED if is_counted else DOCUMENTS)
            size = int(most ** chance.random())  # many are small, or hardly anything would be accepted
            raw = filled(each, place, size, random.Random(f"{seed}-{number}")).raw()
            is_accepted = 0 < user.ask(raw, what) < 400
            order.put_back(position, is_accepted=is_accepted)
            if is_accepted:
                stored.append(what)
                written += len(raw)
            figures.counts["positions filled"] = number
            is_over = not bounds.allow(number)
            is_time = turn == IN_A_ROW - 1 or _replaces(each) or len(stored) == MOST_STORED
            if stored and (is_time or is_over):
                figures.counts["stored"] += len(stored)
                read_all(ask, figures, world, gets, chance)
                user.note_resident()
                reset_worlds(client)
                stored, written = [], 0
            if is_over:
                break
        figures.values |= {"requests": len(trees), "positions": len(walk), **dict(user.costs.values())}
    return figures


class _Order:
    """An endless order of positions, in which those whose contents are accepted come more often."""

    def __init__(self, positions: Sequence[Position], chance: random.Random) -> None:
        self._chance = chance
        self._ahead = deque(chance.sample(positions, len(positions)))
        self._refused: deque[Position] = deque()

    def next(self) -> Position:
        is_again = not self._ahead or (self._refused and self._chance.random() < AGAIN)
        return (self._refused if is_again else self._ahead).popleft()

    def put_back(self, position: Position, *, is_accepted: bool) -> None:
        (self._ahead if is_accepted else self._refused).append(position)


def _in(world: str, given: Tree) -> Tree:
    """Return a request in another world."""
    path = given.parts["path"]
    if path[0] == "_emulator":
        place = 2 if path[1] == "worlds" else 3
        is_of_one = path[1] == "worlds" and len(path) > place
        return given.with_value(("path", place), world) if is_of_one else given
    return given.with_value(("headers", "x-emulator-world"), world)


def _is_page(given: Tree) -> bool:
    return bool(given.parts["path"][:2] == ["_emulator", "console"])


def _replaces(given: Tree) -> bool:
    """Whether a request replaces all of a world."""
    path = given.parts["path"]
    return path[:2] == ["_emulator", "worlds"] and (len(path) == 3 or path[3:] in (["snapshot"], ["reset"]))


def _is_kept(given: Tree, place: Place) -> bool:
    """Whether what stands at a place may be kept: by the world or, of a call of the service, by its journal."""
    is_journalled = given.parts["path"][0] == "api" and place == ("headers", "authorization")
    return place[0] in ("query", "body") or is_journalled


if __name__ == "__main__":
    sys.exit(main(pairs, count=1_000_000))
