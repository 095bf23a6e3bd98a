"""Find out why a signature is wrong: the first difference between the text that a client signed and its request.

A difference is between a field as this server reads it (expected) and as the client signed it (actual). The fields of
a request are `method`, `path`, `query NAME`, the headers by name and, in V3, `SignedHeaders` and `body` (its hash); the
other fields concern the signing itself: `secret`, `signature`, `algorithm`, `encoding`, `order`, `line ends`, ...
"""

import re
from collections.abc import Iterable
from itertools import islice
from urllib.parse import unquote

from foas_emulator.difference import Difference, compare
from foas_emulator.gateway.credentials import ALGORITHMS, Credentials, allowed_algorithms
from foas_emulator.gateway.signature import (
    SignedRequest,
    hash_of_body,
    hashed_once,
    sign,
    signed_texts,
    stated_hash,
    v3_string_to_sign,
    verify,
)
from foas_emulator.gateway.signature_mistakes import mistaken_signatures, mistaken_texts, texts_one_bit_off
from foas_emulator.masking import MASK, masked
from foas_emulator.showing import plain, shown

_V1_LINES = ("method", "Accept", "Content-MD5", "Content-Type", "Date")
_ABOUT_SIGNING = (
    "secret",
    "signature",
    "algorithm",
    "x-acs-signature-method",
    "encoding",
    "order",
    "blank lines",
    "line ends",
    "string to sign",
)
_HOLDS_SECRET = re.compile("token|password|secret|cookie|authorization|^query signature$", re.IGNORECASE)
"""The fields of a request whose values are not shown, because hints are logged."""
_ADVICE = "what is signed must be what arrives."
_PATIENCE = 500  # mistakes to try; an ordinary request has about a hundred, one of a thousand headers has more
_MOST_ENCODED = 64 * 1024  # characters of paths and queries to encode again in all mistakes: some ten milliseconds
_MOST_SIGNED = 2 * 1024 * 1024  # characters of headers to sign again in all mistakes: as long, if they are not ASCII
_SLIPS = 2  # characters in which a signature may differ from the right one and still count as a bad copy of it


def explain(
    request: SignedRequest,
    credentials: Credentials,
    secret: str,
    *,
    client_string_to_sign: str | None = None,
    exhaustive: bool = False,
) -> list[Difference]:
    """Return the differences, the first one first; none if the V1 or V3 signature is right.

    If the client's own string to sign (in V3 its canonical request) is given, compare it field by field. Otherwise try
    known mistakes until one gives the client's signature; if `exhaustive`, go on to every text that is one bit off
    (some ten milliseconds). If none explains the signature, report another secret.
    """
    request = hashed_once(request, credentials)
    if verify(request, credentials, secret) is None:
        return []
    if credentials.algorithm not in allowed_algorithms(credentials.scheme):
        name = "x-acs-signature-method" if credentials.scheme == "v1" else "algorithm"
        return [Difference(name, ALGORITHMS[credentials.scheme], credentials.algorithm)]
    if client_string_to_sign is not None:
        return _compared(request, credentials, secret, client_string_to_sign)
    return (
        _wrong_signature(request, credentials, secret)
        or _wrong_text(request, credentials, secret, islice(mistaken_texts(request, credentials), _patience(request)))
        or (exhaustive and _wrong_text(request, credentials, secret, texts_one_bit_off(request, credentials)))
        or [_wrong_secret(credentials, "probably another one")]
    )


