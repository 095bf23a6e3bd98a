"""The proxy's own answers: one sentence, where every client shows it, in a form that the SDKs read."""

import re
from hashlib import sha256

from foas_emulator.gateway.errors import ApiError
from foas_emulator.gateway.formats import CONTENT_TYPES, Body, Format, negotiate, render_error
from foas_emulator.gateway.responses import header_text

CODE = "RefusedByEmulator"
_ACCEPT = re.compile(rb"(?im)^accept:[ \t]*([ -~]*)")


def refusal(status: int, sentence: str, *, host: str = "", head: bytes | None = None) -> bytes:
    """Return a complete answer, with the sentence in its status line too: most clients show no more after a CONNECT.

    `head` is the head of the request, whose Accept decides between JSON and XML.
    """
    line = header_text(sentence)
    format_ = _format(head or b"")
    content = render_error({"HostId": host, "Code": CODE, "Message": line.decode(), "Recommend": ""}, format_)
    request_id = made_request_id(content)
    body = content.with_request_id(request_id)
    headers = {
        b"content-type": CONTENT_TYPES[format_],
        b"content-length": b"%d" % len(body),
        b"connection": b"close",
        b"x-content-type-options": b"nosniff",
        b"x-acs-request-id": request_id,
        b"x-emulator-hint": line,
    }
    lines = [b"HTTP/1.1 %d %b" % (status, line), *(b"%b: %b" % header for header in headers.items()), b"", body]
    return b"\r\n".join(lines)


def made_request_id(content: Body) -> bytes:
    """Return a request id that depends only on the content, for an answer that belongs to no world."""
    digits = sha256(content.head + content.tail).hexdigest().upper()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-A{digits[17:20]}-{digits[20:32]}".encode()


def _format(head: bytes) -> Format:
    found = _ACCEPT.search(head)
    try:
        return negotiate(None, None if found is None else found[1].decode("ascii"), "json")
    except ApiError:
        return "json"
