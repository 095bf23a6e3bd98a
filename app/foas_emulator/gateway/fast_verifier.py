"""Verify the usual kind of signature from the bytes of a request, fast enough for responses from the cache.

Reading and diagnosing a signature (`authentication.py`) takes longer than everything else on the hot path. The usual
signature is V1 by an official SDK, in ASCII, with one reading; the template of the text that it signs depends only on
the names of the headers, and is cached.
"""

import hmac
from binascii import b2a_base64
from collections.abc import Mapping
from functools import lru_cache

from foas_emulator.gateway.access_keys import AccessKeys
from foas_emulator.gateway.authentication import LONGEST_DATE, milliseconds_of
from foas_emulator.gateway.credentials import ALGORITHMS
from foas_emulator.gateway.signature import V1_HEADERS, v1_queries

_ALGORITHM = ALGORITHMS["v1"].encode()
_LONGEST_KEY = 128
"""The most characters of an access key id."""
_LONGEST_NAMES = 1024
"""The most characters of all names of headers together."""
_milliseconds_of = lru_cache(maxsize=256)(lambda date: milliseconds_of(date.decode("latin-1")))


class FastVerifier:
    """A verifier of usual signatures that are made with these keys and dated at most `max_skew_ms` from now."""

    def __init__(self, keys: AccessKeys, *, max_skew_ms: int) -> None:
        self._max_skew_ms = max_skew_ms
        self._signer = lru_cache(maxsize=4096)(lambda access_key_id: _signer(keys, access_key_id))

    def verify(
        self, method: str, raw_path: bytes, raw_query: bytes, headers: Mapping[bytes, bytes], *, now_ms: int
    ) -> bool:
        """Whether `check_authentication` would certainly accept a request without a body, apart from its nonce.

        False does not mean that it would refuse the request: only `check_authentication` decides that.
        """
        kind, _, rest = headers[b"authorization"].partition(b" ")
        access_key_id, _, claimed = rest.partition(b":")
        # What is cached below must be short, whatever was sent: thousands of long headers take hundreds of mebibytes.
        if kind != b"acs" or len(access_key_id) > _LONGEST_KEY or len(b"".join(headers)) > _LONGEST_NAMES:
            return False
        signer = self._signer(access_key_id)
        at = _milliseconds_of(headers.get(b"date", b"")[:LONGEST_DATE])
        query = _query(raw_query)
        if (
            signer is None
            or at is None
            or abs(now_ms - at) > self._max_skew_ms
            or query is None
            or headers.get(b"x-acs-signature-method", _ALGORITHM) != _ALGORITHM
            or b"x-acs-security-token" in headers
            or b"content-md5" in headers
        ):
            return False
        form, names = _form(tuple(headers))
        text = form % (method.encode(), *map(headers.__getitem__, names), raw_path, query)
        hashed = signer.copy()
        hashed.update(text)
        return text.isascii() and hmac.compare_digest(b2a_base64(hashed.digest(), newline=False), claimed)


def _signer(keys: AccessKeys, access_key_id: bytes) -> "hmac.HMAC | None":
    """Return an HMAC that holds the secret of a key; None for a key that is unknown or requires a token."""
    key = keys.lookup(access_key_id.decode("latin-1"))
    return None if key is None or not key.fits(None) else hmac.new(key.secret.encode(), digestmod="sha1")


@lru_cache(maxsize=4096)
def _query(raw_query: bytes) -> bytes | None:
    """Return the form of a query that all clients sign; None if clients differ."""
    readings = v1_queries(raw_query.decode("latin-1"))
    return readings[0].encode() if len(readings) == 1 else None


@lru_cache(maxsize=256)
def _form(names: tuple[bytes, ...]) -> tuple[bytes, tuple[bytes, ...]]:
    """Return a template of the string to sign for a request with these headers, and the headers that fill it."""
    acs = sorted(name for name in names if name.startswith(b"x-acs-"))
    plain = [name.encode() for name in V1_HEADERS]
    lines = [b"%b", *(b"%b" if name in names else b"" for name in plain)]
    lines += [name.replace(b"%", b"%%") + b":%b" for name in acs]
    return b"\n".join(lines) + b"\n%b%b", (*(name for name in plain if name in names), *acs)
