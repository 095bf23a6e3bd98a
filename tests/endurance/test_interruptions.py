"""Calls that are cancelled, left by their client or overtaken at every point at which they let others be served."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from itertools import chain, count, cycle, product
from pathlib import Path
from typing import Any

import pytest

from foas_emulator.console import access
from foas_emulator.control import events, images, merging, off_loop, resetting, staging
from foas_emulator.gateway.bodies import Room
from foas_emulator.gateway.large_answers import LargeAnswers
from foas_emulator.pipeline import inject_faults
from foas_emulator.pipeline.held_calls import HeldCalls
from foas_emulator.world import advance, copying
from tests.api import Api, dump, open_api
from tests.endurance.suspended import FORM_TOKEN, Client, Request, Stepped, control, form, service, upload

pytestmark = pytest.mark.xdist_group("endurance")

WORLD, NEW = "/worlds/alice", "/worlds/new"
SEED = {"projects": [{"Name": "shop", "jobs": [{"JobName": f"job{number}"} for number in range(30)]}]}
CONTENTS = {
    "settings": {"start_delay": "45s", "stop_delay": "20s"},
    "clusters": [{"ClusterId": "c"}],
    "projects": [
        {
            "Name": "mine",
            "ClusterId": "c",
            "folders": [{"Path": "/reports"}],
            "jobs": [
                {
                    "JobName": f"job{number}",
                    "Code": "INSERT INTO a SELECT b FROM c;",
                    "instances": [
                        {
                            "ActualState": "RUNNING",
                            "timeline": [{"after": f"{number + 1}s", "ActualState": "FAILED"}],
                        }
                    ],
                }
                for number in range(20)
            ],
        }
    ],
}
"""What the world has whose calls are interrupted: rows to be deleted, and changes to come due."""
SOON = 60
"""Seconds after which something hangs, however busy the machine is."""


@cache
def snapshot() -> bytes:
    with open_api() as api:
        client = Client(api.app, control("GET", "/worlds/default/snapshot"))
        asyncio.run(client.send())
    return client.body


def seed() -> bytes:
    return json.dumps(SEED).encode()


def armed(**rule: Any) -> Request:
    return control("POST", f"{WORLD}/faults", rule)


def pressed(call: str) -> Request:
    return form("/w/alice/call", {"call": call, "back": "/_emulator/console/w/alice/"})


FOLDER = service("POST", "/mine/folders", path="/called")
JOB = "/mine/jobs/job0"
RUNNING = service("GET", f"{JOB}/instances/-1")

OF_WORLDS: Mapping[str, Sequence[Request]] = {
    "default": [control("PUT", NEW)],
    "seed": [control("PUT", NEW, {"seed": SEED})],
    "replace": [control("PUT", WORLD, {"seed": SEED})],
    "fork": [control("PUT", NEW, {"fork": "alice"})],
    "fork itself": [control("PUT", WORLD, {"fork": "alice"})],
    "reset": [control("POST", f"{WORLD}/reset")],
    "reset all": [control("POST", "/reset")],
    "merge": [control("POST", f"{WORLD}/seed", SEED)],
    "merge new": [control("POST", f"{NEW}/seed", SEED)],
    "snapshot": [control("GET", f"{WORLD}/snapshot")],
    "restore": [Request("PUT", f"/_emulator{WORLD}/snapshot", snapshot)],
    "restore new": [Request("PUT", f"/_emulator{NEW}/snapshot", snapshot)],
    "drop": [control("DELETE", WORLD)],
    "advance": [control("POST", f"{WORLD}/clock/advance", {"by": "1h"})],
    "advance until idle": [control("POST", f"{WORLD}/clock/advance", {"until": "idle"})],
    "advance, dry run": [control("POST", f"{WORLD}/clock/advance", {"by": "1h"}, query="dry_run=true")],
    "set the clock": [control("PUT", f"{WORLD}/clock", {"mode": "frozen", "now": "2100-01-01T00:00:00Z"})],
}
"""Calls that replace or change whole worlds, which each kind of store does in its own way."""

CALLS: Mapping[str, Sequence[Request]] = {
    **OF_WORLDS,
    "change settings": [control("PUT", f"{WORLD}/settings", {"start_delay": "1s", "error_rate": 0})],
    "put state": [control("PUT", f"{WORLD}/projects{JOB}/instances/-1/state", {"ActualState": "FAILED"})],
    "arm": [armed(effect={"drop": True})],
    "disarm": [armed(effect={"drop": True}), control("DELETE", f"{WORLD}/faults")],
    "set up a state": [control("POST", f"{WORLD}/pact-states", {"state": "a shop"})],
    "set up a state of a new world": [control("POST", f"{NEW}/pact-states", {"state": "a shop"})],
    "tear down a state": [control("POST", f"{WORLD}/pact-states", {"state": "a shop", "action": "teardown"})],
    "set up no state": [control("POST", f"{WORLD}/pact-states", {"state": "none"})],
    "events": [control("GET", f"{WORLD}/events")],
    "journal": [control("GET", f"{WORLD}/journal")],
    "clear the journal": [control("DELETE", f"{WORLD}/journal")],
    "verify": [control("POST", f"{WORLD}/journal/verify", {"operation": "CreateFolder", "count": {"exactly": 1}})],
    "verify and wait": [control("POST", f"{WORLD}/journal/verify", {"operation": "StopJob", "timeout": "50ms"})],
    "coverage": [control("GET", "/coverage")],
    "create a folder": [FOLDER],
    "start": [service("PUT", f"{JOB}", code="INSERT INTO a SELECT b FROM c;")],
    "read": [RUNNING],
    "list": [service("GET", "/mine/jobs")],
    "delete a project": [service("DELETE", "/mine")],
    "delete a job": [service("DELETE", JOB)],
    "delayed": [armed(effect={"latency": "1ms"}), FOLDER],
    "delayed after commit": [armed(effect={"latency": "1ms"}, at="after_commit"), FOLDER],
    "dropped": [armed(effect={"drop": True}), FOLDER],
    "dropped after commit": [armed(effect={"drop": True}, at="after_commit"), FOLDER],
    "reset connection": [armed(effect={"reset": True}, at="after_commit"), FOLDER],
    "truncated": [armed(effect={"truncate": 0.5}), FOLDER],
    "duplicated": [armed(effect={"duplicate": True}), FOLDER],
    "failed after commit": [armed(effect={"status": 503, "code": "Busy"}, at="after_commit"), FOLDER],
    "stale": [armed(effect={"stale": True}), FOLDER, service("GET", "/mine/folders", path="/")],
    "a write before a stale read": [armed(effect={"stale": True}), FOLDER],
    "impaired": [control("PUT", f"{WORLD}/settings", {"latency": "1ms"}), FOLDER],
    "sign in": [form("/sign-in", {"control_token": "wrong"})],
    "console: create": [form("/w/new/create", {})],
    "console: scenario": [form("/w/alice/scenario", {"seed": "night-shift"})],
    "console: advance": [pressed('POST /_emulator/worlds/alice/clock/advance?limit=100 {"by": "1h"}')],
    "console: fork": [pressed('PUT /_emulator/worlds/new {"fork": "alice"}')],
    "console: reset": [pressed("POST /_emulator/worlds/alice/reset")],
    "console: drop": [pressed("DELETE /_emulator/worlds/alice")],
    "console: call": [pressed("POST /api/v2/projects/mine/folders path=/called")],
    "console: delayed call": [
        armed(effect={"latency": "1ms"}),
        pressed("POST /api/v2/projects/mine/folders path=/called"),
    ],
    "console: dropped call": [
        armed(effect={"drop": True}, at="after_commit"),
        pressed("POST /api/v2/projects/mine/folders path=/called"),
    ],
    "console: load": [
        upload("/w/alice/call", {"method": "PUT", "target": "/_emulator/worlds/alice/snapshot"}, {"upload": snapshot})
    ],
    "console: load new": [
        upload(
            "/w/alice/call",
            {"method": "PUT", "target": "/_emulator/worlds/{name}", "path:name": "new", "is_new": "1", "wrap": "1"},
            {"upload": seed},
        )
    ],
    "console: compare": [upload("/w/alice/compare", {"right": "alice"}, {"left_file": snapshot})],
    "console: compare with origin": [control("GET", "/console/w/alice/compare")],
    "console: page": [control("GET", "/console/w/alice/")],
    "console: events": [control("GET", "/console/w/alice/events")],
    "console: download": [control("GET", "/console/w/alice/snapshot")],
}


EXPECTED = frozenset({None, 0, 200, 201, 204, 303, 400, 401, 404, 409, 422, 503})
"""Statuses of calls that are interrupted; None and 0 if no byte was sent."""


@pytest.fixture(scope="module")
def budgets() -> list[Any]:
    """All budgets of the bytes that calls hold; the emulators add theirs."""
    return []


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("interruptions")


@pytest.fixture
def data_dir(store_kind: str, directory: Path) -> Path | None:
    return directory / "worlds" if store_kind == "file" else None


@pytest.fixture(scope="module")
def emulators(directory: Path, budgets: list[Any]) -> Iterator[Callable[[Path | None], Api]]:
    """Emulators to which every world is large: it is copied and staged by threads, and settled change by change.

    There is one for each kind of store, since to make one takes longer than most calls.
    """
    snapshot()
    contents, states = directory / "contents.json", directory / "states.json"
    contents.write_text(json.dumps(CONTENTS), "utf-8")
    states.write_text(json.dumps({"a shop": SEED}), "utf-8")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        for module in (staging, merging, copying, inject_faults, images, resetting):
            patch.setattr(module, "LARGE", 0)
        patch.setattr(advance, "SLICE", 5)
        patch.setattr(events, "EVERY", 0.001)
        patch.setattr(access, "fresh_secret", lambda: FORM_TOKEN)
        for kind in (HeldCalls, LargeAnswers, Room):

            def init(self: Any, *given: Any, real: Any = kind.__init__) -> None:
                budgets.append(self)
                real(self, *given)

            patch.setattr(kind, "__init__", init)

        @cache
        def emulator(data_dir: Path | None) -> Api:
            return stack.enter_context(open_api(data_dir=data_dir, seed=(str(contents),), pact_states=states))

        yield emulator


@pytest.fixture
def api(emulators: Callable[[Path | None], Api], data_dir: Path | None) -> Api:
    return emulators(data_dir)


def cancel() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


def suspensions() -> Iterator[int]:
    """The numbers of the first suspensions, and of every third one of the many that follow in long calls."""
    return chain(range(1, 12), count(12, 3))


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says of errors, without the line of each call that was answered with 503."""
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    return [each.getMessage() for each in errors if getattr(each, "status", None) != 503]


