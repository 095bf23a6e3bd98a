"""Large answers of the service and of the control API, and clients that read them slowly."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from unittest.mock import Mock

import httpx
import pytest

from foas_emulator.faults.wire import TRANSPORT
from foas_emulator.gateway import large_answers
from foas_emulator.pipeline import cache_reads
from tests.api import Api, open_api

HOST = "http://127.0.0.1"
JOBS = "/api/v2/projects/demo/jobs"
XML = {"accept": "application/xml"}
SNAPSHOTS = ("/_emulator/worlds/default/snapshot", "/_emulator/console/w/default/snapshot")
JOURNAL = "/_emulator/worlds/default/journal"
CLOCK = "/_emulator/worlds/default/clock"
CONTROL = (*SNAPSHOTS, JOURNAL, CLOCK)
ALL = [(JOBS, {}), (JOBS, XML), *((path, {}) for path in CONTROL)]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An emulator to which all these answers are large, and two of them too much."""
    set_large(monkeypatch, 500)
    monkeypatch.setattr(large_answers, "MOST_SENDING", 1000)
    with open_api() as api:
        for _ in range(30):
            assert api.request("GET", f"{HOST}/api/v2/projects").status_code == 200
        stopped = {"mode": "frozen", "now": "2100-01-01T00:00:00Z"}
        assert api.request("PUT", HOST + CLOCK, json=stopped).status_code == 200
        timeline = [{"after": f"{hours}h", "ActualState": "PAUSED"} for hours in range(1, 50)]
        seed = {"projects": [{"Name": "p", "jobs": [{"JobName": "j", "instances": [{"Id": 1, "timeline": timeline}]}]}]}
        assert api.request("POST", f"{HOST}/_emulator/worlds/default/seed", json=seed).status_code == 204
        yield api


