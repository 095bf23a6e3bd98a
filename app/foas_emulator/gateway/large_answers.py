"""Large answers: clients get them in pieces, and those that read slowly hold a bounded number of bytes."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foas_emulator.gateway.errors import UNAVAILABLE

LARGE = 256 * 1024
"""The size in bytes from which an answer is large, and of the pieces in which it is sent."""
MOST_SENDING = 512 * 1024 * 1024
"""The most bytes of large answers that clients are reading at a time. A single answer may be larger."""


class LargeAnswers:
    """The bytes of all large answers that clients are reading."""

    def __init__(self) -> None:
        self.size = 0

    def require_room(self, size: int) -> None:
        """Raise `ServiceUnavailable` if an answer of this size is large and clients are reading too much already."""
        if size > LARGE and self.size and self.size + size > MOST_SENDING:
            raise UNAVAILABLE(
                f"Clients are reading {self.size} bytes of large answers, and {MOST_SENDING} are allowed at a time: "
                "ask again when they have read them."
            )


class PiecewiseMiddleware:
    """Middleware that sends a large body as fast as its client reads it, and counts it until it has been sent."""

    def __init__(self, app: ASGIApp, *, large: LargeAnswers) -> None:
        self._app = app
        self._large = large

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_pieces(message: Message) -> None:
            if "body" in message and len(message["body"]) > LARGE:
                await self._send_in_pieces(message, send)
            else:
                await send(message)

        await self._app(scope, receive, send_in_pieces)

    async def _send_in_pieces(self, message: Message, send: Send) -> None:
        body = message["body"]
        last = (len(body) - 1) // LARGE * LARGE
        held = len(body) + LARGE  # a piece that the system has not taken yet is a copy
        self._large.size += held
        try:
            for start in range(0, last, LARGE):
                await send({**message, "body": body[start : start + LARGE], "more_body": True})
                await asyncio.sleep(0)  # to send does not wait for a client that reads fast, or that has left
            await send({**message, "body": body[last:]})
        finally:
            self._large.size -= held
