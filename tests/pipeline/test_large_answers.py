"""Large answers of the service, and clients that read them slowly."""

import asyncio
from typing import Any
from unittest.mock import Mock

import httpx
import pytest

from foas_emulator.faults.wire import TRANSPORT
from foas_emulator.pipeline import cache_reads, large_answers
from tests.api import Api, open_api

JOBS = "/api/v2/projects/demo/jobs"
XML = {"accept": "application/xml"}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An emulator to which a page of jobs is a large answer, and two of them too much."""
    for module in (cache_reads, large_answers):
        monkeypatch.setattr(module, "LARGE", 500)
    monkeypatch.setattr(large_answers, "MOST_SENDING", 1000)
    with open_api() as api:
        yield api


def scope(headers: dict[str, str]) -> dict[str, Any]:
    request = httpx.Request("GET", "http://127.0.0.1" + JOBS, headers=headers)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": JOBS,
        "raw_path": JOBS.encode(),
        "query_string": b"",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


@pytest.mark.parametrize("headers", [{}, XML])
@pytest.mark.parametrize("before", [0, 2])
def test_what_slow_readers_hold_is_bounded_and_given_back(api: Api, headers: dict[str, str], before: int) -> None:
    for _ in range(before):  # so that it is cached
        assert api.request("GET", JOBS, headers=headers).status_code == 200
    reads, may_read = asyncio.Event(), asyncio.Event()
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            reads.set()
            await may_read.wait()

    async def ask() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(api.app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
            slow = asyncio.create_task(api.app(scope(headers), receive, send))
            await reads.wait()
            refused = await client.get(JOBS)
            may_read.set()
            await slow
            return refused, await client.get(JOBS)

    refused, later = asyncio.run(asyncio.wait_for(ask(), 60))
    assert (refused.status_code, "ServiceUnavailable" in refused.text) == (503, True)
    assert "bytes of large answers" in refused.headers["x-emulator-hint"]
    assert later.status_code == 200
    assert [len(message["body"]) <= 500 for message in sent[1:]] == [True] * -(-len(later.content) // 500)
    assert sent[-1].get("more_body", False) is False
    assert len(b"".join(message["body"] for message in sent[1:])) == len(later.content)
    entries = api.request("GET", "/_emulator/worlds/default/journal").json()["entries"]
    assert [entry["status"] for entry in entries[-3:]] == [503, 200, 200], "in the order in which they ended"
    assert len(entries) == before + 3


def test_what_slow_readers_of_truncated_answers_hold_counts_too(api: Api) -> None:
    rule = {"match": {"operation": "ListJob"}, "effect": {"truncate": 0.9}, "times": 1}
    assert api.request("POST", "/_emulator/worlds/default/faults", json=rule).status_code == 201
    transport = Mock()
    reads, may_read = asyncio.Event(), asyncio.Event()
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            reads.set()
            await may_read.wait()

    async def ask() -> tuple[httpx.Response, httpx.Response]:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://127.0.0.1")
        async with client:
            slow = asyncio.create_task(api.app(scope({}) | {"state": {TRANSPORT: transport}}, receive, send))
            await reads.wait()
            refused = await client.get(JOBS)
            may_read.set()
            await slow
            return refused, await client.get(JOBS)

    refused, later = asyncio.run(asyncio.wait_for(ask(), 60))
    assert (refused.status_code, later.status_code) == (503, 200)
    assert {message["more_body"] for message in sent[1:]} == {True}
    assert max(len(message["body"]) for message in sent[1:]) == 500
    assert sum(len(message["body"]) for message in sent[1:]) == int(len(later.content) * 0.9)
    transport.close.assert_called_once_with()
