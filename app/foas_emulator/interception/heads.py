"""Parse the head of a request to a proxy, and rewrite it for the server to which it is passed on."""

import re
from dataclasses import dataclass

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ([!-~]+) HTTP/1\.[01]")
_AUTHORITY = re.compile(rb"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,255})(?::([0-9]{1,5}))?")
_ABSOLUTE = re.compile(rb"(?i)http://([^/?#]*+)([^#]*)")
_OF_THE_HOP = (b"connection:", b"proxy-connection:", b"proxy-authorization:", b"keep-alive:")
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*0*([0-9]{1,18})[ \t]*\r?$")
_CHUNKED = re.compile(rb"(?im)^transfer-encoding:")
_LAST_PORT = 65535


class BadRequestError(ValueError):
    """A request that a proxy cannot read or does not serve; the message says what it accepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRequest:
    """The destination of a request.

    `head` is the head for the receiver; None for a tunnel (CONNECT). `length` is that of the body; None for a tunnel
    and for a chunked body, which marks its own end.
    """

    host: str
    port: int
    head: bytes | None
    length: int | None = None


def read_request(head: bytes) -> ProxyRequest:
    """Parse the head of a request, up to its empty line. Raise `BadRequestError`."""
    line, _, fields = head.partition(b"\r\n")
    found = _REQUEST_LINE.fullmatch(line)
    if found is None:
        raise BadRequestError("This is not a request of HTTP/1.1.")
    method, target = found.groups()
    if method == b"CONNECT":
        host, port = _read_authority(target, default_port=443)
        return ProxyRequest(host=host, port=port, head=None)
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        raise BadRequestError(
            "This is the proxy of foas-emulator: it takes CONNECT and http:// addresses. The API has a port of its own."
        )
    authority, path = absolute.groups()
    host, port = _read_authority(authority, default_port=80)
    origin = path if path.startswith(b"/") else b"/" + path
    return ProxyRequest(
        host=host, port=port, head=_rewritten(method, origin, authority, fields), length=_length(fields)
    )


def _read_authority(authority: bytes, *, default_port: int) -> tuple[str, int]:
    found = _AUTHORITY.fullmatch(authority)
    port = default_port if found is None or found[2] is None else int(found[2])
    if found is None or not 0 < port <= _LAST_PORT:
        raise BadRequestError("The host or the port of this request cannot be read.")
    return found[1].decode("ascii"), port


def _length(fields: bytes) -> int | None:
    if _CHUNKED.search(fields):
        return None
    found = _LENGTH.search(fields)
    return 0 if found is None else int(found[1])


def _rewritten(method: bytes, origin: bytes, authority: bytes, fields: bytes) -> bytes:
    """Return the head for the receiver; only hop-by-hop headers are changed, so a signature stays valid.

    The connection ends with the answer, since the client's next request on it may be for another host.
    """
    kept = [line for line in fields.split(b"\r\n") if line and not line.lower().startswith(_OF_THE_HOP)]
    if not any(line.lower().startswith(b"host:") for line in kept):  # HTTP/1.0 needs none, and HTTP/1.1 does
        kept.append(b"Host: " + authority)
    return b"\r\n".join([b"%b %b HTTP/1.1" % (method, origin), *kept, b"Connection: close", b"", b""])
