"""An application that is made when its first request comes."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send


class OnDemand:
    """Stands for an application until somebody asks for it, so that a start need not wait for it.

    It answers for the lifespan itself: `close` is called when the server stops.
    """

    def __init__(self, make: Callable[[], ASGIApp], *, close: Callable[[], None]) -> None:
        @asynccontextmanager
        async def lifespan(_: Any) -> AsyncIterator[None]:
            yield
            close()

        self._lifespan = Router(lifespan=lifespan)
        self._application = cache(make)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        application = self._lifespan if scope["type"] == "lifespan" else self._application()
        await application(scope, receive, send)
