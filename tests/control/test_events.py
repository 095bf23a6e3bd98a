"""What happens in a world, as a stream of events."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from sqlalchemy.exc import DBAPIError

from foas_emulator.control import events
from foas_emulator.control.events import EventStream
from foas_emulator.journal.entries import WorldJournal
from foas_emulator.journal.events import MOST_ENTRIES, News, Watch
from foas_emulator.testing import Emulator
from foas_emulator.world.file_errors import WorldFileError
from foas_emulator.world.world import World
from tests.api import open_api
from tests.process import DIRECTLY
from tests.wire import INSTANCE

EVENTS = "/_emulator/worlds/default/events"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


def told(emulator: Emulator, act: Any) -> dict[str, Any]:
    """The first event after the stream is open and `act` was done."""
    with (
        httpx.Client(base_url=emulator.url, **DIRECTLY) as client,
        client.stream("GET", EVENTS) as stream,
    ):
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["x-accel-buffering"] == "no"  # nginx otherwise keeps events until it has a page of them
        lines = stream.iter_lines()
        assert next(lines) == ": here"
        threading.Thread(target=act).start()
        return dict(json.loads(next(line for line in lines if line.startswith("data: ")).removeprefix("data: ")))


def test_a_call_is_reported_as_it_ends(emulator: Emulator) -> None:
    event = told(emulator, lambda: httpx.get(emulator.url + INSTANCE, **DIRECTLY))
    assert [call["operation"] for call in event["calls"]] == ["GetInstance"]
    assert (event["more"], event["changed"]) == (0, False)


def test_a_change_by_the_control_api_is_reported(emulator: Emulator) -> None:
    event = told(emulator, lambda: httpx.post(f"{emulator.url}/_emulator/worlds/default/reset", **DIRECTLY))
    assert (event["calls"], event["changed"]) == ([], True)


def test_a_world_that_does_not_exist_is_not_made_for_being_watched() -> None:
    with open_api() as api:
        assert api.request("GET", "/_emulator/worlds/nobody/events").status_code == 404
        assert [each["name"] for each in api.request("GET", "/_emulator/worlds").json()["worlds"]] == ["default"]


def test_of_a_crowd_the_latest_are_told_and_how_many_more() -> None:
    with open_api() as api:
        api.request("GET", INSTANCE)
        journal = api.app._journal
        watch = Watch(api.world, journal.world_journal("default"))
        for _ in range(MOST_ENTRIES + 5):
            api.request("GET", INSTANCE)
        news = watch.look(api.world, journal.world_journal("default"))
        assert [number for number, _ in news.entries] == list(range(7, MOST_ENTRIES + 7))
        assert news.more == 5
        assert not watch.look(api.world, journal.world_journal("default"))
        journal.forget("default")
        assert watch.look(api.world, journal.world_journal("default")).has_changed


def test_all_calls_since_the_journal_was_cleared_are_told() -> None:
    with open_api() as api:
        journal = api.app._journal
        for calls in (2, 3):
            api.request("GET", INSTANCE)
            watch = Watch(api.world, journal.world_journal("default"))
            journal.forget("default")
            for _ in range(calls):
                api.request("GET", INSTANCE)
            news = watch.look(api.world, journal.world_journal("default"))
            assert [number for number, _ in news.entries] == list(range(1, calls + 1))
            assert news.has_changed


def test_calls_are_told_once_if_their_journal_is_forgotten_to_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    with open_api() as api:
        journal = api.app._journal
        api.request("GET", INSTANCE)
        watch = Watch(api.world, journal.world_journal("default"))
        api.request("GET", "/api/v2/projects/project1")
        api.request("GET", INSTANCE, headers={"x-emulator-world": "other"})
        monkeypatch.setattr(journal, "_most_for_worlds", 0)
        journal._make_room()
        api.request("GET", "/api/v2/projects")
        news = watch.look(api.world, journal.world_journal("default"))
        assert [(number, entry.call.operation_name) for number, entry in news.entries] == [(3, "ListProject")]
        assert (news.more, news.has_changed) == (1, False)


def test_a_call_that_ends_while_the_world_is_settled_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, told_of = Reader(takes=9), []

    def tell(news: News) -> str:
        told_of.extend([(number, entry.call.operation_name) for number, entry in news.entries])
        return ""

    with open_api() as api:
        journal = api.app._journal
        for _ in range(3):
            api.request("GET", INSTANCE)

        async def settle(world: World) -> None:
            if told_of:
                api.registry.drop(world.name)
            else:
                assert (await asyncio.to_thread(api.request, "GET", "/api/v2/projects")).status_code == 200

        monkeypatch.setattr(events, "settle", settle)
        monkeypatch.setattr(events, "EVERY", 0.01)
        stream = EventStream(lambda: (api.registry.peek("default"), journal.world_journal("default")), tell)
        asyncio.run(asyncio.wait_for(stream({"type": "http"}, reader.receive, reader.send), 60))
    assert told_of == [(4, "ListProject")]


class Reader:
    """The other end of a stream, which may stop taking what is sent."""

    def __init__(self, *, takes: int) -> None:
        self.takes = takes
        self.messages: list[Any] = []
        self.is_aborted = False

    async def send(self, message: Any) -> None:
        if len(self.messages) >= self.takes:
            await asyncio.Event().wait()
        self.messages.append(message)

    async def receive(self) -> Any:
        await asyncio.Event().wait()

    def abort(self) -> None:
        self.is_aborted = True


def test_a_reader_that_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "SEND_WITHIN", 0.05)
    reader = Reader(takes=1)
    world = SimpleNamespace(store=SimpleNamespace(revision=object()), is_settled=True)
    stream = EventStream(lambda: (world, WorldJournal()), str)  # type: ignore[arg-type, return-value]
    scope = {"type": "http", "state": {"foas_emulator.transport": reader}}
    asyncio.run(asyncio.wait_for(stream(scope, reader.receive, reader.send), 60))
    assert reader.is_aborted
    assert EventStream._open == 0


def test_the_stream_ends_with_its_world() -> None:
    reader = Reader(takes=9)
    world = SimpleNamespace(store=SimpleNamespace(revision=object()), is_settled=True)
    seen = iter([world, None, None])
    stream = EventStream(lambda: (next(seen), WorldJournal()), str)  # type: ignore[arg-type, return-value]
    asyncio.run(asyncio.wait_for(stream({"type": "http"}, reader.receive, reader.send), 60))
    assert reader.messages[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


def full() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (WorldFileError(Path("a.db"), "disk I/O error"), "a.db cannot be used: disk I/O error"),
        (full(), "default.db cannot be used: database or disk is full"),
        (DBAPIError("COMMIT", None, full()), "default.db cannot be used: database or disk is full"),
        (MemoryError(), "no more memory"),
    ],
)
def test_the_stream_ends_where_its_world_cannot_be_settled(
    error: Exception, said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    reader = Reader(takes=9)
    with open_api(data_dir=tmp_path) as api:
        world = api.world
        with world.transaction():
            world.schedule("put_state", "instance:1", at=0)

        def fail(*_: Any, **__: Any) -> None:
            raise error

        with patch.object(type(world), "settle", fail):
            stream = EventStream(lambda: (world, WorldJournal()), str)
            asyncio.run(asyncio.wait_for(stream({"type": "http"}, reader.receive, reader.send), 60))
    assert reader.messages[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert said in caplog.text


def test_one_stream_too_many_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_STREAMS", 0)
    with open_api() as api:
        refused = api.request("GET", EVENTS)
    assert refused.status_code == 503
    assert refused.json()["hint"]


def test_a_server_with_an_open_stream_stops_without_a_word(tmp_path: Any) -> None:
    from tests.process import serving  # noqa: PLC0415

    log = tmp_path / "log"
    with serving(log=log) as emulator, emulator.client() as client, client.stream("GET", EVENTS) as stream:
        assert next(stream.iter_lines()) == ": here"
        emulator.stop()
    assert "Traceback" not in log.read_text("utf-8")


def test_head_of_the_stream_is_its_head_alone(emulator: Emulator) -> None:
    with httpx.Client(base_url=emulator.url, **DIRECTLY) as client:
        head = client.head("/_emulator/worlds/default/events")
    assert (head.status_code, head.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