def _patience(request: SignedRequest) -> int:
    """Return the number of mistakes to try: fewer for a long target or long headers, which are in each of them."""
    target = len(request.raw_path) + len(request.raw_query)
    headers = sum([len(name) + len(value) for name, value in request.headers.items()])
    return min(_PATIENCE, _MOST_ENCODED // (target + 1), _MOST_SIGNED // (headers + 1))


def sentence(differences: list[Difference]) -> str:
    """Return one ASCII sentence that reports the first difference and says what to do about it."""
    if not differences:
        return "The signature fits the request."
    first = differences[0]
    field, expected, actual = first.field, first.expected or "", first.actual or ""
    if field == "signature":
        return "The client's signature is nearly the right one: it was cut or changed after it was made."
    if field in _ABOUT_SIGNING:
        return f"The {field} of the client's signature: expected {plain(expected)}, but it is {plain(actual)}."
    signed, sent = (MASK if _HOLDS_SECRET.search(field) else masked(shown(value)) for value in (actual, expected))
    if not actual:
        return f"The client did not sign {plain(field)}, which the request has as {sent}; {_ADVICE}"
    if not expected:
        return f"The client signed {plain(field)} as {signed}, which the request does not have; {_ADVICE}"
    return f"The client signed {plain(field)} as {signed}, but the request has {sent}; {_ADVICE}"


def _compared(request: SignedRequest, credentials: Credentials, secret: str, client: str) -> list[Difference]:
    servers = list(signed_texts(request, credentials))
    hashed = [v3_string_to_sign(server, credentials) for server in servers] if credentials.scheme == "v3" else []
    if client in servers or client in hashed:
        return _wrong_signature(request, credentials, secret) or [_wrong_secret(credentials, "another one")]
    if credentials.scheme == "v3" and client.startswith(credentials.algorithm):
        return [Difference("hash of the canonical request", hashed[0].partition("\n")[2], client.partition("\n")[2])]
    differences = _closest(servers, client, credentials)
    if sign(client, credentials, secret) != credentials.signature.encode():
        differences.append(_wrong_secret(credentials, "another one"))
    return differences


def _wrong_secret(credentials: Credentials, actual: str) -> Difference:
    return Difference("secret", f"the one configured for the access key {credentials.access_key_id}", actual)


def _wrong_signature(request: SignedRequest, credentials: Credentials, secret: str) -> list[Difference]:
    claimed = credentials.signature
    for text in signed_texts(request, credentials):
        right = sign(text, credentials, secret).decode()
        if claimed == right:  # so the stated hash of the body must be wrong
            stated = stated_hash(request.headers)
            return [Difference("x-acs-content-sha256", hash_of_body(request, credentials), stated)]
        if _is_copied_badly(claimed, right):
            return [Difference("signature", right, claimed)]
        for difference, signature in mistaken_signatures(text, request, credentials, secret):
            if signature == claimed.encode():
                return [difference]
    return []


def _is_copied_badly(claimed: str, right: str) -> bool:
    if unquote(claimed).replace(" ", "+").strip().lower() == right.lower():
        return True
    if len(claimed) == len(right):
        return sum(one != other for one, other in zip(claimed, right, strict=True)) <= _SLIPS
    shorter, longer = sorted((claimed, right), key=len)
    return len(shorter) * 2 > len(longer) and longer.startswith(shorter)


def _wrong_text(
    request: SignedRequest, credentials: Credentials, secret: str, texts: Iterable[str]
) -> list[Difference]:
    claimed = credentials.signature.encode()
    for text in texts:
        if sign(text, credentials, secret) == claimed:
            return _closest(list(signed_texts(request, credentials)), text, credentials)
    return []


def _closest(servers: list[str], client: str, credentials: Credentials) -> list[Difference]:
    for server in servers:
        if malformed := _malformed(server, client):
            return [malformed]
    fields = _v1_fields if credentials.scheme == "v1" else _v3_fields
    differences = min((compare(fields(server), fields(client)) for server in servers), key=len)
    return differences or [Difference("order", "sorted by name", "another one")]


def _malformed(server: str, client: str) -> Difference | None:
    if client == server + "\n":
        return Difference("trailing newline", None, "\n")
    if client.replace("\r\n", "\n") == server:
        return Difference("line ends", "\n", "\r\n")
    if client == "\n".join(filter(None, server.split("\n"))):
        return Difference("blank lines", "one for every absent header", "left out")
    return None


def _v1_fields(text: str) -> dict[str, str]:
    lines = text.split("\n")
    fields = dict(zip(_V1_LINES, lines, strict=False))
    for line in lines[len(_V1_LINES) :]:
        if line.lower().startswith("x-acs-"):
            fields |= _header(line)
        else:
            path, _, query = line.partition("?")
            fields |= {"path": path, **_query(query)}
    return fields


def _v3_fields(text: str) -> dict[str, str]:
    lines = iter(text.split("\n"))
    fields = dict(zip(("method", "path"), lines, strict=False))
    fields |= _query(next(lines, ""))
    for line in lines:
        if not line:
            break
        fields |= _header(line)
    return fields | dict(zip(("SignedHeaders", "body"), lines, strict=False))


def _header(line: str) -> dict[str, str]:
    name, _, value = line.partition(":")
    return {name: value}


def _query(query: str) -> dict[str, str]:
    # Keep the whole `name=value`, so that `a=` and `a` differ.
    return {f"query {field.partition('=')[0]}": field for field in query.split("&") if field}
