"""Make every request in large worlds, in ever another order, and tell for how long each holds the loop."""

import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import yaml

from foas_emulator.settings import Settings
from tests.endurance.connection import Connection
from tests.endurance.figures import Bounds, Figures, main
from tests.endurance.grammar import DEMO, FAULTY, SERVED
from tests.endurance.positions import PATIENCE, User, every_tree, reset_worlds, watched
from tests.endurance.trees import FORM, Tree, tree

SIZE = 19_900
"""Jobs, packages or instances of a world: with the default seed's, as many as a seed may hold."""
CODE = """CREATE TABLE a (x BIGINT, y VARCHAR) WITH (type='datahub', topic='t');
CREATE TABLE b (x BIGINT) WITH (type='print');
INSERT INTO b SELECT COUNT(x) FROM a GROUP BY y;
-- """
PROJECT = "/api/v2/projects/demo"
JOBS, INSTANCES = "jobs?pageSize=1", "instances?jobType=FLINK_STREAM&pageSize=1"
KEPT = "large"
"""The world that is only copied."""
DEFAULT_SEED = files("foas_emulator.fixtures") / "default.yaml"
WORLDS = (*dict.fromkeys((*SERVED, *DEMO["name"], FAULTY)),)
KEEP_ALIVE_MS = 600_000
"""Milliseconds for which the connection of requests may wait while worlds are made again."""
AT_ONCE = 500
"""Requests that are sent without waiting for the answers."""

Seed = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class State:
    """A kind of large world: what `fill` adds to the default seed, and `extend` once its worlds are there.

    `held` counts what a world must hold, besides its jobs; one that holds less is made again.
    """

    fill: Callable[[Seed, int], None] = lambda _seed, _size: None
    held: Callable[[httpx.Client, str], int]
    extend: Callable[[httpx.Client, int], None] = lambda _client, _size: None
    in_files: bool = False


def _demo(seed: Seed) -> Any:
    return next(project for project in seed["projects"] if project["Name"] == "demo")


