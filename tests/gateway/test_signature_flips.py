"""One bit of one signed field changed: the signature is refused and the explanation names the field."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from foas_emulator.gateway.signature import verify
from foas_emulator.gateway.signature_diagnosis import explain, sentence
from tests.gateway.signature_vectors import SIGNED, Vector, with_header

V1_NAMES = {"accept": "Accept", "content-md5": "Content-MD5", "content-type": "Content-Type", "date": "Date"}


def flip(text: str, index: int = -1) -> str:
    """The text with the lowest bit of one character changed."""
    characters = list(text)
    characters[index] = chr(ord(characters[index]) ^ 1)
    return "".join(characters)


def signed_headers(vector: Vector) -> Iterator[tuple[str, str]]:
    """Names in the request and in the explanation."""
    if vector.credentials.scheme == "v3":
        yield from ((name, name) for name in vector.credentials.signed_headers)
    else:
        yield from ((name, V1_NAMES.get(name, name)) for name in vector.request.headers if is_signed_in_v1(name))


def is_signed_in_v1(name: str) -> bool:
    return name in V1_NAMES or name.startswith("x-acs-")


def flipped(vector: Vector) -> Iterator[tuple[str, Vector]]:
    """The vector with each of its signed fields flipped in turn, and the field's name in an explanation."""
    request = vector.request
    yield "method", replace(vector, request=request._replace(method=flip(request.method, 1)))
    yield "path", replace(vector, request=request._replace(raw_path=flip(request.raw_path)))
    for name, _, value in (field.partition("=") for field in request.raw_query.split("&")):
        if value:
            query = request.raw_query.replace(f"{name}={value}", f"{name}={flip(value, 0)}")
            yield f"query {name}", replace(vector, request=request._replace(raw_query=query))
    for name, field in signed_headers(vector):
        yield field, replace(vector, request=with_header(request, name, flip(request.headers[name])))
    if vector.credentials.scheme == "v3":
        body = bytes([request.body[0] ^ 1, *request.body[1:]]) if request.body else b"\1"
        yield "body", replace(vector, request=request._replace(body=body))
    yield "secret", replace(vector, secret=flip(vector.secret))
    signature = vector.credentials.signature
    authorization = request.headers["authorization"].replace(signature, flip(signature, 9))
    yield "signature", replace(vector, request=with_header(request, "authorization", authorization))


CHANGED = [
    pytest.param(vector, changed, field, id=f"{vector.id}: {field}")
    for vector in SIGNED
    for field, changed in flipped(vector)
]


@pytest.mark.parametrize(("vector", "changed", "field"), CHANGED)
def test_one_bit_changed_is_refused_and_named(vector: Vector, changed: Vector, field: str) -> None:
    assert verify(changed.request, changed.credentials, changed.secret) is not None
    told = explain(changed.request, changed.credentials, changed.secret, client_string_to_sign=vector.signed_text)
    assert [difference.field for difference in told] == [field]
    found = explain(changed.request, changed.credentials, changed.secret, exhaustive=True)
    assert [difference.field for difference in found] == [field]
    assert field in sentence(found)


def test_every_kind_of_field_is_among_them() -> None:
    kinds = {field.partition(" ")[0] for field in (str(param.values[2]) for param in CHANGED)}
    assert kinds >= {"method", "path", "query", "body", "secret", "signature", "Date", "Accept", "Content-MD5", "host"}
