"""Flood each budget of memory with what takes the most memory for each byte that counts, and compare both.

Each shape of each budget gets a server of its own, whose budget is small. What the server has in memory when it is
full, beyond what it had before, must be in proportion to the budget. To add a budget is to add an entry of `BUDGETS`.
"""

import random
import re
import selectors
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import httpx

from foas_emulator.settings import Settings
from foas_emulator.world.durations import Span
from tests.endurance.connection import Connection
from tests.endurance.figures import Bounds, Figures, main
from tests.endurance.judging import judged
from tests.endurance.shapes import (
    BODIES,
    CALLS,
    COMPARE,
    JOBS,
    TOKEN,
    WIDE,
    Shape,
    call,
    compare,
    endless_upload,
    read,
    tunnel,
    verify,
    world_of_rows,
    world_of_texts,
)
from tests.endurance.victim import Victim

MIB = 2**20
MOST_MORE = 1.5
"""How many times as much memory as its budget a flood may take: allocators leave gaps."""
BASE = 16
"""MiB that a server may take beside its budgets, for buffers and for caches of so many entries."""
FOR_A_CONNECTION = 20 * 1024
"""Bytes that a connection takes on its own, which most budgets do not count."""
WARMING = 2
"""Requests before memory is looked at for the first time: they load what such requests need."""
AT_ONCE = 20
"""Requests that are sent, or connections that are opened, without looking at what has become of them."""
MOST_REQUESTS, MOST_CONNECTIONS = 20_000, 4000
"""Requests or connections that must fill a budget."""
FULL = 0.85
"""The share of a budget from which on it counts as full."""
THROUGH_PROXY, OF_A_TUNNEL = 100, 512 * 1024
"""Connections through the proxy, and the bytes that each may take: the proxy has room for 1000."""
REFUSED = 5
"""Connections that must be refused or closed before a budget counts as full."""
PATIENCE = 20
OK = (b"HTTP/1.1 200 ", b"HTTP/1.1 204 ")


@dataclass(frozen=True)
class Flood:
    """A server that is being flooded; `held` closes the connections that hold something."""

    victim: Victim
    client: httpx.Client
    budget: "Budget"
    held: ExitStack


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A budget: its bytes, what makes it so small, how it is filled, and with what.

    `fill` returns the number of connections that it has opened. `beside` are the bytes of something else that is filled
    together with it. What `is_brief` is gone as soon as the server has done its work, so it is measured before.
    """

    limit: int
    fill: Callable[[Flood, Shape], int]
    shapes: Mapping[str, Shape]
    beside: int = 0
    is_brief: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, int] = field(default_factory=dict)
    prepare: Callable[[httpx.Client], object] = lambda _client: None


def keep(name: str) -> Callable[[Flood, Shape], int]:
    """Make calls until the server says that this budget is full, and as many again, which replace its contents."""

    def fill(flood: Flood, shape: Shape) -> int:
        wanted = MOST_REQUESTS
        with closing(Connection(flood.victim.port)) as connection:
            for number in count(WARMING, AT_ONCE):
                connection.ask_all([shape(each) for each in range(number, number + AT_ONCE)])
                if wanted == MOST_REQUESTS and number % 100 == WARMING:
                    kept = flood.client.get("/_emulator/info").json()["memory"][name]["bytes"]
                    wanted = 2 * number if kept > FULL * flood.budget.limit else wanted
                if number >= wanted:
                    break
        assert wanted < MOST_REQUESTS, f"{MOST_REQUESTS} requests do not fill {name}"
        return 0

    return fill


def hold(flood: Flood, shape: Shape) -> int:
    """Open connections that send a request and read nothing, until a few were refused or closed."""
    waiting: list[socket.socket] = []
    refused = 0
    for number in range(WARMING, MOST_CONNECTIONS):
        waiting.append(flood.held.enter_context(_sending(flood.victim.port, shape(number))))
        if number % AT_ONCE == 0:
            flood.victim.rest()
            answers = [(each, _answer(each)) for each in waiting]
            waiting = [each for each, answer in answers if answer is None]
            refused += sum(answer is not None and answer not in OK for _, answer in answers)
        if refused >= REFUSED:
            return number
    raise AssertionError(f"nobody is refused among {MOST_CONNECTIONS} connections")


def create(flood: Flood, shape: Shape) -> int:
    """Create worlds until one is refused."""
    with closing(Connection(flood.victim.port)) as connection:
        for number in range(WARMING, MOST_REQUESTS):
            status, _ = connection.ask(shape(number))
            if status >= 400:
                return 1
    raise AssertionError("no world is refused")


def compare_files(flood: Flood, shape: Shape) -> int:
    """Hold forms of the console that compare files: one is compared at a time."""
    found = re.search(r'name="token" value="([^"]*)"', flood.client.get(COMPARE).text)
    assert found is not None
    token = found[1].encode()
    return hold(flood, lambda number: shape(number).replace(TOKEN, token))


def pass_through(flood: Flood, shape: Shape) -> int:
    """Open connections through the proxy whose both ends send whatever is taken, and read nothing."""
    port = flood.client.get("/_emulator/interception").json()["port"]
    listener = flood.held.enter_context(socket.create_server(("127.0.0.1", 0)))
    listener.settimeout(PATIENCE)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    ends: list[socket.socket] = []
    for _ in range(THROUGH_PROXY):
        ends.append(flood.held.enter_context(_sending(port, shape(listener.getsockname()[1]))))
        ends.append(flood.held.enter_context(listener.accept()[0]))
    for end in ends:
        end.setblocking(False)
    while sum(map(_pushed, ends)):
        flood.victim.rest(beats=20)
    return len(ends)


def _pushed(connection: socket.socket) -> int:
    """Send until nothing more is taken; return the bytes that were."""
    pushed = 0
    with suppress(BlockingIOError):
        while True:
            pushed += connection.send(bytes(64 * 1024))
    return pushed


def _sending(port: int, raw: bytes) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(PATIENCE)
    connection.connect(("127.0.0.1", port))
    with suppress(ConnectionError):
        connection.sendall(raw)
    return connection


def _answer(connection: socket.socket) -> bytes | None:
    """Return the status line of an answer as far as `OK` has it, or nothing if the connection was closed; else None."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        if not selector.select(0):
            return None
    with suppress(ConnectionError):
        return connection.recv(len(OK[0]), socket.MSG_PEEK)
    return b""


