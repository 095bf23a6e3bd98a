"""Mistakes that clients make with the gateway's signatures, likeliest first.

They are tried one by one for a refused request; a right signature costs nothing here. Sources: the differences between
the canonical forms of official clients, and the changes that an HTTP library or a proxy makes after signing.
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import md5
from urllib.parse import quote

from foas_emulator.difference import Difference
from foas_emulator.gateway.credentials import Credentials
from foas_emulator.gateway.signature import (
    V1_HEADERS,
    SignedRequest,
    hash_of_body,
    query_pairs,
    sign,
    signed_texts,
    stated_hash,
    v3_hash,
    v3_hash_of,
)

_MEDIA_TYPES = (
    "application/json",
    "application/xml",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "text/plain",
    "*/*",
)
_CHARSETS = ("", ";charset=utf-8", "; charset=utf-8", "; charset=UTF-8")
_PORT = re.compile(r":\d+$")
_SECRET = "the configured secret"  # noqa: S105 - words, not a secret


def mistaken_texts(request: SignedRequest, credentials: Credentials) -> Iterator[str]:
    """Yield the signed texts of similar requests, and wrongly composed texts of this request."""
    for mistaken in _mistaken_requests(request, credentials):
        yield from signed_texts(mistaken, credentials)
    yield from _misplaced_queries(request, credentials)
    for text in signed_texts(request, credentials):
        yield f"{text}\n"
        yield text.replace("\n", "\r\n")
        yield re.sub(r"^(x-acs-[^:\n]*):", r"\1: ", text, flags=re.MULTILINE)
        yield _headers_unsorted(text, request, credentials)
        if credentials.scheme == "v3":
            yield _with_payload(text, stated_hash(request.headers) or "")
            yield _with_payload(text, v3_hash_of(b"", credentials))
        else:
            yield "\n".join(filter(None, text.split("\n")))


def texts_one_bit_off(request: SignedRequest, credentials: Credentials) -> Iterator[str]:
    """Yield every signed text with one bit of one character changed: thousands, too many for a live server."""
    for text in signed_texts(request, credentials):
        for index, character in enumerate(text):
            for bit in range(8):
                yield f"{text[:index]}{chr(ord(character) ^ 1 << bit)}{text[index + 1 :]}"


def mistaken_signatures(
    text: str, request: SignedRequest, credentials: Credentials, secret: str
) -> Iterator[tuple[Difference, bytes]]:
    """Yield wrong signatures of a right text, each with the mistake behind it."""
    for mistake, mistaken in _mistaken_secrets(secret):
        yield Difference("secret", _SECRET, f"{_SECRET} {mistake}"), sign(text, credentials, mistaken)
    key, data = secret.encode(), text.encode()
    if credentials.scheme == "v1":
        yield Difference("encoding", "base64", "hexadecimal"), hmac.digest(key, data, "sha1").hex().encode()
        yield Difference("algorithm", "HMAC-SHA1", "HMAC-SHA256"), b64encode(hmac.digest(key, data, "sha256"))
        yield Difference("string to sign", "that of the ROA style", "that of the RPC style"), _rpc(request, secret)
    else:
        signature = bytes.fromhex(sign(text, credentials, secret).decode())
        yield Difference("encoding", "hexadecimal", "base64"), b64encode(signature)
        unhashed = hmac.digest(key, data, v3_hash(credentials)).hex().encode()
        yield Difference("string to sign", "the hash of the canonical request", "the canonical request"), unhashed


def _mistaken_requests(request: SignedRequest, credentials: Credentials) -> Iterator[SignedRequest]:
    headers = _v1_headers(request) if credentials.scheme == "v1" else _v3_headers(request, credentials)
    for name, value in headers:
        others = {other: kept for other, kept in request.headers.items() if other != name}
        yield request._replace(headers=others if value is None else {**others, name: value})
    yield request._replace(method=request.method.lower())
    for path in _mistaken_paths(request.raw_path):
        yield request._replace(raw_path=path)
    if request.raw_query:
        for query in _mistaken_queries(request.raw_query):
            yield request._replace(raw_query=query)


def _v1_headers(request: SignedRequest) -> Iterator[tuple[str, str | None]]:
    yield from ((name, None) for name in request.headers if name in V1_HEADERS or name.startswith("x-acs-"))
    digest = md5(request.body, usedforsecurity=False)
    yield "content-md5", b64encode(digest.digest()).decode()
    yield "content-md5", digest.hexdigest()
    yield from _media_types(request)


def _v3_headers(request: SignedRequest, credentials: Credentials) -> Iterator[tuple[str, str]]:
    host = request.headers.get("host", "")
    yield "host", _PORT.sub("", host)
    yield "host", request.headers.get("x-forwarded-host", host)
    yield "x-acs-content-sha256", hash_of_body(request, credentials)
    yield from ((name, value) for name, value in _media_types(request) if name in credentials.signed_headers)


def _media_types(request: SignedRequest) -> Iterator[tuple[str, str]]:
    yield from (("accept", media_type) for media_type in _MEDIA_TYPES)
    sent = request.headers.get("content-type", "").partition(";")[0]
    for media_type in (sent, *_MEDIA_TYPES):
        yield from (("content-type", media_type + charset) for charset in _CHARSETS)


def _mistaken_secrets(secret: str) -> Iterator[tuple[str, str]]:
    yield "followed by a newline", f"{secret}\n"
    yield "followed by a carriage return and a newline", f"{secret}\r\n"
    yield "followed by a space", f"{secret} "
    yield "followed by the & of the RPC style", f"{secret}&"
    yield "without the white space around it", secret.strip()


def _mistaken_paths(raw_path: str) -> Iterator[str]:
    yield f"{raw_path}/"
    yield raw_path.removesuffix("/")
    yield quote(raw_path, safe="/~")
    yield "/"


def _mistaken_queries(raw_query: str) -> Iterator[str]:
    yield ""
    yield quote(raw_query, safe="=&~")
    yield raw_query.replace("+", "%2B")
    pairs = query_pairs(raw_query)
    yield "&".join(f"{quote(name)}={quote(quote(value, safe='~'))}" for name, value in pairs)
    fields = raw_query.split("&")
    for index in range(len(fields)):
        yield "&".join(fields[:index] + fields[index + 1 :])


def _misplaced_queries(request: SignedRequest, credentials: Credentials) -> Iterator[str]:
    if not request.raw_query:
        return
    pairs = query_pairs(request.raw_query)
    decoded = "&".join(f"{name}={value}" for name, value in pairs)
    in_order_of_the_wire = "&".join(
        f"{name}={value}" for field in request.raw_query.split("&") for name, value in query_pairs(field)
    )
    bare_names = "&".join(f"{quote(name)}={quote(value, safe='~')}" if value else name for name, value in pairs)
    for text in signed_texts(request._replace(raw_query=""), credentials):
        for query in (request.raw_query, decoded, in_order_of_the_wire, bare_names):
            yield _with_query(text, credentials, query)


def _with_query(text: str, credentials: Credentials, query: str) -> str:
    if credentials.scheme == "v1":
        return f"{text}?{query}"
    method, path, _, rest = text.split("\n", 3)
    return f"{method}\n{path}\n{query}\n{rest}"


def _with_payload(canonical_request: str, payload: str) -> str:
    head, _, _ = canonical_request.rpartition("\n")
    return f"{head}\n{payload}"


def _headers_unsorted(text: str, request: SignedRequest, credentials: Credentials) -> str:
    signed = credentials.signed_headers or tuple(name for name in request.headers if name.startswith("x-acs-"))
    names = [name for name in request.headers if name in signed]
    lines = {name: f"{name}:{request.headers[name]}\n" for name in names}
    return text.replace("".join(lines[name] for name in sorted(names)), "".join(lines.values()))


def _rpc(request: SignedRequest, secret: str) -> bytes:
    pairs = query_pairs(request.raw_query)
    query = "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)
    text = f"{request.method}&%2F&{quote(query, safe='~')}"
    return b64encode(hmac.digest(f"{secret}&".encode(), text.encode(), "sha1"))
