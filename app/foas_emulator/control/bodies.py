"""The bodies of requests to the control API and the console: read within limits, before anything looks at them."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

from foas_emulator.control.errors import ControlError

SMALL = 64 * 1024
"""The size in bytes up to which a body is read whatever others hold: a connection buffers as much in any case."""


class Room:
    """A limit, in bytes, for all bodies that are held at the same time."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0

    @contextmanager
    def taken(self) -> Iterator["Taken"]:
        """Yield an object that takes room for a body; release the room after the block."""
        taken = Taken(self)
        try:
            yield taken
        finally:
            self.size -= taken.size


class Taken:
    """The room that one body takes."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.size = 0

    def take(self, size: int) -> None:
        """Take room for more bytes. Raise `ControlError` if there is none left, and the body is not small."""
        if self.size + size > SMALL and self._room.size + size > self._room.limit:
            raise ControlError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"All request bodies together would have more than {self._room.limit} bytes.",
                "Ask again when others are done, or raise the setting max_document: twice that many bytes are allowed.",
            )
        self._room.size += size
        self.size += size


async def with_body(scope: Scope, receive: Receive, *, limit: int, room: Taken) -> Receive:
    """Read a body of at most `limit` bytes; return a `receive` that replays it.

    Its bytes count in `room`. Raise `ControlError` or `ClientDisconnect`.
    """
    headers = Headers(scope=scope)
    length = headers.get("content-length", "0")
    if length == "0" and "transfer-encoding" not in headers:
        return _replaying([b""], receive)  # complete as it is, also if the client has left by now
    pieces: list[bytes] = []
    size, more = 0, True
    if length.isdecimal() and int(length) > limit:
        raise _too_large(limit)
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > limit:
            raise _too_large(limit)
        room.take(len(pieces[-1]))
        more = message.get("more_body", False)
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity" and size:
        raise ControlError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"The body has the Content-Encoding {encoding!r}, which is not supported.",
            "Send it unencoded.",
        )
    return _replaying(pieces, receive)


def _too_large(limit: int) -> ControlError:
    return ControlError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body has more than {limit} bytes.",
        "The settings max_body and max_document, for seeds and snapshots, say how many it may have.",
    )


def _replaying(pieces: list[bytes], receive: Receive) -> Receive:
    """Return a `receive` that replays a body in its pieces: joining a large one would block the event loop."""
    pieces.reverse()

    async def replay() -> Message:
        if not pieces:
            return await receive()
        piece = pieces.pop()
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    return replay
