"""Images of worlds in use; large ones are taken outside the event loop."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from foas_emulator.console import comparison, resources
from foas_emulator.control import images, merging, resetting, snapshots, worlds
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.world import copying, online_backup
from foas_emulator.world.loop_lock import LoopLock
from foas_emulator.world.world import World
from tests.api import Api, open_api


@pytest.fixture
def api(data_dir: Path | None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """An emulator to which every world is a large one."""
    for module in (copying, images):
        monkeypatch.setattr(module, "LARGE", 0)
    monkeypatch.setattr(online_backup, "PAGES", 1)
    with open_api(data_dir=data_dir) as api:
        yield api


needs_threads = pytest.mark.skipif(not online_backup.IS_POSSIBLE, reason="this SQLite is for one thread")


class CountingLock(LoopLock):
    """Counts those who wait for it."""

    waiting = 0

    async def __aenter__(self) -> None:
        self.waiting += 1
        await super().__aenter__()


LARGE_SEED = json.dumps({"projects": [{"Name": "mine", "Description": "x" * 3000}]})
WHOLE_WORLDS = [
    ("GET", "/_emulator/worlds/default/snapshot", "", 200),
    ("POST", "/_emulator/worlds/default/clock/advance?dry_run=true", '{"by": "1s"}', 200),
    ("POST", "/_emulator/worlds/default/seed", LARGE_SEED, 204),
    ("PUT", "/_emulator/worlds/copy", '{"fork": "default"}', 201),
    ("GET", "/_emulator/console/w/default/", "", 200),
    ("GET", "/_emulator/console/w/default/compare", "", 200),
]


def test_requests_for_whole_worlds_wait_for_their_turn_before_they_hold_any(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise each of a crowd would hold an image while it waits for the thread that works on them."""
    lock = CountingLock()
    monkeypatch.setattr(images, "_lock", lock)
    taken: list[World] = []
    for module in (snapshots, images, merging, worlds, resources, comparison):
        monkeypatch.setattr(module, "image_of_world", noting(module.image_of_world, taken))

    async def crowd() -> list[int]:
        transport = httpx.ASGITransport(api.app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            async with lock:
                asked = [
                    asyncio.create_task(client.request(method, path, content=body))
                    for method, path, body, _ in WHOLE_WORLDS
                ]
                while lock.waiting <= len(asked):
                    await asyncio.sleep(0.01)
                    assert not any(task.done() for task in asked)
                assert taken == []
            return [response.status_code for response in await asyncio.gather(*asked)]

    assert asyncio.run(crowd()) == [status for *_, status in WHOLE_WORLDS]
    assert len(taken) >= len(WHOLE_WORLDS)


@pytest.mark.parametrize("member", ["seed", "snapshot", None])
def test_worlds_made_of_large_documents_wait_for_their_turn_before_they_have_an_image(
    api: Api, monkeypatch: pytest.MonkeyPatch, member: str | None
) -> None:
    """Otherwise each of a crowd would hold an image while it waits for the thread that writes it."""
    lock = CountingLock()
    monkeypatch.setattr(images, "_lock", lock)
    made: list[None] = []
    for module, name in ((worlds, "_image"), (images, "image_of_snapshot")):
        monkeypatch.setattr(module, name, counting(getattr(module, name), made))
    snapshot = api.request("GET", "/_emulator/worlds/default/snapshot").json()
    document: Any = snapshot if member is None else {member: json.loads(LARGE_SEED) if member == "seed" else snapshot}
    path = "/_emulator/worlds/default" + ("/snapshot" if member is None else "")

    async def crowd() -> list[int]:
        transport = httpx.ASGITransport(api.app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            before = lock.waiting
            async with lock:
                asked = [asyncio.create_task(client.put(path, json=document)) for _ in range(3)]
                while lock.waiting <= before + len(asked):
                    await asyncio.sleep(0.01)
                    assert not any(task.done() for task in asked)
                assert made == []
            return [response.status_code for response in await asyncio.gather(*asked)]

    assert asyncio.run(asyncio.wait_for(crowd(), 60)) == [204 if member is None else 200] * 3
    assert made


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/worlds/copy", '{"fork": "alice"}'),
        ("GET", "/console/w/default/compare?left=alice&right=alice", ""),
    ],
)
def test_a_closed_world_is_opened_before_its_turn(
    method: str, path: str, body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a crowd that asks for many closed worlds would hold an image of each: a closed world has no size."""
    monkeypatch.setattr(images, "LARGE", 0)
    lock = CountingLock()
    monkeypatch.setattr(images, "_lock", lock)
    with open_api(data_dir=tmp_path) as api:
        api.registry.open_or_create("alice")
        api.registry._shut("alice")

        async def ask() -> int:
            transport = httpx.ASGITransport(api.app, client=("127.0.0.1", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/_emulator") as client:
                async with lock:
                    asked = asyncio.create_task(client.request(method, path, content=body))
                    while lock.waiting < 2:
                        await asyncio.sleep(0.01)
                        assert not asked.done()
                return (await asked).status_code

        assert asyncio.run(asyncio.wait_for(ask(), 60)) in {200, 201}


@pytest.mark.parametrize("path", ["/worlds/alice/reset", "/reset"])
@pytest.mark.parametrize("ends", [False, True])
def test_a_world_that_waits_for_its_reset_is_not_closed_and_one_that_was_dropped_is_not_reset(
    path: str, data_dir: Path | None, monkeypatch: pytest.MonkeyPatch, *, ends: bool
) -> None:
    """Closed, a large one would be read and written on the loop; dropped, a reset of all would bring it back."""
    for module in (images, resetting):
        monkeypatch.setattr(module, "LARGE", 0)
    lock = CountingLock()
    monkeypatch.setattr(images, "_lock", lock)
    with open_api(data_dir=data_dir) as api:
        world = api.registry.open_or_create("alice")

        async def ask() -> int:
            transport = httpx.ASGITransport(api.app, client=("127.0.0.1", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/_emulator") as client:
                async with lock:
                    asked = asyncio.create_task(client.post(path))
                    while lock.waiting < 2:
                        await asyncio.sleep(0.01)
                        assert not asked.done()
                    assert world.is_in_use
                    if ends:
                        api.registry.drop("alice")
                return (await asked).status_code

        if path == "/reset":
            api.registry.drop("default")
        assert asyncio.run(asyncio.wait_for(ask(), 60)) == 200
        assert not world.is_in_use
        assert api.registry.exists("alice") is not (ends and path == "/reset")


def noting(
    take: Callable[[World], Awaitable[bytes]], taken: list[World]
) -> Callable[[World], Coroutine[Any, Any, bytes]]:
    async def note(world: World) -> bytes:
        taken.append(world)
        return await take(world)

    return note


def counting(make: Callable[..., Any], made: list[None]) -> Callable[..., Any]:
    def count(*given: Any, **named: Any) -> Any:
        made.append(None)
        return make(*given, **named)

    return count


def test_a_small_world_waits_for_nobody(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "LARGE", api.world.store.size)

    async def ask() -> int:
        transport = httpx.ASGITransport(api.app, client=("127.0.0.1", 1))
        async with (
            images.one_large_at_a_time(api.world.store.size + 1),
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
        ):
            return (await client.get("/_emulator/worlds/default/snapshot")).status_code

    assert asyncio.run(ask()) == 200


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("in_files", [False, True])
def test_a_reset_waits_for_its_turn_where_the_world_began_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, in_files: bool, waits: bool
) -> None:
    with open_api(data_dir=tmp_path if in_files else None) as api:
        began, world = api.registry.origin_size("default"), api.world
        assert began == len(api.registry.origin("default"))
        projects = [{"Name": "mine", "Description": "x" * 100_000}]
        api.request("POST", "/_emulator/worlds/default/seed", content=json.dumps({"projects": projects}))
        assert world.store.size > began
        lock = CountingLock()
        monkeypatch.setattr(images, "_lock", lock)
        for module in (images, resetting):
            monkeypatch.setattr(module, "LARGE", began - waits)

        async def ask() -> None:
            transport = httpx.ASGITransport(api.app, client=("127.0.0.1", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/_emulator") as client:
                async with lock:
                    asked = [asyncio.create_task(client.post(path)) for path in ("/worlds/default/reset", "/reset")]
                    while lock.waiting < 3 and waits:
                        await asyncio.sleep(0.01)
                        assert not any(task.done() for task in asked)
                    if not waits:
                        await asyncio.gather(*asked)
                    assert (world.store.size > began) is waits
                assert [response.status_code for response in await asyncio.gather(*asked)] == [200, 200]
                assert world.store.size == began

        asyncio.run(asyncio.wait_for(ask(), 60))


@needs_threads
def test_a_snapshot_that_had_to_wait_is_settled(api: Api) -> None:
    world = api.world
    instance = world.store.find(Instance)[0]

    async def ask() -> dict[str, Any]:
        transport = httpx.ASGITransport(api.app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/_emulator") as client:
            async with images.one_large_at_a_time(world.store.size):
                asked = asyncio.create_task(client.get("/worlds/default/snapshot"))
                while not world.users:
                    await asyncio.sleep(0.01)
                    assert not asked.done()
                with world.transaction():
                    world.schedule("put_state", f"instance:{instance.id}", at=0, ActualState="PAUSED")
            return dict((await asked).json())

    assert asyncio.run(ask())["tables"]["pending_changes"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "large"),
    [
        ("GET", "default/snapshot", "", 0),
        ("PUT", "default/snapshot", "{}", 0),
        ("PUT", "new", LARGE_SEED.join(('{"seed": ', "}")), 0),
        ("PUT", "new", '{"fork": "default"}', 0),
        ("PUT", "new", '{"fork": "default"}', 100),  # the body is small, and only what it names has to wait
    ],
)
def test_nothing_is_done_for_a_client_that_left_while_it_waited_for_its_turn(
    api: Api, monkeypatch: pytest.MonkeyPatch, *, method: str, path: str, body: str, large: int
) -> None:
    lock = CountingLock()
    monkeypatch.setattr(images, "LARGE", large)
    monkeypatch.setattr(images, "_lock", lock)
    taken: list[None] = []
    for module, name in ((snapshots, "image_of_world"), (worlds, "image_of_world"), (worlds, "_image")):
        if name != "_image" or "seed" in body:
            monkeypatch.setattr(module, name, counting(getattr(module, name), taken))
    monkeypatch.setattr(images, "image_of_snapshot", counting(images.image_of_snapshot, taken))
    left = asyncio.Event()
    unread: list[bytes] = []

    async def receive() -> dict[str, Any]:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        pass

    async def ask() -> None:
        request = httpx.Request(method, f"http://127.0.0.1/_emulator/worlds/{path}", content=body)
        scope = {
            "type": "http",
            "method": method,
            "path": request.url.path,
            "raw_path": request.url.raw_path,
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "http_version": "1.1",
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
        }
        for leaves in (True, False):
            unread[:] = [body.encode()] if body else []
            async with lock:
                asked = asyncio.create_task(api.app(dict(scope), receive, send))
                before = lock.waiting
                while lock.waiting == before:
                    await asyncio.sleep(0.01)
                    assert not asked.done()
                if leaves:
                    left.set()
            await asked
            assert taken == ([] if leaves else [None])
            left.clear()

    asyncio.run(asyncio.wait_for(ask(), 60))
