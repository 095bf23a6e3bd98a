"""Requests that official clients signed, or that the service's documentation shows, as values."""

import json
from dataclasses import dataclass
from pathlib import Path

from foas_emulator.gateway.credentials import Credentials, read_credentials
from foas_emulator.gateway.signature import SignedRequest
from tests.wire import request_to


@dataclass(frozen=True, slots=True)
class Vector:
    """A request, the secret it was signed with, and what its client signed (in V3 its canonical request)."""

    id: str
    secret: str
    request: SignedRequest
    signed_text: str
    string_to_sign: str

    @property
    def credentials(self) -> Credentials:
        return read_credentials(self.request.headers)


def with_header(request: SignedRequest, name: str, value: str | None) -> SignedRequest:
    """The request with another value of a header, or without it."""
    others = {other: kept for other, kept in request.headers.items() if other != name}
    return request._replace(headers=others if value is None else {**others, name: value})


def _vector(entry: dict[str, str], headers: dict[str, str]) -> Vector:
    request = request_to(entry["target"], method=entry["method"], headers=headers, body=entry["body"].encode())
    string_to_sign = entry.get("string_to_sign", "")
    return Vector(entry["id"], entry["secret"], request, entry.get("canonical_request", string_to_sign), string_to_sign)


_ENTRIES = json.loads(Path(__file__).with_name("signature_vectors.json").read_text("utf-8"))
ALL = {entry["id"]: _vector(entry, entry["headers"]) for entry in _ENTRIES}
SIGNED = [vector for vector in ALL.values() if vector.signed_text]
