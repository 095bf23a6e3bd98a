"""Answers that may be large: they are sent piece by piece, and clients that read slowly hold a bounded amount."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from foas_emulator.control.errors import ControlError

MOST_SENDING = 512 * 1024 * 1024
"""The most bytes of such answers that clients are reading at a time. A single answer may be larger."""
_PIECE = 256 * 1024
"""Bytes to send before the client has to have read most of them."""


class Sending:
    """The bytes of all answers that are being sent."""

    def __init__(self) -> None:
        self.size = 0

    def require_room(self, size: int) -> None:
        """Raise `ControlError` if clients are reading too much to answer with so many bytes more."""
        if self.size and self.size + size > MOST_SENDING:
            raise ControlError(
                503,
                f"Clients are reading {self.size} bytes of large answers, and {MOST_SENDING} are allowed at a time.",
                "Ask again when they have read them.",
            )

    @contextmanager
    def counted(self, size: int) -> Iterator[None]:
        """Count bytes until the end of the block."""
        self.size += size
        try:
            yield
        finally:
            self.size -= size


class PiecewiseResponse(Response):
    """A response whose body is handed over as fast as its client reads it, and counts until it is."""

    def __init__(self, content: bytes, *, media_type: str, sending: Sending) -> None:
        super().__init__(content, media_type=media_type)
        self._sending = sending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if len(self.body) <= _PIECE:
            await super().__call__(scope, receive, send)
            return
        with self._sending.counted(len(self.body)):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            for start in range(0, len(self.body), _PIECE):
                piece = bytes(self.body[start : start + _PIECE])
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await asyncio.sleep(0)  # to send does not wait for a client that reads fast, or that has left
            await send({"type": "http.response.body", "body": b"", "more_body": False})
