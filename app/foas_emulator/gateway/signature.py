"""The texts that clients sign, and the verification of signatures.

V1 signs a *string to sign* with HMAC-SHA1, V3 the hash of a *canonical request* with HMAC-SHA256 or HMAC-SM3; this
module calls both the signed text. Official clients differ in details that cannot be seen in the request, so one request
has several signed texts, and a signature is right if it is that of any of them. Dates and keys are checked elsewhere.
"""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote, unquote_plus

from foas_emulator.gateway.credentials import ALGORITHMS, V3_HASHES, Credentials

V1_HEADERS = ("accept", "content-md5", "content-type", "date")
"""The standard headers that V1 signs in addition to the gateway's own, which begin with x-acs-."""

_ESCAPED_BEYOND_ASCII = re.compile("(?:%[89A-Fa-f][0-9A-Fa-f])+")


class SignedRequest(NamedTuple):
    """A request as it arrived: path and query not decoded, header names in lower case, header values as Latin-1.

    `body_hash` is the V3 hash of the body once it is known, since that of a large body takes some ten milliseconds.
    """

    method: str
    raw_path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes
    body_hash: str = ""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The text that a client should have signed, in that client's own form; the canonical request is set in V3 only."""

    server_string_to_sign: str
    canonical_request: str | None = None


def verify(request: SignedRequest, credentials: Credentials, secret: str) -> Mismatch | None:
    """Return None if the V1 or V3 signature is right, else the text that should have been signed."""
    claimed = credentials.signature.encode()
    for text in signed_texts(request, credentials):
        if hmac.compare_digest(sign(text, credentials, secret), claimed):
            if credentials.scheme == "v3" and not _is_hash_of_body(request, credentials):
                break
            return None
    text = next(signed_texts(request, credentials))
    return Mismatch(text) if credentials.scheme == "v1" else Mismatch(v3_string_to_sign(text, credentials), text)


def sign(text: str, credentials: Credentials, secret: str) -> bytes:
    """Return the signature of a signed text in the form of Authorization."""
    if credentials.scheme == "v1":
        return b64encode(hmac.digest(secret.encode(), text.encode(), "sha1"))
    to_sign = v3_string_to_sign(text, credentials).encode()
    return hmac.digest(secret.encode(), to_sign, v3_hash(credentials)).hex().encode()


def v1_authorization(request: SignedRequest, access_key_id: str, secret: str) -> str:
    """Return the Authorization header with which a client signs a request by V1."""
    credentials = Credentials("v1", access_key_id)
    signature = sign(next(signed_texts(request, credentials)), credentials, secret)
    return f"acs {access_key_id}:{signature.decode()}"


def signed_texts(request: SignedRequest, credentials: Credentials) -> Iterator[str]:
    """Yield the texts that a client may have signed for this request, the client's own form first."""
    if credentials.scheme == "v1":
        return string_to_sign_variants(request)
    return canonical_request_variants(request, credentials)


def string_to_sign_variants(request: SignedRequest) -> Iterator[str]:
    """Yield the V1 strings to sign: path decoded, as sent or in part, an empty value as `k=` or `k`; each text once.

    The first is the form of the client that sent the request, recognised by User-Agent and x-sdk-client; for an unknown
    client it is the decoded path and `k=`. Non-ASCII header values are read as UTF-8 if they are valid UTF-8.
    """
    head = _v1_head(request)
    queries = v1_queries(request.raw_query)
    if len(queries) > 1 and _signs_empty_value_as_bare_name(request):
        queries = queries[::-1]
    for path in _v1_paths(request):
        for query in queries:
            yield head + path + query


def canonical_request_variants(request: SignedRequest, credentials: Credentials) -> Iterator[str]:
    """Yield the V3 canonical requests, over SignedHeaders as given: the path as sent, encoded again, or decoded."""
    headers = request.headers
    names = sorted(credentials.signed_headers)
    lines = "".join([f"{name}:{as_text(headers.get(name, '')).strip()}\n" for name in names])
    query = "&".join(
        [f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in query_pairs(request.raw_query)]
    )
    rest = f"\n{query}\n{lines}\n{';'.join(credentials.signed_headers)}\n{hash_of_body(request, credentials)}"
    raw_path = request.raw_path or "/"
    yield f"{request.method}\n{raw_path}{rest}"
    decoded = unquote(raw_path)
    encoded = "/".join([quote(unquote(segment), safe="~") for segment in raw_path.split("/")])
    for path in {encoded: None, decoded: None}:
        if path != raw_path:
            yield f"{request.method}\n{path}{rest}"


def v3_string_to_sign(canonical_request: str, credentials: Credentials) -> str:
    """Return the V3 string to sign for a canonical request: the name of the algorithm and the request's hash."""
    algorithm = credentials.algorithm if credentials.algorithm in V3_HASHES else ALGORITHMS["v3"]
    return f"{algorithm}\n{v3_hash_of(canonical_request.encode(), credentials)}"


