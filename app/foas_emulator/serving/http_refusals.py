"""The refusal of requests that the HTTP parser cannot read: the reason, and the request as far as it is known."""

import logging
from collections.abc import Iterator

import httptools
from starlette.types import ASGIApp, Receive, Scope, Send

from foas_emulator.gateway.errors import UNAVAILABLE, UNREADABLE_REQUEST, ApiError
from foas_emulator.pipeline.context import UNREADABLE
from foas_emulator.serving.http_limits import RefusedRequest
from foas_emulator.world.shortage import refused_by_system

_LONGEST_METHOD = 20
_SPACES_OF_A_REQUEST_LINE = 2
KEPT_HEADERS = frozenset({b"accept", b"authorization", b"host", b"x-emulator-world"})
"""Headers that determine in which format and in which world a request that cannot be parsed is answered."""
_OTHER_PROTOCOLS = (
    (b"CONNECT ", "CONNECT was sent to the http port, which is not a proxy: start with --intercept and use that port."),
    (b"\x16\x03", "TLS was sent to the http port: use http://, or start with --tls and use that port."),
    (b"PRI * HTTP/2.0\r\n", "HTTP/2 was sent to a server that speaks HTTP/1.1: let the client begin with HTTP/1.1."),
)

log = logging.getLogger(__name__)


class UnreadableRequest:
    """An ASGI wrapper that passes a request to an application although it could not be parsed."""

    def __init__(
        self, app: ASGIApp, error: ApiError, *, method: str, target: bytes, headers: list[tuple[bytes, bytes]]
    ) -> None:
        self._app = app
        self._error = error
        raw_path, _, query_string = target.partition(b"?")
        self._known = {"method": method, "raw_path": raw_path, "query_string": query_string, "headers": headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        log.warning("a request from %s cannot be read: %s", scope["client"], self._error.hint)
        await self._app(
            {**scope, **self._known, "type": UNREADABLE, "path": "", UNREADABLE: self._error}, receive, send
        )


class Deaf:
    """A parser for a refused connection, which ignores all further bytes."""

    def feed_data(self, data: bytes) -> None:
        pass


def headers_of(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the headers in a head whose request line cannot be parsed."""
    for line in head.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        yield name.lower(), value.strip()


def method_of(line: bytes) -> str:
    method = line.partition(b" ")[0]
    return method.decode() if method.isalpha() and len(method) <= _LONGEST_METHOD else "-"


def reason_of(error: httptools.HttpParserError, head: bytes) -> ApiError:
    """Return the error for a request that the parser refused."""
    cause = error.__context__
    if isinstance(cause, RefusedRequest | MemoryError):
        return cause.error if isinstance(cause, RefusedRequest) else UNAVAILABLE(refused_by_system(cause) or "")
    line = head.partition(b"\n")[0].strip()
    for beginning, hint in _OTHER_PROTOCOLS:
        if head.startswith(beginning):
            return UNREADABLE_REQUEST(hint)
    if line.count(b" ") > _SPACES_OF_A_REQUEST_LINE and line.rpartition(b" ")[2].startswith(b"HTTP/"):
        return UNREADABLE_REQUEST("The path or query in the request line holds a space: write it as %20.")
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        return UNREADABLE_REQUEST("The request does not begin with an HTTP method.")
    if isinstance(error, httptools.HttpParserInvalidURLError) or cause is not None:
        return UNREADABLE_REQUEST("The path or query in the request line cannot be read: percent-encode it.")
    return UNREADABLE_REQUEST(f"The request is not HTTP/1.1 as it should be: {error}.")
