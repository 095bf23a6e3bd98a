"""Authenticate the sender of a request, as the gateway would."""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256

from starlette.types import Scope

from foas_emulator.gateway.access_keys import AccessKeys
from foas_emulator.gateway.authentication import AuthenticationFailure, check_authentication
from foas_emulator.gateway.credentials import TOKENS
from foas_emulator.gateway.errors import ApiError, catalogue
from foas_emulator.gateway.fast_verifier import FastVerifier
from foas_emulator.gateway.signature import SignedRequest, as_text
from foas_emulator.pipeline.context import RequestContext
from foas_emulator.pipeline.select_world import SelectWorld, key_of, shown_key
from foas_emulator.world.clock import machine_now

log = logging.getLogger(__name__)

_LONGEST_KEY = 128
"""The most characters of an access key id to remember and to log."""
_V1_MISMATCH = "Specified signature is not matched with our calculation. server string to sign is:{string_to_sign}"
_V3_MISMATCH = (
    "Specified signature does not match our calculation. "
    "server StringToSign is [{string_to_sign}] server CanonicalRequest is [{canonical_request}]"
)


class Nonces:
    """The nonces of the last `keep_ms` milliseconds, at most `most` of them: the oldest is forgotten first.

    Each is kept as a hash, so that long nonces take no more memory than short ones.
    """

    def __init__(self, *, keep_ms: int, most: int = 100_000) -> None:
        self._keep_ms = keep_ms
        self._most = most
        self._seen: OrderedDict[bytes, int] = OrderedDict()

    def use(self, access_key_id: str, nonce: str) -> bool:
        """Record that a key uses a nonce; return whether this is its first use. Call it for right signatures only."""
        now = machine_now()
        used = sha256(f"{access_key_id}\n{nonce}".encode("utf-8", "surrogatepass")).digest()
        while self._seen and (len(self._seen) >= self._most or next(iter(self._seen.values())) < now - self._keep_ms):
            self._seen.popitem(last=False)
        if used in self._seen:
            return False
        self._seen[used] = now
        return True


class Authenticate:
    """The stage that checks signatures as the world's setting `signature` says.

    `off` checks nothing. `warn` serves every request and reports in `x-emulator-warning`, and once in the log, why
    strict would refuse it; a request that is not signed at all gets no warning. `strict` refuses requests as the
    gateway does, and only a request with a right signature creates a world.
    """

    def __init__(self, select_world: SelectWorld, *, keys: AccessKeys, max_skew_ms: int) -> None:
        self._select_world = select_world
        self._keys = keys
        self._max_skew_ms = max_skew_ms
        # A date that lies ahead of this clock by the largest skew stays fresh for twice as long.
        self._nonces = Nonces(keep_ms=2 * max_skew_ms)
        self._fast_verifier = FastVerifier(keys, max_skew_ms=max_skew_ms)
        self._warned: set[tuple[str, str]] = set()

    def __call__(self, context: RequestContext) -> Awaitable[None] | None:
        mode = context.settings.signature
        if mode == "strict":
            failure = self._check(context, self._nonces.use)
            if failure is not None:
                raise refusal(failure)
            if not context.has_world:
                return self._select_world.open_in_turn(context)
        elif mode == "warn" and _is_signed(context):
            failure = self._check(context, _accept_nonce)
            if failure is not None:
                self._warn(context, failure)
        return None

    def verify(self, scope: Scope, headers: Mapping[bytes, bytes], mode: str) -> bool:
        """Accept a signed request without a body if it would be served without a warning, and record its nonce.

        Return False if that cannot be decided quickly: then the stages decide.
        """
        if mode == "off":
            return True
        if not self._fast_verifier.verify(
            scope["method"], scope["raw_path"], scope["query_string"], headers, now_ms=machine_now()
        ):
            return False
        return mode != "strict" or self._use_nonce(headers)

    def _use_nonce(self, headers: Mapping[bytes, bytes]) -> bool:
        nonce = headers.get(b"x-acs-signature-nonce", b"").decode("latin-1")
        return not nonce or self._nonces.use(key_of(headers[b"authorization"].decode("latin-1")), nonce)

    def _check(self, context: RequestContext, use_nonce: Callable[[str, str], bool]) -> AuthenticationFailure | None:
        request = SignedRequest(
            context.method, as_text(context.raw_path), as_text(context.query_string), context.headers, context.body
        )
        context.authentication_failure = check_authentication(
            request, keys=self._keys, now_ms=machine_now(), max_skew_ms=self._max_skew_ms, use_nonce=use_nonce
        )
        context.was_authenticated = True
        return context.authentication_failure

    def _warn(self, context: RequestContext, failure: AuthenticationFailure) -> None:
        context.warning = f"signature=strict would refuse this with {failure.code}: {failure.hint}"
        key = shown_key(context.headers.get("authorization", ""))[:_LONGEST_KEY]
        if (key, failure.code) not in self._warned and len(self._warned) < 1000:  # noqa: PLR2004 - a bound
            self._warned.add((key, failure.code))
            log.warning("access key %r: %s", key, context.warning)


def refusal(failure: AuthenticationFailure) -> ApiError:
    """Return the gateway's error for an authentication failure."""
    template = _V3_MISMATCH if "canonical_request" in failure.message_args else _V1_MISMATCH
    explanation = template.format(**failure.message_args) if failure.message_args else ""
    return catalogue()[failure.code](failure.hint, explanation=explanation)


def _is_signed(context: RequestContext) -> bool:
    headers, (bearer, identity) = context.headers, TOKENS
    return "authorization" in headers or bearer in headers or identity in headers


def _accept_nonce(_access_key_id: str, _nonce: str) -> bool:
    return True
