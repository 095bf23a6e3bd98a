"""The hot path: answer a repeated read from the read cache, without the stages."""

from asyncio import CancelledError
from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from foas_emulator.faults.wire import break_off
from foas_emulator.gateway.credentials import TOKENS
from foas_emulator.gateway.responses import REQUEST_ID
from foas_emulator.journal.journal import Journal
from foas_emulator.pipeline.cache_reads import CACHE_KEY, CachedResponse, ReadCache, cache_key
from foas_emulator.world.clock import stopwatch

BYPASS_HEADERS = frozenset({b"origin", b"content-encoding", b"transfer-encoding", *map(str.encode, TOKENS)})
"""Headers that always lead to the stages: the request is from a page, may have a body, or has a rare signature."""


class ResponseCacheMiddleware:
    """Middleware that answers requests from the read cache and records them in the journal; others go to `app`.

    A hit stamps its world as used, takes a request id, records the nonce of a strict signature and counts in the
    journal. It never writes to a world's database.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        cache: ReadCache,
        journal: Journal,
        verify: Callable[[Scope, Mapping[bytes, bytes], str], bool],
    ) -> None:
        self._app = app
        self._cache = cache
        self._journal = journal
        self._verify = verify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = stopwatch()
        cached = self._find(scope) if scope["type"] == "http" else None
        if cached is None:
            await self._app(scope, receive, send)
            return
        cached.world.last_used = started
        text: str = cached.world.next_request_id()
        request_id = text.encode()
        headers = [*cached.headers, (REQUEST_ID, request_id)]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": cached.head + request_id + cached.tail})
        except CancelledError:  # the server stops
            await break_off(scope, receive)
        assert cached.template is not None
        self._journal.write(cached.template, text, started)

    def _find(self, scope: Scope) -> CachedResponse | None:
        """Return the cached response for a request, None if the stages must answer it."""
        headers = dict(scope["headers"])
        if not BYPASS_HEADERS.isdisjoint(headers):
            return None
        scope[CACHE_KEY] = key = cache_key(scope, headers)
        cached = self._cache.get(key)
        return cached if cached is not None and self._may_repeat(cached, scope, headers) else None

    def _may_repeat(self, cached: CachedResponse, scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
        """Whether the stages would send this response now: the only condition of the hot path, the nonce last.

        A response to a bearer token may be cached under the key of an unsigned request, which strict refuses.
        """
        mode = cached.world.settings.signature
        return (
            cached.is_current()
            and cached.template is not None
            and not cached.template.counters.is_closed
            and (self._verify(scope, headers, mode) if b"authorization" in headers else mode != "strict")
        )
