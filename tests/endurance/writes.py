"""Writes of every kind, and the state that each leads to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

PROJECTS = "/api/v2/projects"
WORLDS = ("alpha", "beta", "gamma")
LONG = 24000
"""Characters of a job's code in a large seed, whose image has more than a mebibyte."""


@dataclass(frozen=True)
class State:
    """What a world holds, and what it resets to: names of projects, of which each beginning has one of its own."""

    origin: frozenset[str] = frozenset()
    holds: frozenset[str] = frozenset()


@dataclass
class Model:
    """What every world may hold: the last acknowledged state, and that which was asked for when the server died."""

    known: dict[str, State] = field(default_factory=dict)
    asked: dict[str, State] = field(default_factory=dict)
    next: int = 0
    is_large: bool = False
    """Whether every seed is one of those that the server processes outside its event loop."""

    def state(self, world: str) -> State:
        return self.known.get(world, State())

    def fresh(self) -> str:
        self.next += 1
        return f"p{self.next}"

    def seed(self, *names: str) -> dict[str, Any]:
        """Return a seed of these projects."""
        job = {"Code": "SELECT 1 FROM t --" + "x" * LONG}
        jobs = [{"JobName": f"j{number}", **job} for number in range(60)] if self.is_large else []
        return {"clusters": [{"ClusterId": "c"}], "projects": [{"Name": name, "jobs": jobs} for name in names]}


Chosen = tuple[State, Callable[[], httpx.Response]]
"""The state that a change of a world leads to, and the call that asks for it."""
Write = Callable[[httpx.Client, Model, str], Chosen]
"""Choose a change of a world."""


def create(client: httpx.Client, model: Model, world: str) -> Chosen:
    name, state = model.fresh(), model.state(world)
    form = {"name": name, "clusterId": "c", "deployType": "cell", "description": "x" * 500}
    after = State(state.origin, state.holds | {name})
    return after, lambda: client.post(PROJECTS, data=form, headers={"x-emulator-world": world})


def replace(client: httpx.Client, model: Model, world: str) -> Chosen:
    name = model.fresh()
    after = State(frozenset({name}), frozenset({name}))
    return after, lambda: client.put(f"/_emulator/worlds/{world}", json={"seed": model.seed(name)})


def fork(client: httpx.Client, model: Model, world: str) -> Chosen:
    source = _source(world)
    holds = model.state(source).holds
    return State(holds, holds), lambda: client.put(f"/_emulator/worlds/{world}", json={"fork": source})


def reset(client: httpx.Client, model: Model, world: str) -> Chosen:
    origin = model.state(world).origin
    return State(origin, origin), lambda: client.post(f"/_emulator/worlds/{world}/reset")


def merge(client: httpx.Client, model: Model, world: str) -> Chosen:
    names, state = [model.fresh(), model.fresh()], model.state(world)
    after = State(state.origin, state.holds | {*names})
    return after, lambda: client.post(f"/_emulator/worlds/{world}/seed", json=model.seed(*names))


def restore(client: httpx.Client, model: Model, world: str) -> Chosen:
    source = _source(world)
    after = State(model.state(world).origin, model.state(source).holds)
    snapshot = client.get(f"/_emulator/worlds/{source}/snapshot").raise_for_status()
    return after, lambda: client.put(f"/_emulator/worlds/{world}/snapshot", content=snapshot.content)


def drop(client: httpx.Client, _model: Model, world: str) -> Chosen:
    def call() -> httpx.Response:
        answer = client.delete(f"/_emulator/worlds/{world}")
        if answer.is_success:
            client.get(PROJECTS, headers={"x-emulator-world": world})
        return answer

    return State(), call


WRITES: tuple[Write, ...] = (*([create] * 8), replace, fork, reset, merge, restore, drop)


def _source(world: str) -> str:
    return WORLDS[WORLDS.index(world) - 1]


def projects(client: httpx.Client, world: str) -> frozenset[str]:
    names: set[str] = set()
    page = pages = 1
    while page <= pages:
        query = {"pageIndex": page, "pageSize": 100}
        answer = client.get(PROJECTS, params=query, headers={"x-emulator-world": world})
        if not answer.is_success:
            raise LookupError(answer.text + answer.headers.get("x-emulator-hint", ""))
        document = answer.json()
        names |= {project["Name"] for project in document["Projects"]["Project"]}
        page, pages = page + 1, document["TotalPage"]
    return frozenset(names)
