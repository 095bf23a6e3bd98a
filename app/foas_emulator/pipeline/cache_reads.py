"""Answers of operations that only read, kept as bytes until their world changes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.types import Scope

from foas_emulator.gateway.exchange import Exchange
from foas_emulator.gateway.formats import CONTENT_TYPES, Body
from foas_emulator.gateway.reply import Headers, Reply
from foas_emulator.journal.entries import Heading
from foas_emulator.pipeline.select_world import key_of
from foas_emulator.world.world import World

Question = bytes
"""All of a request that decides about its answer, apart from its body, the state of its world, and its signature."""

_TELLING = (b"accept", b"x-emulator-world", b"x-acs-version", b"x-acs-action", b"content-length")

_OVERHEAD = 1500
"""Bytes that an answer takes beside its own and its question's, roughly."""


def question_of(scope: Scope, headers: Mapping[bytes, bytes]) -> Question:
    """What a request asks."""
    parts = [scope["method"].encode(), scope["raw_path"], scope["query_string"]]
    for name in _TELLING:
        if name in headers:
            parts += (name, headers[name])
    if b"authorization" in headers:
        parts += (b"authorization", key_of(headers[b"authorization"].decode("latin-1")).encode("latin-1"))
    return b"\n".join(parts)


@dataclass(slots=True)
class Kept:
    """A successful answer, and the revision of the world it was read from.

    `heading` is what the journal writes of those who ask again, if they need not walk the stages: None of who was
    answered with a warning.
    """

    revision: object
    world: World
    headers: Headers
    head: bytes
    tail: bytes
    unread: tuple[str, ...]
    size: int
    heading: Heading | None = None


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
        self._younger: dict[Question, Kept] = {}
        self._older: dict[Question, Kept] = {}
        self._tails: dict[bytes, bytes] = {}

    def find(self, question: Question) -> Kept | None:
        """What was answered to this question, if that is still so."""
        kept = self._younger.get(question)
        if kept is None:
            kept = self._older.pop(question, None)
            if kept is None:
                return None
            self.keep(question, kept)
        return kept if kept.revision is kept.world.revision else None

    def keep(self, question: Question, kept: Kept) -> None:
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
        call_operation: Callable[[Exchange], Awaitable[Reply]],
        *,
        heading: Callable[[Exchange, Reply], Heading],
    ) -> None:
        self._cache = cache
        self._call_operation = call_operation
        self._heading = heading

    def __call__(self, exchange: Exchange) -> Reply | Awaitable[Reply] | None:
        operation = exchange.operation
        assert operation is not None
        if operation.writes or not operation.timeless or exchange.body:
            return None
        question = question_of(exchange.scope, dict(exchange.scope["headers"]))
        kept = self._cache.find(question)
        if kept is None:
            return self._read(exchange, question)
        exchange.unread = kept.unread
        reply = Reply(status_code=200, content=Body(kept.head, kept.tail), content_type=CONTENT_TYPES[exchange.format])
        self._let_pass(exchange, reply, kept)
        return reply

    async def _read(self, exchange: Exchange, question: Question) -> Reply:
        revision = exchange.world.revision
        reply = await self._call_operation(exchange)
        head, tail = reply.content.head, reply.content.tail
        size = len(head) + len(tail) + len(question) + _OVERHEAD
        kept = Kept(revision, exchange.world, reply.fixed_headers(), head, tail, exchange.unread, size)
        self._let_pass(exchange, reply, kept)
        self._cache.keep(question, kept)
        return reply

    def _let_pass(self, exchange: Exchange, reply: Reply, kept: Kept) -> None:
        """Let those who ask the same again pass by the stages, unless this one is answered with a warning."""
        if exchange.warning is not None:
            return
        if kept.heading is None or kept.heading.tally.is_closed:
            exchange.heading = self._heading(exchange, reply)
            kept.heading = exchange.heading.repeated()
        else:
            exchange.heading = kept.heading
