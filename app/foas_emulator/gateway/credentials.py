"""The credentials that a request claims: the Authorization header in its two forms, a bearer token, or none."""

from collections.abc import Mapping
from hashlib import algorithms_available
from typing import Literal, NamedTuple

Scheme = Literal["v1", "v3", "bearer", "anonymous"]

ALGORITHMS: Mapping[Scheme, str] = {"v1": "HMAC-SHA1", "v3": "ACS3-HMAC-SHA256"}
"""The usual algorithm of each scheme."""
V3_HASHES: Mapping[str, str] = {"ACS3-HMAC-SHA256": "sha256", "ACS3-HMAC-SM3": "sm3"}
"""The hash of each V3 algorithm, by its name in `hashlib`."""
MOST_SIGNED = 256
"""The most headers that SignedHeaders of V3 may name: as many as a request may have."""
BEARER = "BEARERTOKEN"
"""The x-acs-signature-type of a request with a bearer token."""
TOKENS = ("x-acs-bearer-token", "x-acs-zero-trust-idtoken")
"""The names of tokens that take the place of a signature: headers, and parameters of the query for the SDK for .NET."""


def allowed_algorithms(scheme: Scheme) -> tuple[str, ...]:
    """Return the algorithms that a scheme allows; SM3 only if the OpenSSL of this Python has it, as almost all do."""
    if scheme == "v3":
        return tuple(name for name, hash_name in V3_HASHES.items() if hash_name in algorithms_available)
    return (ALGORITHMS[scheme],) if scheme in ALGORITHMS else ()


class MalformedAuthorization(ValueError):  # noqa: N818 - the gateway's own word for what is wrong
    """An Authorization header that is neither `acs ID:SIGNATURE` nor `ACS3-...` with its three parameters."""


class Credentials(NamedTuple):
    """The credentials that a request claims, unverified. Strings are empty where the scheme has no such part.

    `algorithm` is x-acs-signature-method in V1 and the first word of Authorization in V3.
    """

    scheme: Scheme
    access_key_id: str = ""
    signature: str = ""
    signed_headers: tuple[str, ...] = ()
    algorithm: str = ""
    security_token: str | None = None


def read_credentials(headers: Mapping[str, str]) -> Credentials:
    """Return the credentials of a request, given its headers under lower-case names.

    A request without Authorization is `bearer` if it carries a bearer or identity token, else `anonymous`. The SDKs for
    Go, PHP and .NET have no key to name beside a token, and send `acs :` with a signature that nobody could check.
    Raise MalformedAuthorization. Source: the signature pages of the ROA style (V1, V3), and the official clients.
    """
    authorization = headers.get("authorization")
    has_token = any(headers.get(name) for name in TOKENS)
    if not authorization:
        return Credentials("bearer" if has_token else "anonymous")
    token = headers.get("x-acs-security-token") or None
    kind, _, rest = authorization.partition(" ")
    if kind == "acs":
        if rest.lstrip().startswith(":") and (has_token or headers.get("x-acs-signature-type") == BEARER):
            return Credentials("bearer")
        return _v1(rest.strip(), headers.get("x-acs-signature-method", ALGORITHMS["v1"]), token)
    if kind.startswith("ACS3-"):
        return _v3(kind, rest, token)
    raise MalformedAuthorization("its first word is neither acs nor ACS3-HMAC-SHA256")


def _v1(claim: str, algorithm: str, token: str | None) -> Credentials:
    access_key_id, _, signature = claim.partition(":")
    if not access_key_id or not signature:
        raise MalformedAuthorization("after the word acs it is not ACCESSKEYID:SIGNATURE")
    return Credentials("v1", access_key_id, signature, (), algorithm, token)


def _v3(algorithm: str, claim: str, token: str | None) -> Credentials:
    # Java sends Signature before SignedHeaders, the others after it.
    parameters = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in claim.split(","))}
    try:
        access_key_id, signature = parameters["Credential"], parameters["Signature"]
        signed_headers = tuple(parameters["SignedHeaders"].lower().split(";"))
    except KeyError as missing:
        raise MalformedAuthorization(f"it has no {missing.args[0]}=") from None
    if not access_key_id or not signature:
        raise MalformedAuthorization("its Credential= or its Signature= is empty")
    # Each header named is a line of what is signed: a long one named thousands of times would be hundreds of mebibytes.
    if len(signed_headers) > MOST_SIGNED or len(set(signed_headers)) < len(signed_headers):
        raise MalformedAuthorization(f"its SignedHeaders= names a header twice, or more than {MOST_SIGNED} of them")
    return Credentials("v3", access_key_id, signature, signed_headers, algorithm, token)
