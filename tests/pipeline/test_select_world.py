import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import httpx
import pytest

from foas_emulator.world.registry import Registry
from foas_emulator.world.world import World
from tests.api import Api, open_api
from tests.wire import INSTANCE, ask, signed_v1, signed_v3


def folder_count(served: Api, world: str) -> int:
    return served.registry.open_or_create(world).store.counts()["folders"]


def create_folder(served: Api, headers: dict[str, str], path: str = "/new") -> None:
    form = {"content-type": "application/x-www-form-urlencoded", **headers}
    heard = ask(served.app, "/api/v2/projects/demo/folders", method="POST", headers=form, body=f"path={path}".encode())
    assert heard.status == 200, heard.text


@pytest.mark.parametrize(
    ("headers", "world"),
    [
        ({}, "default"),
        ({"x-emulator-world": "one"}, "one"),
        ({"x-emulator-world": ""}, "default"),
        ({"authorization": "acs world-two:sig"}, "two"),
        ({"authorization": "ACS3-HMAC-SHA256 Credential=world-three,SignedHeaders=host,Signature=0"}, "three"),
        ({"authorization": "ACS3-HMAC-SHA256 Signature=0,SignedHeaders=host,Credential=world-three"}, "three"),
        ({"authorization": "acs world-two:sig", "x-emulator-world": "one"}, "one"),
        ({"authorization": "acs  world-two : sig"}, "two"),
        ({"authorization": "acs test:world-x"}, "default"),
        ({"authorization": "acs myworld-x:sig"}, "default"),
        ({"authorization": "ACS3-HMAC-SHA256 Credential=test,SignedHeaders=world-x,Signature=0"}, "default"),
    ],
)
def test_request_works_in_the_world_it_names(served: Api, headers: dict[str, str], world: str) -> None:
    before = folder_count(served, world)
    create_folder(served, headers)
    assert folder_count(served, world) == before + 1
    others = {"default", "one", "two", "three"} - {world}
    assert {folder_count(served, other) for other in others} == {before}


@pytest.mark.parametrize("name", ["A", "-a", "_a", "a b", "a/b", "a.b", "x" * 65, "\xe9", "..", "default\x00"])
def test_name_that_no_world_can_have_is_refused_whoever_gives_it(served: Api, name: str) -> None:
    for headers in ({"x-emulator-world": name}, {"authorization": f"acs world-{name}:sig"}):
        heard = ask(served.app, headers=headers)
        assert (heard.status, heard.code) == (400, "InvalidParameter.World")
    assert served.registry.names() == ["default"]


@pytest.mark.parametrize(
    "headers",
    [
        {"x-emulator-world": "a\x9b31m\x85" + "x" * 10_000},
        {"authorization": "ACS3-HMAC-SHA256 Credential=world-a Signature=c0ffee"},
    ],
)
def test_a_wrong_name_is_in_the_log_without_controls_and_secrets(
    served: Api, caplog: pytest.LogCaptureFixture, headers: dict[str, str]
) -> None:
    with caplog.at_level("WARNING"):
        heard = ask(served.app, headers=headers)
    line = caplog.records[-1].getMessage()
    assert " world=- GET " in line
    assert "InvalidParameter.World: " in line
    assert line.isprintable()
    assert len(line) < 5000
    assert "c0ffee" not in line + heard.headers["x-emulator-hint"]


@pytest.mark.parametrize("format_", ["json", "xml"])
def test_a_name_is_refused_in_the_clients_format_and_under_a_request_id(served: Api, format_: str) -> None:
    ids = set()
    for query, headers in ((f"?Format={format_}", {}), ("", {"accept": f"application/{format_}"})):
        heard = ask(served.app, f"/api/v2/projects/demo{query}", headers={**headers, "x-emulator-world": "A"})
        assert (heard.format, heard.code) == (format_, "InvalidParameter.World")
        assert heard.members["RequestId"] == heard.headers["x-acs-request-id"]
        ids.add(heard.members["RequestId"])
    assert len(ids - {""}) == 2


def test_longest_name_is_a_name(served: Api) -> None:
    assert ask(served.app, headers={"x-emulator-world": "x" * 64}).status == 200


@pytest.mark.parametrize("sign", [signed_v1, signed_v3])
def test_strict_signatures_make_a_world_for_a_request_that_is_believed(sign: object) -> None:
    with open_api(signature="strict") as served:
        assert callable(sign)
        assert ask(served.app, headers=sign(key="world-mine")).status == 200
        assert served.registry.names() == ["default", "mine"]