def staged(data_dir: Path) -> list[str]:
    return [path.name for path in data_dir.iterdir() if path.suffix == ".new"]


async def threads_are_done() -> None:
    for size in (off_loop.SMALL + 1, off_loop.LARGE + 1):
        await off_loop.off_loop(size, lambda: None, at_once=-1)


async def ask(api: Api, request: Request) -> int | None:
    return await asyncio.wait_for(Client(api.app, request).send(), SOON)


async def entries(api: Api) -> int:
    client = Client(api.app, control("GET", f"{WORLD}/journal"))
    await client.send()
    return int(json.loads(client.body)["total"])


async def folder(api: Api, name: str) -> int | None:
    return await ask(api, service("POST", "/mine/folders", path=f"/{name}"))


async def begin(api: Api, *before: Request) -> None:
    api.registry.drop("new")
    api.registry.create_or_replace("alice")
    assert await folder(api, "before") == 200
    for request in before:
        await ask(api, request)


def assert_nothing_is_held(api: Api) -> None:
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert events.EventStream._open == 0
    for world in map(api.registry.open_or_create, api.registry.names()):
        assert not world.is_in_use
        assert not world.is_held
        assert not world.settling.locked()
        assert not world.store.in_transaction


@pytest.mark.parametrize(("store_kind", "call"), [*product(["memory"], CALLS), *product(["file"], OF_WORLDS)])
@pytest.mark.parametrize("how", ["cancelled", "left"])
def test_a_call_that_is_interrupted_has_happened_or_not_and_leaves_nothing(
    api: Api, budgets: list[Any], caplog: pytest.LogCaptureFixture, data_dir: Path | None, *, call: str, how: str
) -> None:
    async def interrupt(number: int) -> bool:
        *before, request = CALLS[call]
        await begin(api, *before)
        names = set(api.registry.names())
        client = Client(api.app, request)
        stepped = Stepped(client.send(), number, client.leave if how == "left" else cancel)
        task = asyncio.ensure_future(stepped)
        await asyncio.wait([task], timeout=SOON)
        assert task.done()
        await threads_are_done()
        assert client.status in EXPECTED
        assert set(api.registry.names()) ^ names <= {"new", "alice"}
        assert_nothing_is_held(api)
        if data_dir is not None:
            assert staged(data_dir) == []
        if FOLDER in CALLS[call][-1:]:
            has_happened = "/called" in str(dump(api.registry.open_or_create("alice")))
            assert 1 + (has_happened or client.status is not None) <= await entries(api) <= 2
        await ask(api, control("DELETE", f"{WORLD}/faults"))
        assert await folder(api, "after") in (200, 404), "nothing is held"
        return stepped.steps >= number

    size = api.registry.images.size
    asyncio.run(interrupt(10**6))  # what is made on first use is made
    assert any(not asyncio.run(interrupt(number)) for number in suspensions())
    assert complaints(caplog) == []
    for name in ("new", "alice"):
        api.registry.drop(name)
    assert api.registry.images.size == size
    if data_dir is None:
        assert api.registry.databases.size == sum(each.store.size for each in api.registry._worlds.values())
    assert {type(each) for each in budgets} >= {HeldCalls, LargeAnswers, Room}
    assert {each.size for each in budgets} == {0}


