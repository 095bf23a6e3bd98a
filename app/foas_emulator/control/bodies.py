"""The bodies of requests to the control API and the console: read within limits, before anything looks at them."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from foas_emulator.control.errors import ControlError, lack
from foas_emulator.gateway.bodies import BodyTooLargeError, NoRoomError, Taken
from foas_emulator.world.shortage import refused_by_system


async def with_body(scope: Scope, receive: Receive, *, limit: int, taken: Taken) -> Receive:
    """Read a body of at most `limit` bytes; return a `receive` that replays it.

    Its bytes count in `taken`. Raise `ControlError` or `ClientDisconnect`.
    """
    headers = Headers(scope=scope)
    length = headers.get("content-length", "0")
    if length == "0" and "transfer-encoding" not in headers:
        return _replaying([bytearray()], receive)  # complete as it is, also if the client has left by now
    if length.isdecimal() and int(length) > limit:
        raise _too_large(limit)
    try:
        pieces = await taken.read(receive, limit=limit)
    except BodyTooLargeError:
        raise _too_large(limit) from None
    except NoRoomError:
        raise _no_room(taken.room.limit) from None
    except MemoryError as error:
        raise lack(refused_by_system(error) or "") from None
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity" and any(pieces):
        raise ControlError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"The body has the Content-Encoding {encoding!r}, which is not supported.",
            "Send it unencoded.",
        )
    return _replaying(pieces, receive)


def _no_room(limit: int) -> ControlError:
    return ControlError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"All request bodies together would have more than {limit} bytes.",
        "Ask again when others are done, or raise the setting max_document: twice that many bytes are allowed.",
    )


def _too_large(limit: int) -> ControlError:
    return ControlError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body has more than {limit} bytes.",
        "The settings max_body and max_document, for seeds and snapshots, say how many it may have.",
    )


def _replaying(pieces: list[bytearray], receive: Receive) -> Receive:
    """Return a `receive` that replays a body in its pieces: joining a large one would block the event loop."""
    pieces.reverse()

    async def replay() -> Message:
        if not pieces:
            return await receive()
        piece = pieces.pop()
        return {"type": "http.request", "body": bytes(piece), "more_body": bool(pieces)}

    return replay
