"""The read cache: rendered responses of operations that only read, valid until their world changes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.types import Scope

from foas_emulator.gateway.formats import CONTENT_TYPES, Body
from foas_emulator.gateway.large_answers import LARGE, LargeAnswers
from foas_emulator.gateway.operation import LONGEST_KEPT
from foas_emulator.gateway.responses import GatewayResponse, Headers
from foas_emulator.journal.entries import EntryTemplate
from foas_emulator.json_bounds import memory_of
from foas_emulator.pipeline.context import OperationCaller, RequestContext
from foas_emulator.pipeline.select_world import key_of
from foas_emulator.world.world import World

CacheKey = bytes
"""The parts of a request on which its response depends, except its body and its signature."""

CACHE_KEY = "foas_emulator.cache_key"
"""The key in a scope under which the response cache middleware puts the cache key of the request."""

VARY_HEADERS = (b"accept", b"x-emulator-world", b"x-acs-version", b"x-acs-action", b"content-length")
"""Headers that are part of the cache key, in addition to the access key of `authorization`."""

_OVERHEAD = 1500
"""Approximate size in bytes of a cached response, without its body and its key."""


def cache_key(scope: Scope, headers: Mapping[bytes, bytes]) -> CacheKey:
    """Return the cache key of a request."""
    parts = [scope["method"].encode(), scope["raw_path"], scope["query_string"]]
    for name in VARY_HEADERS:
        if name in headers:
            parts += (name, headers[name])
    if b"authorization" in headers:
        parts += (b"authorization", key_of(headers[b"authorization"].decode("latin-1")).encode("latin-1"))
    return b"\n".join(parts)


@dataclass(slots=True)
class CachedResponse:
    """A successful response, and the revision of the world from which it was read.

    `template` is the journal's template for requests that get this response without going through the stages. It is
    None if the request gets a warning or the world is impaired, since stages are responsible for both.
    """

    revision: object
    world: World
    headers: Headers
    head: bytes
    tail: bytes
    unread: tuple[str, ...]
    size: int
    template: EntryTemplate | None = None

    def is_current(self) -> bool:
        """Whether the operation would still return the same: nothing has been written, and nothing is due."""
        world = self.world
        return self.revision is world.store.revision and (world.next_due is None or world.is_settled)


class ReadCache:
    """An approximate LRU cache of responses by key, of at most `limit` bytes; 0 caches nothing.

    It has two generations. When the younger one has filled its half of the bytes, it becomes the older one, and the
    responses that are still in the older one are evicted. So a hit in the younger generation writes nothing.
    """

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        self._half = limit // 2
        self._younger_size = self._older_size = 0
        self._younger: dict[CacheKey, CachedResponse] = {}
        self._older: dict[CacheKey, CachedResponse] = {}
        self._tails: dict[bytes, bytes] = {}

    @property
    def size(self) -> int:
        """The estimated size of all cached responses, in bytes."""
        return self._younger_size + self._older_size

    def get(self, key: CacheKey) -> CachedResponse | None:
        """Return the response cached under a key, which may be out of date; None if there is none."""
        cached = self._younger.get(key)
        if cached is None:
            cached = self._older.pop(key, None)
            if cached is not None:
                self._older_size -= cached.size
                self.put(key, cached)
        return cached

    def put(self, key: CacheKey, cached: CachedResponse) -> None:
        """Cache a response. Equal bodies, as returned by worlds with the same seed, are stored once."""
        before = self._younger.pop(key, None)
        self._younger_size -= 0 if before is None else before.size
        if cached.size > self._half:
            return
        if self._younger_size + cached.size > self._half:
            self._older, self._older_size = self._younger, self._younger_size
            self._younger, self._younger_size, self._tails = {}, 0, {}
        self._younger[key] = cached
        self._younger_size += cached.size
        cached.tail = self._tails.setdefault(cached.tail, cached.tail)


class CacheReads:
    """The stage that serves cached responses, and caches those of reading operations that did not read the clock."""

    def __init__(
        self,
        cache: ReadCache,
        call_operation: OperationCaller,
        *,
        large: LargeAnswers,
        template: Callable[[RequestContext, GatewayResponse], EntryTemplate],
    ) -> None:
        self._cache = cache
        self._call_operation = call_operation
        self._large = large
        self._template = template

    def __call__(self, context: RequestContext) -> GatewayResponse | Awaitable[GatewayResponse] | None:
        operation = context.operation
        assert operation is not None
        if operation.writes or context.body:
            return None
        key = context.scope.get(CACHE_KEY) or cache_key(context.scope, dict(context.scope["headers"]))
        cached = self._cache.get(key)
        if cached is None or not cached.is_current():
            return self._read(context, key)
        context.unread = cached.unread
        response = GatewayResponse(
            status_code=200, content=Body(cached.head, cached.tail), content_type=CONTENT_TYPES[context.format]
        )
        self._large.require_room(response.content.size)
        self._set_template(context, response, cached)
        return response

    async def _read(self, context: RequestContext, key: CacheKey) -> GatewayResponse:
        world = context.world
        revision, reads, warning = world.store.revision, world.clock.reads, context.warning
        response = await self._call_operation(context)
        # A response with a warning is not cached, so that every repetition gets the warning.
        if world.clock.reads == reads and response.code is None and context.warning == warning:
            head, tail = response.content.head, response.content.tail
            cached = CachedResponse(revision, world, response.fixed_headers(), head, tail, context.unread, size=0)
            self._set_template(context, response, cached)
            names = memory_of([*context.unread])  # those of thousands take ten times the bytes of the query
            cached.size = len(key) + names + _size(response, context.template) + _OVERHEAD
            self._cache.put(key, cached)
        return response

    def _set_template(self, context: RequestContext, response: GatewayResponse, cached: CachedResponse) -> None:
        """Set the journal template of a cached response, unless its repetitions must go through the stages.

        They must if this request gets a warning (so will all of them), if its world is impaired or its clock was moved
        since the request arrived, if the response is large, or if the query is long, since the hot path would cache its
        signed form.
        """
        is_long = len(context.query_string) > LONGEST_KEPT or response.content.size > LARGE
        has_moved = context.clock is not context.world.clock.reading
        if context.warning is not None or context.settings.is_impaired or has_moved or is_long:
            return
        if cached.template is None or cached.template.counters.is_closed:
            context.template = self._template(context, response)
            cached.template = context.template.repeated()
        else:
            context.template = cached.template


def _size(response: GatewayResponse, template: EntryTemplate | None) -> int:
    """Return the size of a response body and a journal template, which share their bytes unless the body is long."""
    body = response.content.size
    if template is None:
        return body
    return template.size + (0 if template.call.contents.answer is response.content else body)
