"""Calls that are cancelled, left by their client or overtaken at every point at which they let others be served."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Generator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from foas_emulator.control import off_loop, staging
from foas_emulator.world import copying
from tests.api import Api, dump, open_api

pytestmark = pytest.mark.xdist_group("endurance")

WORLD, NEW = "/_emulator/worlds/alice", "/_emulator/worlds/new"
SEED = {"projects": [{"Name": "shop", "jobs": [{"JobName": f"job{number}"} for number in range(30)]}]}
FOLDERS = "/api/v2/projects/project1/folders"
SOON = 60
"""Seconds after which something hangs, however busy the machine is."""


class Stepped:
    """Awaits a call, and acts when it lets others be served for the n-th time; what is returned then is done first."""

    def __init__(self, call: Coroutine[Any, Any, Any], number: int, act: Callable[[], object]) -> None:
        self._call = call
        self._number = number
        self._act = act
        self.steps = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        failure: BaseException | None = None
        while True:
            try:
                waits_for = self._call.send(None) if failure is None else self._call.throw(failure)
            except StopIteration as ended:
                return ended.value
            self.steps += 1
            failure = None
            try:
                first = self._act() if self.steps == self._number else None
                if asyncio.iscoroutine(first):
                    is_future = getattr(waits_for, "_asyncio_future_blocking", False)
                    if is_future:
                        waits_for._asyncio_future_blocking = False  # this task waits for something else meanwhile
                    yield from first.__await__()
                    if is_future and waits_for.done():
                        continue
                    if is_future:
                        waits_for._asyncio_future_blocking = True
                yield waits_for
            except BaseException as error:  # noqa: BLE001 - the call is to handle it
                failure = error


class Client:
    """Sends one request, and leaves when it is told so: what it has not sent by then is never received."""

    def __init__(self, app: Any, method: str, path: str, body: Any = None, *, form: bytes = b"") -> None:
        self._app = app
        content = form or (b"" if body is None else json.dumps(body).encode())
        content_type = b"application/x-www-form-urlencoded" if form else b"application/json"
        headers = [(b"host", b"localhost"), (b"x-emulator-world", b"alice"), (b"content-type", content_type)]
        self._scope = {
            "type": "http",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [*headers, (b"content-length", b"%d" % len(content))],
            "client": ("127.0.0.1", 1),
        }
        self._unsent = [content]
        self._is_over = asyncio.Event()
        self.status: int | None = None

    def leave(self) -> None:
        self._is_over.set()

    async def send(self) -> int | None:
        await self._app(self._scope, self._receive, self._note)
        return self.status

    async def _receive(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        if self._unsent and not self._is_over.is_set():
            return {"type": "http.request", "body": self._unsent.pop(), "more_body": False}
        await self._is_over.wait()
        return {"type": "http.disconnect"}

    async def _note(self, message: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        self.status = message.get("status", self.status)


CALLS: dict[str, tuple[Any, ...]] = {
    "default": ("PUT", NEW),
    "seed": ("PUT", NEW, {"seed": SEED}),
    "replace": ("PUT", WORLD, {"seed": SEED}),
    "fork": ("PUT", NEW, {"fork": "alice"}),
    "fork itself": ("PUT", WORLD, {"fork": "alice"}),
    "reset": ("POST", f"{WORLD}/reset"),
    "reset all": ("POST", "/_emulator/reset"),
    "merge": ("POST", f"{WORLD}/seed", SEED),
    "merge new": ("POST", f"{NEW}/seed", SEED),
    "snapshot": ("GET", f"{WORLD}/snapshot"),
    "drop": ("DELETE", WORLD),
}


@pytest.fixture
def api(data_dir: Path | None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """An emulator to which every world is large: it is copied and staged by threads."""
    monkeypatch.setattr(staging, "LARGE", 0)
    monkeypatch.setattr(copying, "LARGE", 0)
    with open_api(data_dir=data_dir) as api:
        yield api


def cancel() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


def staged(data_dir: Path) -> list[str]:
    return [path.name for path in data_dir.iterdir() if path.suffix == ".new"]


async def threads_are_done() -> None:
    for size in (off_loop.SMALL + 1, off_loop.LARGE + 1):
        await off_loop.off_loop(size, lambda: None)


async def begin(api: Api) -> None:
    api.registry.drop("new")
    api.registry.create_or_replace("alice")
    assert await folder(api, "before") == 200


async def folder(api: Api, name: str) -> int | None:
    return await asyncio.wait_for(Client(api.app, "POST", FOLDERS, form=f"path=/{name}".encode()).send(), SOON)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("how", ["cancelled", "left"])
def test_a_call_that_is_interrupted_has_happened_or_not_and_leaves_nothing(
    api: Api, caplog: pytest.LogCaptureFixture, data_dir: Path | None, call: str, how: str
) -> None:
    async def interrupt(number: int) -> bool:
        await begin(api)
        before = set(api.registry.names())
        client = Client(api.app, *CALLS[call])
        stepped = Stepped(client.send(), number, client.leave if how == "left" else cancel)
        task = asyncio.ensure_future(stepped)
        await asyncio.wait([task], timeout=SOON)
        assert task.done()
        await threads_are_done()
        assert client.status is None or client.status < 300 or client.status == 503
        assert set(api.registry.names()) ^ before <= {"new", "alice"}
        for world in map(api.registry.open_or_create, api.registry.names()):
            assert not world.is_in_use
            assert not world.is_held
            assert not world.store.in_transaction
        if data_dir is not None:
            assert staged(data_dir) == []
        assert await folder(api, "after") in (200, 404), "nothing is held"
        return stepped.steps >= number

    asyncio.run(interrupt(10**6))  # what is made on first use is made
    assert any(not asyncio.run(interrupt(number)) for number in count(1))
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("call", ["fork itself", "fork", "merge", "snapshot"])
def test_no_write_is_lost_that_is_acknowledged_while_a_world_is_copied(api: Api, call: str) -> None:
    async def overtake(number: int) -> bool:
        await begin(api)
        written: list[asyncio.Task[int | None]] = []

        async def write() -> None:
            written.append(asyncio.ensure_future(folder(api, "meanwhile")))
            await asyncio.wait(written, timeout=0.1)  # it may have to wait for the call

        client = Client(api.app, *CALLS[call])
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
            replaced.append(await Client(api.app, *CALLS["replace"]).send())

        client = Client(api.app, *CALLS["fork itself"])
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
        assert await Client(api.app, "POST", f"{WORLD}/faults", {"effect": {"latency": "1ms"}}).send() == 201
        disarmed: list[asyncio.Task[int | None]] = []

        async def disarm() -> None:
            disarmed.append(asyncio.ensure_future(Client(api.app, "DELETE", path).send()))
            await asyncio.wait(disarmed, timeout=0.1)  # it may have to wait for the call

        await Stepped(Client(api.app, *CALLS["fork itself"]).send(), number, disarm)
        for each in disarmed:
            assert await each == 204
            assert "latency" not in str(dump(api.registry.open_or_create("alice")))
        return bool(disarmed)

    assert any(not asyncio.run(overtake(number)) for number in count(1))