def _without_end(shapes: Mapping[str, Shape], *, end: int) -> Mapping[str, Shape]:
    return {name: partial(_cut, shape, end) for name, shape in shapes.items()}


def _cut(shape: Shape, end: int, number: int) -> bytes:
    return shape(number)[:-end]


def _add_large_job(client: httpx.Client) -> None:
    form = {"jobName": "large", "jobType": "FLINK_STREAM", "apiType": "SQL", "code": "x" * 3 * MIB}
    client.post(JOBS, data=form).raise_for_status()


NOTHING_KEPT = {"read_cache": 0, "journal_bytes": 2**16}
LATE = {**NOTHING_KEPT, "latency": Span(600_000, 600_000)}
STEP = {"operation": "CreateJob", "params": {"code": 1, "jobName": 2}}

BUDGETS: Mapping[str, Budget] = {
    "cached answers": Budget(
        limit=8 * MIB,
        settings={**NOTHING_KEPT, "read_cache": 8 * MIB},
        fill=keep("read_cache"),
        shapes=CALLS,
    ),
    "journals": Budget(
        limit=8 * MIB,
        settings={**NOTHING_KEPT, "journal_bytes": 8 * MIB},
        fill=keep("journal_bytes"),
        shapes={**CALLS, **BODIES},
    ),
    "worlds": Budget(
        limit=24 * MIB,
        beside=48 * MIB,  # the images, and what refused seeds leave until garbage is collected
        settings={**NOTHING_KEPT, "world_bytes": 24 * MIB, "image_bytes": 24 * MIB},
        fill=create,
        shapes={"texts": world_of_texts, "rows": world_of_rows},
    ),
    "incomplete heads": Budget(
        limit=8 * MIB,
        settings=NOTHING_KEPT,
        constants={"foas_emulator.serving.crowds.MOST_HELD": 8 * MIB},
        fill=hold,
        shapes=_without_end({name: CALLS[name] for name in CALLS if name != "short"}, end=2),
    ),
    "requests that wait for their turn": Budget(
        limit=8 * MIB,
        settings=LATE,
        constants={"foas_emulator.serving.crowds.MOST_HELD": 8 * MIB},
        fill=hold,
        shapes={
            "short": lambda number: read(number) * 256,
            "with headers": lambda number: read(number, headers="ab: cd\r\n" * 140) * 256,
            "with long targets": lambda number: read(number, f"&{'x' * 900}") * 256,
        },
    ),
    "bodies that arrive": Budget(
        limit=32 * MIB,
        settings=NOTHING_KEPT,
        constants={"foas_emulator.pipeline.read_body.MOST_ARRIVING": 32 * MIB},
        fill=hold,
        shapes=_without_end(
            {
                "large": lambda _: call("POST", JOBS, content=b"x" * 4 * MIB),
                "small": lambda _: call("POST", JOBS, content=b"x" * 70_000),
                "smallest": lambda _: call("POST", JOBS, content=b"x" * 60_000),
            },
            end=1,
        ),
    ),
    "bodies of control calls": Budget(
        limit=32 * MIB,
        settings={**NOTHING_KEPT, "max_document": 16 * MIB},
        fill=hold,
        shapes=_without_end(
            {
                "large": lambda _: call("PUT", "/_emulator/worlds/a/seed", content=b"x" * 3 * MIB),
                "small": lambda _: call("PUT", "/_emulator/worlds/a/seed", content=b"x" * 70_000),
            },
            end=1,
        ),
    ),
    "verifications": Budget(
        limit=32 * MIB,
        beside=8 * MIB,
        settings={**NOTHING_KEPT, "max_document": 4 * MIB},
        constants={"foas_emulator.control.journal.MOST_VERIFYING": 32 * MIB},
        fill=hold,
        shapes={
            "short": lambda _: verify(),
            "of a text": lambda _: verify(params={"code": "x" * MIB}),
            "of a wide text": lambda _: verify(params={"code": WIDE + "x" * MIB}),
            "of many patterns": lambda _: verify(in_order=[STEP] * 1000),
            "of many operations": lambda _: verify(in_order=["CreateJob"] * 1000),
        },
    ),
    "calls that latencies hold back": Budget(
        limit=16 * MIB,
        settings=LATE,
        constants={"foas_emulator.pipeline.held_calls.MOST_HELD": 16 * MIB},
        fill=hold,
        shapes={**CALLS, **BODIES},
    ),
    "files that are compared": Budget(
        limit=32 * MIB,
        beside=96 * MIB,  # the files of the forms, and what the one that is being read becomes
        is_brief=True,
        settings={**NOTHING_KEPT, "max_document": 16 * MIB},
        fill=compare_files,
        shapes={
            "of objects": lambda _: compare("a.json", b"[%s0]" % (b"{}," * MIB)),
            "of texts": lambda _: compare("a.json", b"[%s0]" % (b'"abcd",' * (MIB // 2))),
        },
    ),
    "connections through the proxy": Budget(
        limit=THROUGH_PROXY * OF_A_TUNNEL,
        settings={**NOTHING_KEPT, "intercept": 0},
        fill=pass_through,
        shapes={"tunnels": tunnel, "uploads": endless_upload},
    ),
    "large answers": Budget(
        limit=32 * MIB,
        settings=NOTHING_KEPT,
        constants={"foas_emulator.gateway.large_answers.MOST_SENDING": 32 * MIB},
        prepare=_add_large_job,
        fill=hold,
        shapes={
            "of the service": lambda _: call("GET", f"{JOBS}/large"),
            "of the control API": lambda _: call("GET", "/_emulator/worlds/default/snapshot"),
        },
    ),
}
ALL = [(name, shape) for name, budget in BUDGETS.items() for shape in budget.shapes]


def floods(*, bounds: Bounds, seed: int, chosen: Iterable[tuple[str, str]] = ALL) -> Figures:
    """Make floods, each of a budget by a shape, in random order until the bounds are met; `count` are floods."""
    figures, pairs = Figures(), list(chosen)
    random.Random(seed).shuffle(pairs)
    for done, (name, shape) in enumerate(pairs):
        if not bounds.allow(done):
            break
        _flood(figures, name, shape)
        figures.counts["floods"] += 1
    return figures


def _flood(figures: Figures, name: str, shape_name: str) -> None:
    budget = BUDGETS[name]
    shape = budget.shapes[shape_name]
    settings = Settings(port=0, log_refused=False, **budget.settings)
    with (
        judged(figures, settings, constants=budget.constants) as victim,
        victim.client() as client,
        ExitStack() as held,
    ):
        budget.prepare(client)
        with ExitStack() as warming:
            for number in range(WARMING):
                warming.enter_context(_sending(victim.port, shape(number)))
            _settle(victim)
        _settle(victim)
        before = victim.resident()
        opened = budget.fill(Flood(victim, client, budget, held), shape)
        if not budget.is_brief:
            _settle(victim)
        after = victim.resident()
    if before is None or after is None:
        return
    allowed = ((budget.limit + budget.beside) * MOST_MORE + opened * FOR_A_CONNECTION) / MIB + BASE
    told = f"{after - before:.1f} MiB for {budget.limit / MIB:.0f}, of {allowed:.1f}; connections: {opened}"
    figures.values[f"{name}: {shape_name}"] = told
    figures.require(f"{name}: {shape_name}: {told}", holds=after - before <= allowed)


def _settle(victim: Victim) -> None:
    """Wait until the server has done what it was asked to do: until it hardly works any more."""
    worked = -1.0
    while victim.felt.worked - worked > 0.02:
        worked = victim.felt.worked
        victim.rest(beats=50)


if __name__ == "__main__":
    sys.exit(main(floods, count=len(ALL)))
