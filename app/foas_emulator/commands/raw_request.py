"""Parse a recorded HTTP request, for the command `explain`."""

import re
from collections.abc import Mapping

from foas_emulator.gateway.encodings import foreign_encoding
from foas_emulator.gateway.signature import SignedRequest, as_text
from foas_emulator.showing import shown

_LONGEST_NUMBER = 19


def parse_raw_request(text: bytes) -> SignedRequest:
    """Parse an HTTP/1.1 request that was captured or written by hand; lines may end in LF alone. Raise ValueError.

    The body is cut to Content-Length, so that an editor's last newline is not part of it; chunks are joined.
    """
    if (found := foreign_encoding(text)) is not None:
        raise ValueError(f"it is {found}; save it as it was sent")
    head, *rest = re.split(rb"\r?\n\r?\n", text.lstrip(), maxsplit=1)
    request_line, *header_lines = re.split(r"\r?\n", head.decode("latin-1").rstrip("\r\n"))
    match = re.fullmatch(r"([A-Za-z]+) (?:https?://[^/?]*)?(/[^?]*?)(?:\?(.*?))?(?: HTTP/[\d.]+)?", request_line)
    if match is None:
        raise ValueError(f"the first line is not METHOD /PATH HTTP/1.1: {shown(request_line)}")
    method, path, query = match.groups(default="")
    headers = _raw_headers(header_lines)
    return SignedRequest(method, as_text(path), as_text(query), headers, _raw_body(b"".join(rest), headers))


def _raw_headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise ValueError(f"this line is not a header: {shown(line)}")
        headers[name.lower()] = value.strip(" \t")
    return headers


def _raw_body(body: bytes, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return _unchunked(body)
    length = headers.get("content-length", "")
    if length.isdecimal() and len(length) > _LONGEST_NUMBER:
        raise ValueError(f"its Content-Length has {len(length)} digits")
    return body[: int(length)] if length.isdecimal() else body


def _unchunked(body: bytes) -> bytes:
    chunks, rest = [], body
    while rest:
        size, _, rest = rest.partition(b"\n")
        try:
            length = int(size.partition(b";")[0], base=16)
        except ValueError:
            return body  # recording proxies keep the header and write the body without its chunks
        chunks.append(rest[:length])
        rest = rest[length:].lstrip(b"\r\n") if length else b""
    return b"".join(chunks)