def _add_jobs(seed: Seed, size: int, instances: Callable[[int], Any] | None = None) -> None:
    ended = [{"ActualState": "TERMINATED"}], [{"ActualState": "FAILED", "LastErrorMessage": "e" * 300}]
    demo = _demo(seed)
    demo["folders"] += [{"Path": f"/big{number}"} for number in range(size // 22)]
    demo["jobs"] += [
        {
            "JobName": f"big-{number}",
            "Description": "é" * 100 + "d" * 100,
            "Code": f"{CODE}{'x' * 500}{number}",
            "Properties": "a.b=c\n" * 10,
            "Packages": f"big-{number}.jar",
            "instances": instances(number) if instances else ended[number % 3 == 0],
        }
        for number in range(size)
    ]
    _add_packages(seed, size)


def _add_packages(seed: Seed, size: int) -> None:
    names = [f"big-{number}.jar" for number in range(size)]
    _demo(seed)["packages"] += [{"PackageName": name, "OriginName": name, "Description": "d" * 300} for name in names]


def _add_rules(seed: Seed, size: int) -> None:
    effect = {"status": 503, "code": "Throttling", "message": "m" * 500}
    seed["faults"] = [
        {"match": {"operation": "GetFolder", "params": {"projectName": f"p{number}"}}, "effect": effect}
        for number in range(min(size, 1000))
    ]


def _add_changes(each: int) -> Callable[[Seed, int], None]:
    """Let every second job have so many changes ahead of it."""
    states = "RUNNING", "FAILED"
    line = [{"after": f"{300 + number}d", "ActualState": states[number % 2]} for number in range(each)]
    waiting = [{"ActualState": "WAITING", "timeline": line}]
    return lambda seed, size: _add_jobs(seed, size, lambda number: waiting if number % 2 else [])


def _add_groups(seed: Seed, size: int) -> None:
    demo, few = _demo(seed), size // 22
    demo["folders"] += [{"Path": f"/big{number % 30}/{number}"} for number in range(few)]
    seed["clusters"] += [{"ClusterId": f"big{number}"} for number in range(few)]
    seed["projects"] += [{"Name": f"big-{number}", "ClusterId": f"big{number}"} for number in range(few)]
    _add_packages(seed, size - few * 3)


def _add_instances(seed: Seed, size: int) -> None:
    job = next(job for job in _demo(seed)["jobs"] if job["JobName"] == "running-stream")
    job["instances"] = [{"ActualState": "TERMINATED"} for _ in range(size)] + job["instances"]


def _listed(target: str) -> Callable[[httpx.Client, str], int]:
    def held(client: httpx.Client, world: str) -> int:
        answer = client.get(f"{PROJECT}/{target}", headers={"x-emulator-world": world}).json()
        return int(answer.get("TotalCount", 0))

    return held


def _rules(client: httpx.Client, world: str) -> int:
    return len(client.get(f"/_emulator/worlds/{world}/faults").json().get("faults", ()))


def _entries(client: httpx.Client, world: str) -> int:
    listed = client.get(f"/_emulator/worlds/{world}/journal", params={"limit": 1}).json()
    return int(listed.get("total", 0))


def _worlds(client: httpx.Client, _world: str) -> int:
    return len(client.get("/_emulator/worlds").json()["worlds"])


def _call(client: httpx.Client, size: int) -> None:
    """Make calls with long bodies, each of which the journal keeps, and twenty times as many that repeat others."""
    form = {"code": "c" * 4000}
    headers = {"x-emulator-world": SERVED[0]}
    calls = [tree("PUT", f"{PROJECT}/jobs/no-{number}", FORM, form, headers).raw() for number in range(size // 10)]
    calls += [tree("GET", f"{PROJECT}/jobs/no-{number % 100}", "", None, headers).raw() for number in range(size * 2)]
    with closing(Connection(int(client.base_url.port or 0), patience=PATIENCE)) as connection:
        for begin in range(0, len(calls), AT_ONCE):
            connection.ask_all(calls[begin : begin + AT_ONCE])


def _make_worlds(client: httpx.Client, size: int) -> None:
    for number in range(min(size, 1900)):
        client.put(f"/_emulator/worlds/one-of-many-{number}").raise_for_status()


STATES: Mapping[str, State] = {
    "jobs": State(fill=_add_jobs, held=_listed(JOBS)),
    "jobs in files": State(fill=_add_jobs, held=_listed(JOBS), in_files=True),
    "changes": State(fill=_add_changes(3), held=_listed(f"{INSTANCES}&actualState=WAITING")),
    "more changes": State(fill=_add_changes(9), held=_listed(f"{INSTANCES}&actualState=WAITING")),
    "rules": State(fill=_add_rules, held=_rules),
    "instances": State(fill=_add_instances, held=_listed(f"{INSTANCES}&isArchived=true")),
    "folders, packages, projects": State(fill=_add_groups, held=_listed("packages?pageSize=1")),
    "calls": State(held=_entries, extend=_call),
    "worlds": State(held=_worlds, extend=_make_worlds),
}


def large(*, bounds: Bounds, seed: int, is_counted: bool = False, size: int = SIZE) -> Figures:
    """Walk through all states, each for its share of the bounds; in each, order all requests anew again and again.

    `is_counted` counts the lines of Python that requests run, instead of their time, and holds them to their bytes.
    """
    figures, chance = Figures(), random.Random(seed)
    costs: dict[str, str] = {}
    for in_files in (False, True):
        with TemporaryDirectory() as place:
            data_dir = Path(place) / "data" if in_files else None
            settings = Settings(
                port=0, log_refused=False, image_bytes=2**30, keep_alive=KEEP_ALIVE_MS, data_dir=data_dir
            )
            with watched(figures, settings, is_counted=is_counted) as (client, user):
                reset_worlds(client)
                trees = [*every_tree(client, chance), *_far_reads(size)]
                for name in [name for name, state in STATES.items() if state.in_files is in_files]:
                    walk = _Walk(client=client, user=user, name=name, size=size)
                    walk.walk(figures, trees, chance, bounds.part(of=len(STATES)))
                costs |= {f"{kind}{', in files' * in_files}": cost for kind, cost in user.costs.values()}
    figures.values |= {kind: cost for kind, cost in costs.items() if "KiB" not in kind}
    return figures


@dataclass(frozen=True, kw_only=True)
class _Walk:
    """Requests in the worlds of one state."""

    client: httpx.Client
    user: User
    name: str
    size: int

    def walk(self, figures: Figures, trees: Sequence[Tree], chance: random.Random, bounds: Bounds) -> None:
        """Make requests until the bounds are met."""
        self._begin_anew()
        whole = {world: self._held(world) for world in WORLDS}
        number = 0
        order: list[Tree] = []
        while bounds.allow(number):
            order = order or chance.sample(trees, len(trees))
            each = order.pop()
            raw = each.raw()
            status = self.user.ask(raw, f"{self.name}: {_told(raw)}")
            number += 1
            if each.method != "GET" and 0 < status < 400:
                self._begin([world for world in WORLDS if self._is_less(world, whole[world])])
        figures.counts[f"requests, {self.name}"] = number
        figures.counts[f"large by, {self.name}"] = max(whole[SERVED[0]])

    def _begin_anew(self) -> None:
        reset_worlds(self.client)
        seed = yaml.safe_load(DEFAULT_SEED.read_text("utf-8"))
        STATES[self.name].fill(seed, self.size)
        raw = tree("PUT", f"/_emulator/worlds/{KEPT}", "application/json", {"seed": seed}, {}).raw()
        self.user.ask(raw, f"{self.name}: PUT {KEPT}")
        self._begin(WORLDS)

    def _begin(self, worlds: Sequence[str]) -> None:
        for world in worlds:
            raw = tree("PUT", f"/_emulator/worlds/{world}", "application/json", {"fork": KEPT}, {}).raw()
            self.user.ask(raw, f"{self.name}: PUT {world} as a fork")
        if worlds:
            self.user.note_resident()
            STATES[self.name].extend(self.client, self.size)
        self.user.rest()

    def _held(self, world: str) -> tuple[int, int]:
        return _listed(JOBS)(self.client, world), STATES[self.name].held(self.client, world)

    def _is_less(self, world: str, whole: tuple[int, int]) -> bool:
        return any(now < before * 0.9 for now, before in zip(self._held(world), whole, strict=True))


def _far_reads(size: int) -> Iterator[Tree]:
    """Return reads of what only a large world has."""
    home = f"/_emulator/console/w/{SERVED[0]}"
    targets = [
        *(f"{home}/?{query}" for query in (f"offset={size - 50}", "text=big-1", "project=demo&state=FAILED")),
        f"{home}/time?preview=idle",
        f"{home}/compare?left={KEPT}&right={SERVED[0]}",
        f"{home}/job?project=demo&job=big-1",
        *(f"{PROJECT}/{listed}&pageIndex={size // 2}" for listed in (JOBS, INSTANCES, f"{INSTANCES}&isArchived=true")),
        *(f"{PROJECT}/{listed}?pageIndex={size // 100}&pageSize=100" for listed in ("jobs", "packages")),
        f"{PROJECT}/jobs/big-1",
    ]
    for target in targets:
        yield tree("GET", target, "", None, {"x-emulator-world": SERVED[0]})


def _told(raw: bytes) -> str:
    head, _, body = raw.partition(b"\r\n\r\n")
    return f"{head.partition(b' HTTP/1.1')[0].decode()} {body[-200:]!r}"


if __name__ == "__main__":
    sys.exit(main(large, count=3 * 240 * len(STATES)))