@pytest.mark.parametrize(
    "headers",
    [
        {"x-emulator-world": "mine"},
        {"authorization": "acs world-mine:sig"},
        {"x-emulator-world": "mine", "authorization": "acs test:sig"},
    ],
)
def test_strict_signatures_make_no_world_for_a_request_that_is_not_believed(headers: dict[str, str]) -> None:
    with open_api(signature="strict") as served:
        heard = ask(served.app, headers=headers)
        assert heard.status == 400
        assert heard.headers["x-acs-request-id"] == heard.members["RequestId"]
        assert served.registry.names() == ["default"]


def test_unbelieved_request_for_an_unknown_path_makes_no_world_either() -> None:
    with open_api(signature="strict") as served:
        assert ask(served.app, "/nothing", headers=signed_v1("/nothing", key="world-mine")).status == 404
        assert served.registry.names() == ["default"]


def test_world_is_settled_before_the_request_is_read(served: Api) -> None:
    world = served.world
    world.set({"stop_delay": "30s"})
    stop = {"content-type": "application/x-www-form-urlencoded"}
    heard = ask(served.app, f"{INSTANCE}/expectstate", method="PUT", headers=stop, body=b"expectState=TERMINATED")
    assert heard.status == 200, heard.text
    assert ask(served.app).status == 200
    with world.transaction():
        world.clock.put(world.clock.ahead(30_000))
    assert ask(served.app).code == "InvalidInstance.NotRunning"


def test_two_requests_never_have_one_id(served: Api) -> None:
    ids = [ask(served.app, headers={"x-emulator-world": name}).headers["x-acs-request-id"] for name in "aabb"]
    assert len(set(ids)) == 4


def test_a_world_that_cannot_be_opened_is_a_whole_answer(served: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request was given no id yet, and its answer is as long as it says nevertheless."""
    monkeypatch.setattr(Registry, "exists", None)
    heard = ask(served.app, headers={"x-emulator-world": "other"})
    assert (heard.status, heard.code) == (500, "InternalError")
    assert heard.headers["content-length"] == str(len(heard.body))


@pytest.mark.parametrize("signature", ["off", "strict"])
def test_requests_for_open_worlds_are_served_between_those_that_create_others(signature: str) -> None:
    """In files each takes many milliseconds: in one turn of the loop, 200 of them would keep all others for seconds."""
    answered: list[str] = []

    async def call(client: httpx.AsyncClient, name: str) -> None:
        heard = await client.get(INSTANCE, headers=signed_v1(key=f"world-{name}"))
        assert heard.status_code == 200
        answered.append(name)

    async def call_all(app: Any) -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://emulator") as client:
            del client.headers["accept"]  # it is not signed
            await asyncio.gather(*(call(client, name) for name in ("a", "b", "c", "d", "open")))

    with open_api(signature=signature) as served:
        served.registry.open_or_create("open")
        asyncio.run(call_all(served.app))
    assert answered.index("open") <= 1
    assert answered[-1] == "d"


def test_a_call_that_waits_for_its_turn_while_the_server_stops_has_an_id_and_its_format(served: Api) -> None:
    async def stop(app: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://emulator") as client:
            get = partial(client.get, INSTANCE)
            calls = [
                asyncio.create_task(get(headers={"x-emulator-world": name, "accept": "text/xml"}))
                for name in ("a", "b", "c")
            ]
            while not served.registry.exists("a"):  # noqa: ASYNC110 - creating a world is no event
                await asyncio.sleep(0)
            calls[-1].cancel()
            return await calls[-1]

    heard = asyncio.run(stop(served.app))
    assert (heard.status_code, heard.headers["content-type"]) == (503, "text/xml;charset=utf-8")
    assert f"<RequestId>{heard.headers['x-acs-request-id']}</RequestId>" in heard.text
    assert len(heard.headers["x-acs-request-id"]) == 36
    assert not served.registry.exists("c")


def test_worlds_that_were_dropped_while_bodies_came_are_created_in_turns_too(
    served: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("a", "b", "c", "d")
    turns, created = 0, []
    all_created, rest = asyncio.Event(), asyncio.Event()
    create = served.registry.open_or_create

    def noting(name: str) -> World:
        if served.registry.peek(name) is None:
            created.append(turns)
        if len(created) == len(names):
            all_created.set()
        return create(name)

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def body() -> AsyncIterator[bytes]:
        await rest.wait()
        yield b"{}"

    async def call_all() -> None:
        counting = asyncio.create_task(count())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(served.app), base_url="http://emulator") as client:
            post = partial(client.post, "/api/v2/projects/project1/folders")
            calls = [asyncio.create_task(post(headers={"x-emulator-world": each}, content=body())) for each in names]
            await all_created.wait()
            for name in names:
                served.registry.drop(name)
            rest.set()
            await asyncio.gather(*calls)
        counting.cancel()

    monkeypatch.setattr(served.registry, "open_or_create", noting)
    asyncio.run(call_all())
    assert len(set(created)) == len(created) == 2 * len(names)