@pytest.mark.parametrize("call", ["fork itself", "fork", "merge", "snapshot"])
def test_no_write_is_lost_that_is_acknowledged_while_a_world_is_copied(api: Api, call: str) -> None:
    async def overtake(number: int) -> bool:
        await begin(api)
        written: list[asyncio.Task[int | None]] = []

        async def write() -> None:
            written.append(asyncio.ensure_future(folder(api, "meanwhile")))
            await asyncio.wait(written, timeout=0.1)  # it may have to wait for the call

        client = Client(api.app, CALLS[call][-1])
        stepped = Stepped(client.send(), number, write)
        await stepped
        for each in written:
            assert await each == 200
            assert "/meanwhile" in str(dump(api.registry.open_or_create("alice")))
        return bool(written)

    assert any(not asyncio.run(overtake(number)) for number in count(1))


def test_a_replacement_that_is_acknowledged_while_a_world_is_copied_onto_itself_stays(api: Api) -> None:
    async def overtake(number: int) -> bool:
        await begin(api)
        replaced: list[int | None] = []

        async def replace() -> None:
            replaced.append(await ask(api, CALLS["replace"][-1]))

        client = Client(api.app, CALLS["fork itself"][-1])
        await Stepped(client.send(), number, replace)
        assert client.status in (200, 409)
        assert replaced in ([], [200])
        assert not replaced or "job29" in str(dump(api.registry.open_or_create("alice")))
        return bool(replaced)

    assert any(not asyncio.run(overtake(number)) for number in count(1))


