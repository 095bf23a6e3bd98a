"""Authenticate a request as the strict gateway does: date, access key, token, signature, digest and nonce."""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import md5
from hmac import compare_digest

from foas_emulator.difference import Difference
from foas_emulator.gateway.access_keys import AccessKeys, Key
from foas_emulator.gateway.credentials import (
    TOKENS,
    Credentials,
    MalformedAuthorization,
    Scheme,
    allowed_algorithms,
    read_credentials,
)
from foas_emulator.gateway.signature import SignedRequest, as_text, hashed_once, query_pairs, verify
from foas_emulator.gateway.signature_diagnosis import explain, sentence
from foas_emulator.showing import plain, shown

_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, (\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT", re.ASCII)
_ACS_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONGEST_DATE = 30
"""More characters than a date has in either form; what is cut off there is still none."""
_UNSIGNED = "sign it with a configured access key, or set signature to warn or off."


@dataclass(frozen=True, slots=True)
class AuthenticationFailure:
    """A gateway error code, the values for its message, and one ASCII sentence that says what to do.

    For SignatureDoesNotMatch, `message_args` are `string_to_sign` and, in V3, `canonical_request`; `differences` are
    those between the text that the server expects to be signed and the one that the client signed.
    """

    code: str
    hint: str
    message_args: Mapping[str, str] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()


def check_authentication(
    request: SignedRequest,
    *,
    keys: AccessKeys,
    now_ms: int,
    max_skew_ms: int,
    use_nonce: Callable[[str, str], bool],
) -> AuthenticationFailure | None:
    """Return the failure of the first check that a request does not pass, None if it passes them all.

    A request that is not signed at all is refused too. The order is: date and credentials present, date fresh,
    signature method, access key, token, signature, Content-MD5, nonce. `use_nonce(access_key_id, nonce)` records a
    nonce and returns whether this is its first use. It is called last, so that a request with a wrong signature does
    not use up anybody's nonce.
    """
    try:
        credentials = read_credentials(request.headers)
    except MalformedAuthorization as reason:
        hint = f"The Authorization cannot be read, {reason}: write acs ID:SIGNATURE, or ACS3-HMAC-SHA256 and its parts."
        return missing_date(request.headers, "anonymous") or AuthenticationFailure("IncompleteSignature", hint)
    return (
        missing_date(request.headers, credentials.scheme)
        or missing_access_key(credentials)
        or untimely(request.headers, credentials.scheme, now_ms=now_ms, max_skew_ms=max_skew_ms)
        or wrong_algorithm(credentials)
        or unsigned_header(request.headers, credentials)
        or wrong_key(request, credentials, keys)
        or wrong_digest(request)
        or repeated_nonce(request, credentials, use_nonce)
    )


def missing_date(headers: Mapping[str, str], scheme: Scheme) -> AuthenticationFailure | None:
    """Return MissingDate if the scheme's date is missing: Date in V1, x-acs-date in V3, both if nothing is signed."""
    name = _date_header(headers, scheme)
    if headers.get(name):
        return None
    if scheme == "anonymous" and "authorization" not in headers:
        hint = f"The request is not signed, it has neither Date nor Authorization; {_UNSIGNED}"
        return AuthenticationFailure("MissingDate", hint)
    return AuthenticationFailure("MissingDate", f"The header {name} is missing: send the time of signing in it.")


def missing_access_key(credentials: Credentials) -> AuthenticationFailure | None:
    """Return MissingAccessKeyId if there is neither an Authorization header nor a bearer token."""
    if credentials.scheme != "anonymous":
        return None
    hint = f"The request is not signed, it has no Authorization; {_UNSIGNED}"
    return AuthenticationFailure("MissingAccessKeyId", hint)


def untimely(
    headers: Mapping[str, str], scheme: Scheme, *, now_ms: int, max_skew_ms: int
) -> AuthenticationFailure | None:
    """Return InvalidTimeStamp.Format or, for a date more than `max_skew_ms` from `now_ms`, InvalidTimeStamp.Expired.

    The request has a date: `missing_date` has seen it.
    """
    name = _date_header(headers, scheme)
    text = headers[name]
    at = milliseconds_of(text[:LONGEST_DATE])
    if at is None:
        wanted = "2018-11-11T08:00:00Z" if name == "x-acs-date" else "Sun, 11 Nov 2018 08:00:00 GMT"
        hint = f"The header {name} is {shown(text)}: write it like {wanted}."
        return AuthenticationFailure("InvalidTimeStamp.Format", hint)
    if abs(now_ms - at) <= max_skew_ms:
        return None
    side = "behind" if at < now_ms else "ahead of"
    return AuthenticationFailure(
        "InvalidTimeStamp.Expired",
        f"The header {name} is {abs(now_ms - at) // 1000} s {side} this server's clock and "
        f"{max_skew_ms // 1000} s are allowed: set the client's clock or raise --signature-max-skew.",
    )


def wrong_algorithm(credentials: Credentials) -> AuthenticationFailure | None:
    """Return InvalidSignatureMethod for an algorithm that this form of Authorization does not allow."""
    allowed = allowed_algorithms(credentials.scheme)
    if not allowed or credentials.algorithm in allowed:
        return None
    sent, right = shown(credentials.algorithm), " and ".join(allowed)
    hint = f"The signature method is {sent}, this form of Authorization allows only {right}."
    return AuthenticationFailure("InvalidSignatureMethod", hint)


def unsigned_header(headers: Mapping[str, str], credentials: Credentials) -> AuthenticationFailure | None:
    """Return IncompleteSignature for a V3 signature that does not cover the date or the nonce of the request."""
    if credentials.scheme != "v3":
        return None
    for name in ("x-acs-date", "x-acs-signature-nonce"):
        if name in headers and name not in credentials.signed_headers:
            hint = f"SignedHeaders leaves out {name}, so the signature could be used again: sign that header, too."
            return AuthenticationFailure("IncompleteSignature", hint)
    return None


def wrong_bearer_token(request: SignedRequest, keys: AccessKeys) -> AuthenticationFailure | None:
    """Return InvalidBearerToken for a bearer or identity token that is missing or not configured."""
    sent = [(name, request.headers[name]) for name in TOKENS if request.headers.get(name)]
    sent = sent or [(name, value) for name, value in query_pairs(request.raw_query) if name in TOKENS]
    if not sent:
        hint = "The request says that it has a bearer token, but it has none: send it in x-acs-bearer-token."
        return AuthenticationFailure("InvalidBearerToken", hint)
    for name, token in sent:
        if not any(compare_digest(token.encode(), known.encode()) for known in keys.bearer_tokens):
            hint = f"The token in {name} is not configured: name it in the setting bearer_tokens."
            return AuthenticationFailure("InvalidBearerToken", hint)
    return None


def wrong_key(request: SignedRequest, credentials: Credentials, keys: AccessKeys) -> AuthenticationFailure | None:
    """Return the failure of an access key that is unknown, of its token, or of the signature made with it."""
    if credentials.scheme == "bearer":
        return wrong_bearer_token(request, keys)
    key = keys.lookup(credentials.access_key_id)
    if key is None:
        name = plain(credentials.access_key_id)
        hint = f"No access key {name} is configured: add --access-keys {name}:SECRET, or use test:test."
        return AuthenticationFailure("InvalidAccessKeyId.NotFound", hint)
    return wrong_token(credentials, key) or wrong_signature(request, credentials, key)


def wrong_token(credentials: Credentials, key: Key) -> AuthenticationFailure | None:
    """Return MissingSecurityToken or InvalidSecurityToken.MismatchWithAccessKey if key and token do not match."""
    if key.fits(credentials.security_token):
        return None
    name = plain(key.access_key_id)
    if credentials.security_token is None:
        hint = f"The access key {name} is a temporary one: send its token in the header x-acs-security-token."
        return AuthenticationFailure("MissingSecurityToken", hint)
    hint = (
        f"The x-acs-security-token is not that of the access key {name}: set it with --access-keys {name}:SECRET:TOKEN."
    )
    return AuthenticationFailure("InvalidSecurityToken.MismatchWithAccessKey", hint)


def repeated_nonce(
    request: SignedRequest, credentials: Credentials, use_nonce: Callable[[str, str], bool]
) -> AuthenticationFailure | None:
    """Return SignatureNonceUsed for a nonce that this access key has used before; a request without a nonce passes.

    The nonce counts as it is signed: in V3 without the white space around it, and with all its encodings alike.
    """
    nonce = as_text(request.headers.get("x-acs-signature-nonce", "")).strip()
    if not nonce or credentials.scheme == "bearer" or use_nonce(credentials.access_key_id, nonce):
        return None
    hint = "The x-acs-signature-nonce was used before: make a new one for every request."
    return AuthenticationFailure("SignatureNonceUsed", hint)


def wrong_signature(request: SignedRequest, credentials: Credentials, key: Key) -> AuthenticationFailure | None:
    """Return SignatureDoesNotMatch, with the string to sign in its message and the likeliest mistake in its hint."""
    request = hashed_once(request, credentials)
    mismatch = verify(request, credentials, key.secret)
    if mismatch is None:
        return None
    args = {"string_to_sign": mismatch.server_string_to_sign}
    if mismatch.canonical_request is not None:
        args["canonical_request"] = mismatch.canonical_request
    differences = explain(request, credentials, key.secret)
    return AuthenticationFailure("SignatureDoesNotMatch", sentence(differences), args, tuple(differences))


def wrong_digest(request: SignedRequest) -> AuthenticationFailure | None:
    """Return ContentMD5NotMatched if the Content-MD5 header is not that of the body."""
    stated = request.headers.get("content-md5")
    if not stated:
        return None
    digest = b64encode(md5(request.body, usedforsecurity=False).digest()).decode()
    if stated == digest:
        return None
    hint = f"The Content-MD5 is {shown(stated)}, but that of the body as it arrived is {digest}."
    return AuthenticationFailure("ContentMD5NotMatched", hint)


@lru_cache(maxsize=256)
def milliseconds_of(date: str) -> int | None:
    """Return the milliseconds of `Thu, 01 Aug 2019 12:00:00 GMT` or `2019-08-01T12:00:00Z`; None for any other form."""
    try:
        if match := _HTTP_DATE.fullmatch(date):
            day, month, year, hour, minute, second = match.groups()
            number = _MONTHS.index(month) + 1
            moment = datetime(int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        elif _ACS_DATE.fullmatch(date):
            moment = datetime.fromisoformat(date)
        else:
            return None
    except ValueError:
        return None
    return int(moment.timestamp()) * 1000


def _date_header(headers: Mapping[str, str], scheme: Scheme) -> str:
    if scheme == "v1":
        return "date"
    return "x-acs-date" if scheme == "v3" or "x-acs-date" in headers else "date"
