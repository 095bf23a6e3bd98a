"""One request to an ASGI application exactly as it is on the wire: raw path, headers as given, a body in pieces."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import httpx
import xmltodict

from foas_emulator.gateway.credentials import Credentials
from foas_emulator.gateway.signature import SignedRequest, sign, signed_texts

INSTANCE = "/api/v2/projects/project1/jobs/job1/instances/412536"
"""The documented call."""


@dataclass(frozen=True)
class Heard:
    """What came back."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def format(self) -> str:
        return {"application/json;charset=utf-8": "json", "text/xml;charset=utf-8": "xml"}[self.headers["content-type"]]

    @property
    def members(self) -> dict[str, Any]:
        """The members by name; those of XML as texts."""
        if self.format == "json":
            return dict(json.loads(self.body))
        (root,) = xmltodict.parse(self.body, strip_whitespace=False).values()
        return dict(root)

    @property
    def code(self) -> str | None:
        return self.members.get("Code") if self.status >= 400 else None

    @property
    def hint(self) -> str:
        return str(self.headers.get("x-emulator-hint", ""))

    @property
    def warning(self) -> str | None:
        found: str | None = self.headers.get("x-emulator-warning")
        return found


def ask(
    app: Any,
    target: str = INSTANCE,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | Sequence[bytes] | None = None,
) -> Heard:
    """Send one request. A body in pieces is chunked; one that is bytes has its length told; None sends neither."""
    pieces = [body] if isinstance(body, bytes) else list(body or [b""])
    given = {name.lower(): value for name, value in (headers or {}).items()}
    if isinstance(body, bytes):
        given.setdefault("content-length", str(len(body)))
    elif body is not None:
        given.setdefault("transfer-encoding", "chunked")
    raw_path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": raw_path,
        "raw_path": raw_path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "headers": ([] if "host" in given else [(b"host", b"emulator:8018")])
        + [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
    }
    incoming = [
        {"type": "http.request", "body": piece, "more_body": position < len(pieces)}
        for position, piece in enumerate(pieces, start=1)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return Heard(
        status=sent[0]["status"],
        headers=httpx.Headers(sent[0]["headers"]),
        body=b"".join(message["body"] for message in sent[1:]),
    )


def now() -> str:
    """The present as the Date header has it."""
    return formatdate(usegmt=True)


def signed_v1(
    target: str = INSTANCE,
    *,
    method: str = "GET",
    key: str = "test",
    secret: str = "test",
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Headers that sign a request with V1; the given ones are signed too."""
    given = {"date": now(), "x-acs-signature-method": "HMAC-SHA1", "x-acs-version": "2018-11-11", **(headers or {})}
    credentials, request = Credentials("v1", key), request_to(target, method=method, headers=given, body=body)
    return {**given, "authorization": f"acs {key}:{_signature(credentials, secret, request)}"}


def signed_v3(
    target: str = INSTANCE,
    *,
    method: str = "GET",
    key: str = "test",
    secret: str = "test",
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Headers that sign a request with V3."""
    date = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    given = {"x-acs-date": date, "x-acs-version": "2018-11-11", **(headers or {})}
    names = tuple(sorted(given))
    credentials = Credentials("v3", key, signed_headers=names)
    signature = _signature(credentials, secret, request_to(target, method=method, headers=given, body=body))
    claim = f"Credential={key},SignedHeaders={';'.join(names)},Signature={signature}"
    return {**given, "authorization": f"ACS3-HMAC-SHA256 {claim}"}


def _signature(credentials: Credentials, secret: str, request: SignedRequest) -> str:
    return sign(next(signed_texts(request, credentials)), credentials, secret).decode()


def request_to(target: str, *, method: str = "GET", headers: Mapping[str, str], body: bytes = b"") -> SignedRequest:
    """A request as signatures see it."""
    path, _, query = target.partition("?")
    return SignedRequest(method, path, query, headers, body)
