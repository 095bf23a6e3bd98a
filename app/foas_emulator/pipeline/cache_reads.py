"""Answers of operations that only read, kept as bytes until their world changes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.types import Scope

from foas_emulator.gateway.formats import CONTENT_TYPES, Body
from foas_emulator.gateway.responses import GatewayResponse, Headers
from foas_emulator.journal.entries import EntryTemplate
from foas_emulator.pipeline.context import RequestContext
from foas_emulator.pipeline.select_world import key_of
from foas_emulator.world.world import World

CacheKey = bytes
"""All of a request that decides about its answer, apart from its body, the state of its world, and its signature."""

_VARY_HEADERS = (b"accept", b"x-emulator-world", b"x-acs-version", b"x-acs-action", b"content-length")

_OVERHEAD = 1500
"""Bytes that an answer takes beside its own and its question's, roughly."""


def cache_key(scope: Scope, headers: Mapping[bytes, bytes]) -> CacheKey:
    """What a request asks."""
    parts = [scope["method"].encode(), scope["raw_path"], scope["query_string"]]
    for name in _VARY_HEADERS:
        if name in headers:
            parts += (name, headers[name])
    if b"authorization" in headers:
        parts += (b"authorization", key_of(headers[b"authorization"].decode("latin-1")).encode("latin-1"))
    return b"\n".join(parts)


@dataclass(slots=True)
class CachedResponse:
    """A successful answer, and the revision of the world it was read from.

    `template` is what the journal writes of those who ask again, if they need not walk the stages: None of who was
    answered with a warning.
    """

    revision: object
    world: World
    headers: Headers
    head: bytes
    tail: bytes
    unread: tuple[str, ...]
    size: int
    template: EntryTemplate | None = None


class ReadCache:
    """What was read, for as long as the world has not changed since.

    Every state of a world has a revision of its own: so an answer of a settled world's present revision is what the
    operation would answer now. At most `limit` bytes are kept, in two generations: when the younger one has filled its
    half, it becomes the older one, and what nobody asked for again in all that time is forgotten. So a hit writes
    nothing. A limit of 0 keeps nothing.
    """

    def __init__(self, *, limit: int) -> None:
        self._half = limit // 2
        self._size = 0
        self._younger: dict[CacheKey, CachedResponse] = {}
        self._older: dict[CacheKey, CachedResponse] = {}
        self._tails: dict[bytes, bytes] = {}

    def find(self, question: CacheKey) -> CachedResponse | None:
        """What was answered to this question, if that is still so."""
        kept = self._younger.get(question)
        if kept is None:
            kept = self._older.pop(question, None)
            if kept is None:
                return None
            self.keep(question, kept)
        return kept if kept.revision is kept.world.revision else None

    def keep(self, question: CacheKey, kept: CachedResponse) -> None:
        """Keep an answer. What worlds of one seed answer alike is kept once."""
        before = self._younger.pop(question, None)
        self._size -= 0 if before is None else before.size
        if kept.size > self._half:
            return
        if self._size + kept.size > self._half:
            self._older, self._younger, self._size = self._younger, {}, 0
            self._tails = {}
        self._younger[question] = kept
        self._size += kept.size
        kept.tail = self._tails.setdefault(kept.tail, kept.tail)


class CacheReads:
    """Serves what was read before, and keeps what is read. Operations that look at the clock itself are never kept."""

    def __init__(
        self,
        cache: ReadCache,
        call_operation: Callable[[RequestContext], Awaitable[GatewayResponse]],
        *,
        template: Callable[[RequestContext, GatewayResponse], EntryTemplate],
    ) -> None:
        self._cache = cache
        self._call_operation = call_operation
        self._template = template

    def __call__(self, context: RequestContext) -> GatewayResponse | Awaitable[GatewayResponse] | None:
        operation = context.operation
        assert operation is not None
        if operation.writes or not operation.timeless or context.body:
            return None
        question = cache_key(context.scope, dict(context.scope["headers"]))
        kept = self._cache.find(question)
        if kept is None:
            return self._read(context, question)
        context.unread = kept.unread
        reply = GatewayResponse(
            status_code=200, content=Body(kept.head, kept.tail), content_type=CONTENT_TYPES[context.format]
        )
        self._let_pass(context, reply, kept)
        return reply

    async def _read(self, context: RequestContext, question: CacheKey) -> GatewayResponse:
        revision = context.world.revision
        reply = await self._call_operation(context)
        head, tail = reply.content.head, reply.content.tail
        size = len(head) + len(tail) + len(question) + _OVERHEAD
        kept = CachedResponse(revision, context.world, reply.fixed_headers(), head, tail, context.unread, size)
        self._let_pass(context, reply, kept)
        self._cache.keep(question, kept)
        return reply

    def _let_pass(self, context: RequestContext, reply: GatewayResponse, kept: CachedResponse) -> None:
        """Let those who ask the same again pass by the stages, unless this one is answered with a warning."""
        if context.warning is not None:
            return
        if kept.template is None or kept.template.counters.is_closed:
            context.template = self._template(context, reply)
            kept.template = context.template.repeated()
        else:
            context.template = kept.template
