"""Large answers: clients get them in pieces, and those that read slowly hold a bounded number of bytes."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foas_emulator.gateway.errors import UNAVAILABLE

LARGE = 256 * 1024
"""The size in bytes from which an answer is large, and of the pieces in which it is sent."""
MOST_SENDING = 512 * 1024 * 1024
"""The most bytes of large answers that clients are reading at a time. A single answer may be larger."""
SLOW = 10.0
"""Seconds for a piece after which an answer is given up if others have no room."""


class _Reader:
    """A client that reads a large answer: what is held for it, how to end its connection, and since when it reads."""

    def __init__(self, size: int, end: Callable[[], None]) -> None:
        self.size = size
        self.end = end
        self.since = 0.0


class LargeAnswers:
    """The bytes of all large answers that clients are reading.

    If there is no room for another one, the clients that have been reading a piece for the longest are given up: so
    clients that read next to nothing cannot shut others out.
    """

    def __init__(self) -> None:
        self.size = 0
        self._readers: dict[_Reader, None] = {}
        """Those first whose latest piece is the oldest."""

    def require_room(self, size: int) -> None:
        """Raise `ServiceUnavailable` if an answer of this size is large and clients are reading too much already."""
        if size > LARGE and not self._make_room(size):
            raise UNAVAILABLE(
                f"Clients are reading {self.size} bytes of large answers, and {MOST_SENDING} are allowed at a time: "
                "ask again when they have read them."
            )

    def _make_room(self, size: int) -> bool:
        while self.size and self.size + size > MOST_SENDING:
            slowest = next(iter(self._readers))
            if asyncio.get_running_loop().time() < slowest.since + SLOW:
                return False
            self._release(slowest)
            slowest.end()
        return True

    @contextmanager
    def reading(self, size: int, end: Callable[[], None]) -> Iterator[Callable[[], None]]:
        """Count an answer during the block; call the function that is yielded before each of its pieces."""
        reader = _Reader(size, end)
        self.size += size
        self._readers[reader] = None

        def begin_piece() -> None:
            if reader in self._readers:
                del self._readers[reader]
                reader.since = asyncio.get_running_loop().time()
                self._readers[reader] = None

        try:
            yield begin_piece
        finally:
            self._release(reader)

    def _release(self, reader: _Reader) -> None:
        if reader in self._readers:
            del self._readers[reader]
            self.size -= reader.size


class PiecewiseMiddleware:
    """Middleware that sends a large body as fast as its client reads it, and counts it until it has been sent."""

    def __init__(self, app: ASGIApp, *, large: LargeAnswers, end: Callable[[Scope], None]) -> None:
        """`end` is called to end the connection of a request."""
        self._app = app
        self._large = large
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_pieces(message: Message) -> None:
            if "body" in message and len(message["body"]) > LARGE:
                await self._send_in_pieces(message, scope, send)
            else:
                await send(message)

        await self._app(scope, receive, send_in_pieces)

    async def _send_in_pieces(self, message: Message, scope: Scope, send: Send) -> None:
        body = message["body"]
        last = (len(body) - 1) // LARGE * LARGE
        held = len(body) + LARGE  # a piece that the system has not taken yet is a copy
        with self._large.reading(held, partial(self._end, scope)) as begin_piece:
            for start in range(0, last, LARGE):
                begin_piece()
                await send({**message, "body": body[start : start + LARGE], "more_body": True})
                await asyncio.sleep(0)  # to send does not wait for a client that reads fast, or that has left
            begin_piece()
            await send({**message, "body": body[last:]})