def v3_hash(credentials: Credentials) -> str:
    """Return the name of the hash of a V3 signature; SHA-256 for an unknown algorithm."""
    return V3_HASHES.get(credentials.algorithm, "sha256")


def v3_hash_of(content: bytes, credentials: Credentials) -> str:
    """Return the hexadecimal digest of a content with the hash of a V3 signature."""
    return hashlib.new(v3_hash(credentials), content).hexdigest()


def hash_of_body(request: SignedRequest, credentials: Credentials) -> str:
    """Return the V3 hash of the body of a request."""
    return request.body_hash or v3_hash_of(request.body, credentials)


def hashed_once(request: SignedRequest, credentials: Credentials) -> SignedRequest:
    """Return a request with the hash of its body, if its signature covers one."""
    return request._replace(body_hash=hash_of_body(request, credentials)) if credentials.scheme == "v3" else request


def stated_hash(headers: Mapping[str, str]) -> str | None:
    """Return the hash of the body that a V3 request states; SDKs keep the header's SHA-256 name for SM3."""
    return headers.get("x-acs-content-sha256", headers.get("x-acs-content-sm3"))


@lru_cache(maxsize=4)
def query_pairs(raw_query: str) -> tuple[tuple[str, str], ...]:
    """Return the decoded names and values of a query, sorted; `+` is a space, and a missing value is empty.

    A wrong signature is compared with several texts of one query; decoding a long one takes most of their time.
    """
    if not raw_query:
        return ()
    decode = unquote_plus if "%" in raw_query or "+" in raw_query else str
    fields = [field.partition("=") for field in raw_query.split("&") if field]
    return tuple(sorted([(decode(name), decode(value)) for name, _, value in fields]))


def v1_queries(raw_query: str) -> tuple[str, ...]:
    """Return the readings of a query that V1 may sign: two if a value is empty, `?k=` and `?k`, else one."""
    pairs = query_pairs(raw_query)
    if not pairs:
        return ("",)
    full = "?" + "&".join([f"{name}={value}" for name, value in pairs])
    if all([value for _, value in pairs]):  # noqa: C419 - a generator costs more here
        return (full,)
    return (full, "?" + "&".join([f"{name}={value}" if value else name for name, value in pairs]))


def as_text(latin1: str) -> str:
    """Return a text that was decoded as Latin-1, with each line decoded as UTF-8 instead if it is valid UTF-8.

    Go sends and signs UTF-8; Python sends Latin-1 and signs the UTF-8 of the same characters.
    """
    if latin1.isascii():
        return latin1
    return "\n".join([_line_as_text(line) for line in latin1.split("\n")])


def _line_as_text(latin1: str) -> str:
    try:
        return latin1.encode("latin-1").decode()
    except UnicodeError:
        return latin1


def _is_hash_of_body(request: SignedRequest, credentials: Credentials) -> bool:
    stated = stated_hash(request.headers)
    return stated is None or stated.lower() == hash_of_body(request, credentials)


def _v1_head(request: SignedRequest) -> str:
    headers = request.headers
    acs = sorted([header for header in headers.items() if header[0].startswith("x-acs-")])
    lines = [request.method, *[headers.get(name, "") for name in V1_HEADERS]]
    lines += [f"{name}:{value}" for name, value in acs]
    return as_text("\n".join(lines) + "\n")


def _v1_paths(request: SignedRequest) -> tuple[str, ...]:
    raw_path = request.raw_path
    if "%" not in raw_path:
        return (raw_path,)
    decoded = unquote(raw_path)
    # A client that sent raw UTF-8, which was escaped on the way here, signed it raw, next to its own escapes.
    raw_utf8 = _ESCAPED_BEYOND_ASCII.sub(lambda escapes: unquote(escapes[0]), raw_path)
    paths = (raw_path, decoded, raw_utf8) if _signs_path_as_sent(request) else (decoded, raw_path, raw_utf8)
    return tuple(dict.fromkeys(paths))


def _client(headers: Mapping[str, str]) -> str:
    return f"{headers.get('user-agent', '')} {headers.get('x-sdk-client', '')}".lower()


def _signs_path_as_sent(request: SignedRequest) -> bool:
    client = _client(request.headers)
    return any(mark in client for mark in ("teadsl", "php/", "node.js"))


def _signs_empty_value_as_bare_name(request: SignedRequest) -> bool:
    if any(field and "=" not in field for field in request.raw_query.split("&")):
        return True
    client = _client(request.headers)
    is_python_tea = "python/" in client and "teadsl" in client
    return is_python_tea or any(mark in client for mark in ("java/", "golang/", "php/"))
