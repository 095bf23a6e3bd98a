"""An application that is made when its first request comes."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class OnDemand:
    """Stands for an application until somebody asks for it, so that a start need not wait for it.

    HEAD is answered as GET, without a body. It answers for the lifespan itself: `close` is called when the server
    stops.
    """

    def __init__(self, make: Callable[[], ASGIApp], *, close: Callable[[], None]) -> None:
        @asynccontextmanager
        async def lifespan(_: Any) -> AsyncIterator[None]:
            yield
            close()

        self._lifespan = Router(lifespan=lifespan)
        self._application = cache(make)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._application()({**scope, "method": "GET"}, receive, _without_body(send))
        else:
            await self._application()(scope, receive, send)


def _without_body(send: Send) -> Send:
    """Return a `send` that leaves bodies out, so that HEAD can be answered by what answers GET."""

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {"type": message["type"], "body": b"", "more_body": message.get("more_body", False)}
        await send(message)

    return send_head
