"""Applications that are built on their first request, outside the event loop."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from foas_emulator.control.on_demand import OnDemand
from tests.api import open_api


async def ask(application: ASGIApp) -> bytes:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    await application({"type": "http", "method": "GET", "path": "/"}, receive, send)
    return b"".join(message.get("body", b"") for message in sent)


def on_demand(make: Callable[[], ASGIApp]) -> OnDemand:
    return OnDemand(make, close=lambda: None)


def test_others_are_served_while_it_is_made_and_it_is_made_once() -> None:
    may_end, made = threading.Event(), []

    def make() -> ASGIApp:
        assert may_end.wait(60)
        made.append(threading.current_thread())
        return PlainTextResponse("made")

    async def two_at_once() -> list[bytes]:
        application = on_demand(make)
        asking = [asyncio.create_task(ask(application)) for _ in range(2)]
        for _ in range(5):
            await asyncio.sleep(0)  # the loop goes on, or this would never let it end
        assert made == []
        may_end.set()
        return [await each for each in asking]

    assert asyncio.run(two_at_once()) == [b"made", b"made"]
    assert len(made) == 1
    assert made[0] is not threading.current_thread()


def test_a_client_that_leaves_meanwhile_does_not_have_it_made_twice() -> None:
    may_end, begun, made = threading.Event(), threading.Event(), []

    def make() -> ASGIApp:
        begun.set()
        assert may_end.wait(60)
        made.append("made")
        return PlainTextResponse("made")

    async def leave_and_ask_again() -> bytes:
        application = on_demand(make)
        leaving = asyncio.create_task(ask(application))
        await asyncio.to_thread(begun.wait, 60)
        leaving.cancel()
        asking = asyncio.create_task(ask(application))
        await asyncio.wait([leaving])
        assert leaving.cancelled()
        may_end.set()
        return await asking

    assert asyncio.run(leave_and_ask_again()) == b"made"
    assert made == ["made"]


def test_those_of_two_servers_are_made_one_after_the_other() -> None:
    """FastAPI changes the warnings of the whole process while it makes a route."""
    both = threading.Barrier(2)

    def make() -> ASGIApp:
        with pytest.raises(threading.BrokenBarrierError):
            both.wait(timeout=0.2)
        both.reset()
        return PlainTextResponse("made")

    async def ask_both() -> list[bytes]:
        return list(await asyncio.gather(ask(on_demand(make)), ask(on_demand(make))))

    assert asyncio.run(ask_both()) == [b"made", b"made"]


def test_one_that_could_not_be_made_is_made_for_the_next_who_asks() -> None:
    results: Iterator[Exception | ASGIApp] = iter([OSError("no descriptor is left"), PlainTextResponse("made")])

    def make() -> ASGIApp:
        result = next(results)
        if isinstance(result, Exception):
            raise result
        return result

    async def fail_then_ask() -> bytes:
        application = on_demand(make)
        with pytest.raises(OSError, match="no descriptor"):
            await ask(application)
        return await ask(application)

    assert asyncio.run(fail_then_ask()) == b"made"


def test_one_is_made_without_a_thread_where_the_system_allows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def ask_without() -> bytes:
        with monkeypatch.context() as starved:
            starved.setattr(threading.Thread, "start", refuse)
            return await ask(on_demand(lambda: PlainTextResponse("made")))

    assert asyncio.run(ask_without()) == b"made"


def test_nothing_of_the_control_api_is_built_on_the_loop_when_it_is_first_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """FastAPI makes an adapter for every parameter and answer of a route, some of them when it first looks for one."""
    built: list[threading.Thread] = []
    initialize = TypeAdapter.__init__

    def note(self: TypeAdapter[Any], *arguments: Any, **options: Any) -> None:
        built.append(threading.current_thread())
        initialize(self, *arguments, **options)

    monkeypatch.setattr(TypeAdapter, "__init__", note)
    with open_api() as api:
        assert api.request("GET", "/_emulator/health").status_code == 200
        assert api.request("GET", "/_emulator/nothing").status_code == 404
    assert len(built) > 100
    assert threading.current_thread() not in built