@pytest.mark.parametrize("path", [f"{WORLD}/faults", f"{WORLD}/faults/1"])
def test_a_rule_stays_disarmed_that_is_disarmed_while_a_world_is_copied_onto_itself(api: Api, path: str) -> None:
    async def overtake(number: int) -> bool:
        await begin(api)
        assert await ask(api, armed(effect={"latency": "1ms"})) == 201
        disarmed: list[asyncio.Task[int | None]] = []

        async def disarm() -> None:
            disarmed.append(asyncio.ensure_future(ask(api, control("DELETE", path))))
            await asyncio.wait(disarmed, timeout=0.1)  # it may have to wait for the call

        await Stepped(Client(api.app, CALLS["fork itself"][-1]).send(), number, disarm)
        for each in disarmed:
            assert await each == 204
            assert "latency" not in str(dump(api.registry.open_or_create("alice")))
        return bool(disarmed)

    assert any(not asyncio.run(overtake(number)) for number in count(1))


OVERTAKEN_BY: Mapping[str, Request] = {
    "a write": service("POST", "/mine/folders", path="/meanwhile"),
    "drop": CALLS["drop"][-1],
    "replace": CALLS["replace"][-1],
    "reset": CALLS["reset"][-1],
    "reset all": CALLS["reset all"][-1],
    "merge": CALLS["merge"][-1],
    "fork itself": CALLS["fork itself"][-1],
    "advance": CALLS["advance"][-1],
    "delete a project": CALLS["delete a project"][-1],
    "fork onto it": control("PUT", WORLD, {"fork": "new"}),
    "drop the new one": control("DELETE", NEW),
    "clear the journal": CALLS["clear the journal"][-1],
}


@pytest.mark.parametrize("store_kind", ["memory"])
@pytest.mark.parametrize(("call", "by"), [*zip(reversed([*CALLS]), cycle(OVERTAKEN_BY), strict=False)][::2])
def test_calls_that_overtake_each_other_leave_nothing(
    api: Api, caplog: pytest.LogCaptureFixture, call: str, by: str
) -> None:
    async def overtake(number: int) -> bool:
        *before, request = CALLS[call]
        await begin(api, *before)
        others: list[asyncio.Task[int | None]] = []

        async def act() -> None:
            others.append(asyncio.ensure_future(ask(api, OVERTAKEN_BY[by])))
            await asyncio.wait(others, timeout=0.02)  # it may have to wait for the call

        client = Client(api.app, request)
        await asyncio.wait_for(Stepped(client.send(), number, act), SOON)
        for other in others:
            assert await other in EXPECTED
        assert client.status in EXPECTED
        assert_nothing_is_held(api)
        await ask(api, control("DELETE", f"{WORLD}/faults"))
        assert await folder(api, "after") in (200, 404), "nothing is held"
        return bool(others)

    assert any(not asyncio.run(overtake(number)) for number in suspensions())
    assert complaints(caplog) == []
