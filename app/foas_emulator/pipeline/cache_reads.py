"""Answers of operations that only read, kept as bytes until their world changes."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from foas_emulator.gateway.exchange import Exchange
from foas_emulator.gateway.reply import Reply

Key = tuple[str, str, str, str, str]

_OVERHEAD = 800
"""Bytes that an entry takes beside its answer and its key, roughly."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, and the revision of the world it was read from."""

    revision: int
    reply: Reply
    unread: tuple[str, ...]
    size: int


class CacheReads:
    """Serves what was read before, for as long as the world has not changed since.

    A revision is never given out twice in a process, and a world is settled before this stage sees a request: so an
    answer of the world's present revision is what the operation would answer now. Operations that look at the clock
    itself are never kept. At most `limit` bytes are kept; what was asked for least recently goes first. A limit of 0
    keeps nothing.
    """

    def __init__(self, call_operation: Callable[[Exchange], Awaitable[Reply]], *, limit: int) -> None:
        self._call_operation = call_operation
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[Key, Kept] = OrderedDict()

    def __call__(self, exchange: Exchange) -> Reply | Awaitable[Reply] | None:
        operation = exchange.operation
        assert operation is not None
        if operation.writes or not operation.timeless or exchange.body or not self._limit:
            return None
        key = _key(exchange)
        kept = self._kept.get(key)
        if kept is not None and kept.revision == exchange.world.revision:
            self._kept.move_to_end(key)
            exchange.unread = kept.unread
            return kept.reply
        return self._read(exchange, key)

    async def _read(self, exchange: Exchange, key: Key) -> Reply:
        revision = exchange.world.revision
        reply = await self._call_operation(exchange)
        self._keep(key, Kept(revision, reply, exchange.unread, _size(key, reply)))
        return reply

    def _keep(self, key: Key, kept: Kept) -> None:
        self._drop(key)
        if kept.size <= self._limit:
            self._kept[key] = kept
            self._size += kept.size
        while self._size > self._limit:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._size -= kept.size


def _size(key: Key, reply: Reply) -> int:
    return len(reply.content.head) + len(reply.content.tail) + sum(map(len, key)) + _OVERHEAD


def _key(exchange: Exchange) -> Key:
    return (exchange.world.name, exchange.method, exchange.raw_path, exchange.query_string, exchange.format)
