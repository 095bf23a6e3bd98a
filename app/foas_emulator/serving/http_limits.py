"""Limits of an HTTP request apart from its body, and the refusal of ambiguous heads."""

import re
from collections.abc import Sequence

from foas_emulator.gateway.errors import HEADERS_TOO_LARGE, UNREADABLE_REQUEST, URI_TOO_LONG, ApiError

MAX_HEAD = 64 * 1024
"""The most bytes of a request line and its headers."""
MAX_HEADERS = 256
MAX_TARGET = 32 * 1024
"""The most bytes of the target in a request line."""
MAX_PIPELINED = 256
"""The most requests of one connection that may wait for their turn."""

_BESIDE_A_HEADER = len(b": \r\n")
_REQUEST, _HEADER = 3000, 150
"""Approximate size in bytes of a request that was read, and of each of its headers, without their characters."""
_VERSIONS = ("1.0", "1.1")
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)(.*)", re.DOTALL)
_HOST_AND_PORT = re.compile(rb"(?:\[[^\[\]]+\]|[^\[\]@:]+)(?::[0-9]*)?")

HeaderList = list[tuple[bytes, bytes]]


class RefusedRequest(Exception):  # noqa: N818 - it carries the error
    """Raised in a callback of the parser to refuse a request with `error`."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(error.hint)
        self.error = error


def head_too_large() -> ApiError:
    """Return the error for a request line and headers of too many bytes."""
    return HEADERS_TOO_LARGE(f"The request line and headers have over {MAX_HEAD} bytes, which is the limit.")


def too_many_headers(number: int) -> ApiError:
    """Return the error for so many headers."""
    return HEADERS_TOO_LARGE(f"{number} headers came; {MAX_HEADERS} are allowed.")


def too_many_pipelined() -> RefusedRequest:
    """Return the refusal of one more request that would have to wait for its turn."""
    return RefusedRequest(
        UNREADABLE_REQUEST(f"More than {MAX_PIPELINED} requests were sent before the first was answered.")
    )


class Trailers(HeaderList):
    """The headers of a request whose body is being read, as a list that ignores trailers.

    It is a copy: the request's own headers have been handed over, and must not change once they were checked.
    """

    _size = 0

    def append(self, pair: tuple[bytes, bytes]) -> None:
        """Ignore a trailer. Raise `RefusedRequest` if there are too many."""
        self._size += len(pair[0]) + len(pair[1]) + _BESIDE_A_HEADER
        if self._size > MAX_HEAD:
            raise RefusedRequest(HEADERS_TOO_LARGE(f"Trailers have over {MAX_HEAD} bytes, which is the limit."))


def memory_of_head(begun: int, headers: HeaderList) -> int:
    """Return the approximate memory in bytes of a request without its body; `begun` are those of an incomplete head."""
    texts = begun or sum(len(name) + len(value) for name, value in headers)
    return _REQUEST + 2 * texts + _HEADER * len(headers)


def require_few(target: bytes, headers: HeaderList) -> None:
    """Raise `RefusedRequest` for too many headers or a target that is too long."""
    if len(headers) > MAX_HEADERS:
        raise RefusedRequest(too_many_headers(len(headers)))
    if len(target) > MAX_TARGET:
        raise RefusedRequest(URI_TOO_LONG(f"The path and query have {len(target)} bytes; {MAX_TARGET} are allowed."))


def require_one_reading(version: str, headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Raise `RefusedRequest` for an ambiguous head, which programs read differently (RFC 9112: 2.3, 3.2, 6.1).

    Of several Hosts one may be checked and another one used; a body whose coding is unknown may end anywhere.
    """
    if version not in _VERSIONS:
        raise RefusedRequest(UNREADABLE_REQUEST(f"HTTP/{version} was sent to a server that speaks HTTP/1.1."))
    names = [name for name, _ in headers]
    hosts = names.count(b"host")
    if hosts != 1 and (hosts or version == "1.1"):
        example = "" if hosts else " HAProxy's checks send one with 'hdr Host NAME'."
        raise RefusedRequest(UNREADABLE_REQUEST(f"A request has one Host header, and this one has {hosts}.{example}"))
    if b"transfer-encoding" not in names:
        return
    codings = [value.strip().lower() for name, value in headers if name == b"transfer-encoding"]
    if codings != [b"chunked"] or version == "1.0":
        raise RefusedRequest(
            UNREADABLE_REQUEST("The only Transfer-Encoding that is supported is chunked, alone and in HTTP/1.1.")
        )


def origin_form(target: bytes, headers: HeaderList) -> bytes:
    """Return the path and query of a target, and let the host of one that has a host be the Host of the request.

    RFC 9112 (3.2.2) wants it so: the Host header of such a request does not count. Raise `RefusedRequest` for a host
    that is none.
    """
    found = _ABSOLUTE.fullmatch(target)
    if found is None:
        return target
    if _HOST_AND_PORT.fullmatch(found[1]) is None:
        raise RefusedRequest(UNREADABLE_REQUEST("The host in the request line cannot be read."))
    headers[:] = [(b"host", found[1]), *(pair for pair in headers if pair[0] != b"host")]
    return found[2] if found[2].startswith(b"/") else b"/" + found[2]
