"""The events of a world as they happen, as `text/event-stream`.

The stream checks a few times a second and reports what is new; of many calls, the last few and the number of others.
A reader that is too slow is dropped and never waited for.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any, ClassVar

from fastapi import APIRouter
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from foas_emulator.control.errors import ControlError, require_world
from foas_emulator.control.paths import WorldName
from foas_emulator.faults.wire import abort
from foas_emulator.gateway.responses import until_disconnected
from foas_emulator.journal.entries import WorldJournal, show
from foas_emulator.journal.events import News, Watch
from foas_emulator.journal.journal import Journal
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.world.advance import settle
from foas_emulator.world.file_errors import file_error
from foas_emulator.world.registry import Registry
from foas_emulator.world.shortage import refused_by_system
from foas_emulator.world.store import StoreClosedError
from foas_emulator.world.threads import in_thread
from foas_emulator.world.world import World

log = logging.getLogger(__name__)

EVERY = 0.35
"""Seconds between two checks."""
MOST_STREAMS = 64
SEND_WITHIN = 5.0
"""Seconds that a client has to receive an event."""
_CONTENT: dict[str, Any] = {"text/event-stream": {"schema": {"type": "string"}}}
_QUIET_ROUNDS = 40
"""The number of checks without news after which a comment is sent, to notice that a client has left."""


def event_router(registry: Registry, journal: Journal) -> APIRouter:
    """Return the route of each world's events under `/worlds/{world}/events`."""
    router = APIRouter(prefix="/worlds/{world}/events", tags=["journal"])

    @router.get("", response_class=Response, responses={200: {"content": _CONTENT}})
    async def watch_world(name: WorldName) -> Response:
        """Report calls as they end and changes of state, from now on, at most about three times a second.

        Each event is `{"calls", "more", "changed"}`: the latest calls as the journal shows them, the number of other
        calls, and whether the world has changed.
        """
        require_world(registry, name)
        await journal.sort()
        return EventStream(lambda: (registry.peek(name), journal.world_journal(name)), _written)

    return router


def _written(news: News) -> str:
    calls = [show(number, entry, OPERATIONS) for number, entry in news.entries]
    return json.dumps({"calls": calls, "more": news.more, "changed": news.has_changed}, ensure_ascii=False)


class EventStream(Response):
    """An answer that continues until its client leaves or is too slow, or the world has ended."""

    media_type = "text/event-stream"
    _open: ClassVar[int] = 0

    def __init__(self, observe: Callable[[], tuple[World | None, WorldJournal]], write: Callable[[News], str]) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._observe = observe
        self._write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if EventStream._open >= MOST_STREAMS:
            refusal = ControlError(503, f"{MOST_STREAMS} event streams are open.", "Close one of the others first.")
            await refusal.answer()(scope, receive, send)
            return
        if scope.get("method") == "HEAD":
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": b""})
            return
        EventStream._open += 1
        gone = asyncio.ensure_future(until_disconnected(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._report_until_end(scope, send, gone)
        finally:
            EventStream._open -= 1
            gone.cancel()

    async def _report_until_end(self, scope: Scope, send: Send, gone: "asyncio.Future[None]") -> None:
        try:
            await self._report(send, gone)
        except TimeoutError:
            abort(scope)
            return
        except asyncio.CancelledError:
            pass  # the server stops
        except Exception as error:
            reason = self._why_over(error)
            if reason is None:
                raise
            log.info("the event stream of a world has ended: %s", reason)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _why_over(self, error: Exception) -> str | None:
        """Return why nothing more is reported: the world has ended while it was settled, or the system refuses that."""
        if isinstance(error, StoreClosedError):
            return str(error)
        world, _ = self._observe()
        trouble = file_error(error, None if world is None else world.store.path)
        return refused_by_system(error) if trouble is None else str(trouble)

    async def _report(self, send: Send, gone: "asyncio.Future[None]") -> None:
        """Send events until the client has gone or the world has ended. Raise TimeoutError for a client too slow."""
        world, world_journal = self._observe()
        watch = None if world is None else Watch(world, world_journal)
        text, quiet = ": here\n\n", 0
        while watch is not None and not gone.done():
            if text:
                body = {"type": "http.response.body", "body": text.encode(), "more_body": True}
                await asyncio.wait_for(send(body), SEND_WITHIN)
            await asyncio.wait([gone], timeout=EVERY)
            world, _ = self._observe()
            if world is not None:
                await settle(world)  # apply the changes that have become due in the meantime
            world, world_journal = self._observe()  # calls may have ended meanwhile, and the world, too
            if world is None:
                break
            news = watch.look(world, world_journal)
            quiet = 0 if news else quiet + 1
            written = await in_thread(self._write, news) if news else ""  # unknown paths take milliseconds
            text = f"data: {written}\n\n" if news else ": here\n\n" if not quiet % _QUIET_ROUNDS else ""
