"""The hot path: a question that was asked before is answered without walking the stages."""

from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from foas_emulator.gateway.responses import REQUEST_ID
from foas_emulator.journal.journal import Journal
from foas_emulator.pipeline.cache_reads import CachedResponse, ReadCache, cache_key
from foas_emulator.world.clock import stopwatch

_BYPASS_HEADERS = frozenset({b"origin", b"transfer-encoding", b"x-acs-bearer-token", b"x-acs-zero-trust-idtoken"})
"""Headers of requests that always walk: a page's, one that may have a body, and others than the usual signatures."""


class ResponseCacheMiddleware:
    """Answers what `cache` still knows the answer to, and enters it into the journal; all else it hands on to `app`.

    It changes nothing: a world in which something is due, and a signature that is not `believed`, go on to the stages.
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
        kept = self._recall(scope) if scope["type"] == "http" else None
        if kept is None:
            await self._app(scope, receive, send)
            return
        kept.world.last_used = started
        text: str = kept.world.next_request_id()
        request_id = text.encode()
        headers = [*kept.headers, (REQUEST_ID, request_id)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": kept.head + request_id + kept.tail})
        assert kept.template is not None
        self._journal.write(kept.template, text, started)

    def _recall(self, scope: Scope) -> CachedResponse | None:
        headers = dict(scope["headers"])
        if not headers.keys().isdisjoint(_BYPASS_HEADERS):
            return None
        kept = self._cache.find(cache_key(scope, headers))
        if kept is None or kept.template is None or kept.template.counters.is_closed or not kept.world.is_settled:
            return None
        if b"authorization" in headers and not self._verify(scope, headers, kept.world.settings.signature):
            return None
        return kept
