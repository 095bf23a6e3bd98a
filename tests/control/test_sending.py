"""Answers that hold whole worlds, and clients that read them slowly."""

import asyncio
from typing import Any

import httpx
import pytest

from foas_emulator.control import sending
from tests.api import Api, open_api

SNAPSHOT = "http://127.0.0.1/_emulator/worlds/default/snapshot"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An emulator to which every answer is a large one."""
    monkeypatch.setattr(sending, "_PIECE", 1000)
    monkeypatch.setattr(sending, "MOST_SENDING", 1)
    with open_api() as api:
        yield api


def test_a_snapshot_in_pieces_is_the_same(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    in_pieces = api.request("GET", SNAPSHOT)
    monkeypatch.setattr(sending, "_PIECE", 10**9)
    whole = api.request("GET", SNAPSHOT)
    assert in_pieces.content == whole.content
    assert in_pieces.headers.items() == whole.headers.items()
    assert api.request("HEAD", SNAPSHOT).headers["content-length"] == str(len(whole.content))


def test_what_slow_clients_hold_is_bounded_and_given_back(api: Api) -> None:
    """Each would else hold a whole world for as long as it reads a byte now and then."""
    reads, may_read = asyncio.Event(), asyncio.Event()
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            reads.set()
            await may_read.wait()

    async def ask() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(api.app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport) as client:
            slow = asyncio.create_task(api.app(scope(), receive, send))
            await reads.wait()
            refused = await client.get(SNAPSHOT)
            may_read.set()
            await slow
            return refused, await client.get(SNAPSHOT)

    refused, later = asyncio.run(asyncio.wait_for(ask(), 60))
    assert refused.status_code == 503
    assert refused.json()["hint"] == "Ask again when they have read them."
    assert later.status_code == 200
    assert b"".join(message["body"] for message in sent[1:]) == later.content


def scope() -> dict[str, Any]:
    path = httpx.URL(SNAPSHOT).path
    headers = [(b"host", b"127.0.0.1")]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
