"""An application that is built on its first request."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Lock
from typing import Any

from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foas_emulator.world.threads import in_thread

_making = Lock()
"""Held while one is built, by all servers of this process: FastAPI disables warnings meanwhile, for the whole
process, and two that are built at once would enable them too early."""


class OnDemand:
    """A proxy that builds an application on its first request, so that the start need not wait for it.

    A thread builds it, so that other requests are served meanwhile. HEAD is answered as GET, without a body. The proxy
    handles the lifespan itself: `close` is called when the server stops.
    """

    def __init__(self, make: Callable[[], ASGIApp], *, close: Callable[[], None]) -> None:
        @asynccontextmanager
        async def lifespan(_: Any) -> AsyncIterator[None]:
            yield
            close()

        self._lifespan = Router(lifespan=lifespan)
        self._make = make
        self._application: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        application = await in_thread(self._made) if self._application is None else self._application
        if scope["method"] == "HEAD":
            await application({**scope, "method": "GET"}, receive, _without_body(send))
        else:
            await application(scope, receive, send)

    def _made(self) -> ASGIApp:
        """Return the application; the first request builds it, even if its client leaves before that is done."""
        with _making:
            if self._application is None:
                self._application = self._make()
        return self._application


def _without_body(send: Send) -> Send:
    """Return a `send` that leaves bodies out, so that the route of GET can answer HEAD."""

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {"type": message["type"], "body": b"", "more_body": message.get("more_body", False)}
        await send(message)

    return send_head
