"""Answers that hold whole worlds, journals or pending changes, and clients that read them slowly."""

import asyncio
import re
from time import sleep
from typing import Any

import httpx
import pytest

from foas_emulator.control import journal, sending
from tests.api import Api, open_api

HOST = "http://127.0.0.1"
SNAPSHOTS = ("/_emulator/worlds/default/snapshot", "/_emulator/console/w/default/snapshot")
CLOCK = "/_emulator/worlds/default/clock"
LARGE = (*SNAPSHOTS, "/_emulator/worlds/default/journal", CLOCK)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An emulator to which every answer is a large one."""
    monkeypatch.setattr(sending, "_PIECE", 1000)
    monkeypatch.setattr(sending, "MOST_SENDING", 1)
    with open_api() as api:
        for _ in range(30):
            assert api.request("GET", f"{HOST}/api/v2/projects").status_code == 200
        stopped = {"mode": "frozen", "now": "2100-01-01T00:00:00Z"}
        assert api.request("PUT", f"{HOST}{CLOCK}", json=stopped).status_code == 200
        timeline = [{"after": f"{hours}h", "ActualState": "PAUSED"} for hours in range(1, 300)]
        seed = {"projects": [{"Name": "p", "jobs": [{"JobName": "j", "instances": [{"Id": 1, "timeline": timeline}]}]}]}
        assert api.request("POST", f"{HOST}/_emulator/worlds/default/seed", json=seed).status_code == 204
        yield api


@pytest.mark.parametrize("path", LARGE)
def test_an_answer_in_pieces_is_the_same(api: Api, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    in_pieces = api.request("GET", HOST + path)
    monkeypatch.setattr(sending, "_PIECE", 10**9)
    whole = api.request("GET", HOST + path)
    assert still(in_pieces.content) == still(whole.content)
    assert in_pieces.headers.items() == whole.headers.items()
    assert api.request("HEAD", HOST + path).headers["content-length"] == str(len(whole.content))


def test_pages_of_a_journal_are_written_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several threads that write would keep the event loop, and so all others, from the processor."""
    at_work, most, write = 0, 0, journal._written_page

    def watched(*given: Any) -> bytes:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        sleep(0.02)
        at_work -= 1
        return write(*given)

    monkeypatch.setattr(journal, "_written_page", watched)

    async def ask(app: Any) -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport) as client:
            return await asyncio.gather(*(client.get(f"{HOST}/_emulator/worlds/default/journal") for _ in range(8)))

    with open_api() as api:
        assert api.request("GET", f"{HOST}/api/v2/projects").status_code == 200
        answers = asyncio.run(asyncio.wait_for(ask(api.app), 60))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert most == 1


@pytest.mark.parametrize("path", LARGE)
def test_what_slow_clients_hold_is_bounded_and_given_back(api: Api, path: str) -> None:
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
            slow = asyncio.create_task(api.app(scope(path), receive, send))
            await reads.wait()
            refused = await client.get(HOST + path)
            may_read.set()
            await slow
            return refused, await client.get(HOST + path)

    refused, later = asyncio.run(asyncio.wait_for(ask(), 60))
    assert refused.status_code == 503
    assert refused.json()["hint"] == "Ask again when they have read them."
    assert "content-disposition" not in refused.headers, "or else a browser would save the refusal"
    assert later.status_code == 200
    assert still(b"".join(message["body"] for message in sent[1:])) == still(later.content)


@pytest.mark.parametrize("path", LARGE)
def test_others_are_served_between_the_pieces_for_a_client_that_has_left(api: Api, path: str) -> None:
    """What is sent to one is dropped at once: a world of 200 megabytes held all others for 0.06 to 0.3 seconds."""
    others: list[int] = []
    waiting: list[int] = []
    pieces = 0

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal pieces
        waiting.append(pieces - len(others))
        if message.get("more_body"):
            pieces += 1
            asyncio.get_running_loop().call_soon(others.append, pieces)

    asyncio.run(asyncio.wait_for(api.app(scope(path), receive, send), 60))
    assert pieces > 10
    assert set(waiting) == {0}


def still(content: bytes) -> bytes:
    """Return an answer without what passes while a clock stands still."""
    return re.sub(rb'"offset_ms": [0-9]+', b"", content)


def scope(path: str) -> dict[str, Any]:
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
