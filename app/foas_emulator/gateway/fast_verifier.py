"""A quick look at a signature: enough to believe the usual one, never enough to refuse any.

Reading and diagnosing a signature (`authentication.py`) takes longer than all the rest of a request that is answered
from memory. The usual signature is V1 by an official SDK, in ASCII, with one reading only; what is signed then has a
form that only the names of the headers decide, and which is remembered.
"""

import hmac
from binascii import b2a_base64
from collections.abc import Mapping
from functools import lru_cache

from foas_emulator.gateway.access_keys import AccessKeys
from foas_emulator.gateway.authentication import milliseconds_of
from foas_emulator.gateway.credentials import ALGORITHMS
from foas_emulator.gateway.signature import V1_HEADERS, v1_queries

Headers = Mapping[bytes, bytes]

_ALGORITHM = ALGORITHMS["v1"].encode()


class FastVerifier:
    """Knows the usual signature of these keys at a glance, dated at most `max_skew_ms` from now."""

    def __init__(self, keys: AccessKeys, *, max_skew_ms: int) -> None:
        self._max_skew_ms = max_skew_ms
        self._signer = lru_cache(maxsize=4096)(lambda access_key_id: _signer(keys, access_key_id))

    def verify(self, method: str, raw_path: bytes, raw_query: bytes, headers: Headers, *, now_ms: int) -> bool:
        """Whether `authentication.check` would certainly pass a request without a body, apart from its nonce.

        True says so; False says nothing.
        """
        kind, _, rest = headers[b"authorization"].partition(b" ")
        access_key_id, _, claimed = rest.partition(b":")
        signer = self._signer(access_key_id)
        at = _milliseconds_of(headers.get(b"date", b""))
        query = _query(raw_query)
        if (
            kind != b"acs"
            or signer is None
            or at is None
            or abs(now_ms - at) > self._max_skew_ms
            or query is None
            or b"%" in raw_path
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
    """HMAC with the secret of a key; None for a key that is not known, or wants a token."""
    key = keys.lookup(access_key_id.decode("latin-1"))
    return None if key is None or not key.fits(None) else hmac.new(key.secret.encode(), digestmod="sha1")


@lru_cache(maxsize=256)
def _milliseconds_of(date: bytes) -> int | None:
    return milliseconds_of(date.decode("latin-1"))


@lru_cache(maxsize=4096)
def _query(raw_query: bytes) -> bytes | None:
    """What is signed of a query, if clients agree about it."""
    readings = v1_queries(raw_query.decode("latin-1"))
    return readings[0].encode() if len(readings) == 1 else None


@lru_cache(maxsize=256)
def _form(names: tuple[bytes, ...]) -> tuple[bytes, tuple[bytes, ...]]:
    """What is signed of a request whose headers have these names, and the headers whose values belong into it."""
    acs = sorted(name for name in names if name.startswith(b"x-acs-"))
    plain = [name.encode() for name in V1_HEADERS]
    lines = [b"%b", *(b"%b" if name in names else b"" for name in plain)]
    lines += [name.replace(b"%", b"%%") + b":%b" for name in acs]
    return b"\n".join(lines) + b"\n%b%b", (*(name for name in plain if name in names), *acs)