def set_large(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    for module in (cache_reads, large_answers):
        monkeypatch.setattr(module, "LARGE", size)


def body_of(messages: list[Any]) -> bytes:
    return b"".join(message["body"] for message in messages[1:])


@pytest.mark.parametrize("path", CONTROL)
def test_an_answer_in_pieces_is_the_same(api: Api, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    in_pieces = api.request("GET", HOST + path)
    set_large(monkeypatch, 10**9)
    whole = api.request("GET", HOST + path)
    assert still(in_pieces.content) == still(whole.content)
    assert in_pieces.headers.items() == whole.headers.items()
    assert api.request("HEAD", HOST + path).headers["content-length"] == str(len(whole.content))


def read_slowly(
    api: Api, path: str, headers: Mapping[str, str], connection: object = None
) -> tuple[list[Any], httpx.Response, httpx.Response]:
    """Return the messages to a slow client, the answer to another one meanwhile, and to a third one afterwards."""
    reads, may_read = asyncio.Event(), asyncio.Event()
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            reads.set()
            await may_read.wait()

    async def leave() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    state = {} if connection is None else {"state": {TRANSPORT: connection}}

    async def ask() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(api.app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers) as client:
            receive = stay_connected() if connection is None else leave
            slow = asyncio.create_task(api.app(scope(path, headers) | state, receive, send))
            await reads.wait()
            refused = await client.get(path)
            may_read.set()
            await slow
            return refused, await client.get(path)

    refused, later = asyncio.run(asyncio.wait_for(ask(), 60))
    return sent, refused, later


@pytest.mark.parametrize(("path", "headers"), ALL)
@pytest.mark.parametrize("before", [0, 2])
def test_what_slow_clients_hold_is_bounded_and_given_back(
    api: Api, path: str, headers: Mapping[str, str], before: int
) -> None:
    """Each would else hold a whole world for as long as it reads a byte now and then."""
    for _ in range(before):  # so that an answer of the service is cached
        assert api.request("GET", HOST + path, headers=headers).status_code == 200
    sent, refused, later = read_slowly(api, path, headers)
    assert refused.status_code == 503
    hint = refused.headers["x-emulator-hint"] if path == JOBS else refused.json()["hint"]
    assert "bytes of large answers" in hint
    assert "content-disposition" not in refused.headers, "or else a browser would save the refusal"
    assert later.status_code == 200
    assert {len(message["body"]) for message in sent[1:-1]} == {500}
    assert 0 < len(sent[-1]["body"]) <= 500
    assert sent[-1].get("more_body", False) is False
    assert len(still(body_of(sent))) == len(still(later.content))


@pytest.mark.parametrize("path", [JOBS, SNAPSHOTS[0]])
def test_who_reads_a_piece_for_too_long_makes_room_for_others(
    api: Api, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that reads a byte now and then would else shut them out for as long as it likes."""
    monkeypatch.setattr(large_answers, "SLOW", 0.0)
    connection = Mock()
    _, meanwhile, later = read_slowly(api, path, {}, connection)
    connection.abort.assert_called_once_with()
    assert (meanwhile.status_code, later.status_code) == (200, 200)


@pytest.mark.parametrize("before", [0, 2])
def test_the_journal_has_a_large_answer_once_it_has_been_sent(api: Api, before: int) -> None:
    for _ in range(before):
        api.request("GET", HOST + JOBS)
    read_slowly(api, JOBS, {})
    entries = api.request("GET", HOST + JOURNAL).json()["entries"]
    assert [entry["status"] for entry in entries[-3:]] == [503, 200, 200], "in the order in which they ended"
    assert len(entries) == 30 + before + 3


def test_a_large_answer_of_one_api_counts_for_the_other(api: Api) -> None:
    sent: list[Any] = []

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(api.app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
            reads = asyncio.Event()

            async def never_read(message: Any) -> None:
                sent.append(message)
                if message["type"] == "http.response.body":
                    reads.set()
                    await asyncio.sleep(3600)

            slow = asyncio.create_task(api.app(scope(SNAPSHOTS[0]), stay_connected(), never_read))
            await reads.wait()
            refused = await client.get(JOBS)
            slow.cancel()
            await asyncio.wait([slow])
            return refused

    assert asyncio.run(asyncio.wait_for(ask(), 60)).status_code == 503
    assert api.request("GET", HOST + JOBS).status_code == 200, "a client that has left holds nothing"


def test_what_slow_readers_of_truncated_answers_hold_counts_too(api: Api) -> None:
    rule = {"match": {"operation": "ListJob"}, "effect": {"truncate": 0.9}, "times": 1}
    assert api.request("POST", "/_emulator/worlds/default/faults", json=rule).status_code == 201
    connection = Mock()
    sent, refused, later = read_slowly(api, JOBS, {}, connection)
    assert (refused.status_code, later.status_code) == (503, 200)
    assert {message["more_body"] for message in sent[1:]} == {True}
    assert max(len(message["body"]) for message in sent[1:]) == 500
    assert len(body_of(sent)) == int(len(later.content) * 0.9)
    connection.close.assert_called_once_with()


@pytest.mark.parametrize(("path", "headers"), ALL)
def test_others_are_served_between_the_pieces_for_a_client_that_has_left(
    api: Api, path: str, headers: Mapping[str, str]
) -> None:
    """What is sent to one is dropped at once: a world of 200 megabytes held all others for 0.06 to 0.3 seconds."""
    others: list[int] = []
    waiting: list[int] = []
    pieces = 0

    async def send(message: Any) -> None:
        nonlocal pieces
        waiting.append(pieces - len(others))
        if message.get("more_body"):
            pieces += 1
            asyncio.get_running_loop().call_soon(others.append, pieces)

    asyncio.run(asyncio.wait_for(api.app(scope(path, headers), stay_connected(), send), 60))
    assert pieces > 5
    assert set(waiting) == {0}


def still(content: bytes) -> bytes:
    """Return an answer without what passes while a clock stands still."""
    return re.sub(rb'"offset_ms": [0-9]+', b"", content)


def stay_connected() -> Any:
    requests = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        for request in requests:
            return request
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    return receive


def scope(path: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    request = httpx.Request("GET", HOST + path, headers=headers)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
