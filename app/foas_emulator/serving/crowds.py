"""Which connections are closed if there are too many: those that have waited the longest for a request."""

import logging
from asyncio import get_running_loop
from collections.abc import Iterable
from typing import Protocol

from foas_emulator.serving.descriptors import SHORT_AGAIN_S, SPARE, last_but_spare

MOST_WAITING = 10_000
"""The most connections that may be without a request at the same time."""

MOST_HELD = 64 * 1024 * 1024
"""The most bytes of heads that have begun to arrive and are not complete."""

SHARE = 16
"""The part of those who wait that is closed for a connection with one of the last descriptors, at least `SPARE`.

asyncio accepts thousands of connections before it handles the first one, and where no descriptor is left it accepts no
more for a second: if the last ones closed one other each, a burst of connections would shut others out for a minute.
"""

log = logging.getLogger(__name__)


class Connection(Protocol):
    """A connection of a client."""

    def give_way(self) -> None:
        """Close the connection at once."""


class Crowd:
    """The connections of a server that wait for a request, or for the rest of its head.

    A client needs nothing more than to connect to take a descriptor, and nothing more than to send slowly to take
    memory. So neither is refused to those who come: of those who wait, who has waited the longest goes first.
    """

    def __init__(self) -> None:
        self._last = last_but_spare()
        self._last_ones: set[Connection] = set()
        """Those with descriptors after `_last`: while there are any, so many were in use lately that few are left."""
        self._waiting: dict[Connection, None] = {}
        """Those without a request, in the order in which they connected or got their latest answer."""
        self._heads: dict[Connection, int] = {}
        """The bytes of each head that has begun to arrive, in the order in which they began."""
        self._held = 0
        self._silent_until = 0.0

    def enter(self, connection: Connection, descriptor: int) -> None:
        """Let a new connection wait for a request; close others if few descriptors are left."""
        some = 1 if self._last_ones else 0
        if self._last is not None and descriptor > self._last:
            self._last_ones.add(connection)
            some = max(SPARE, len(self._waiting) // SHARE)
        for _ in range(min(some, len(self._waiting) - SPARE + 1)):
            self._close_first(self._waiting)
        self.wait(connection)

    def wait(self, connection: Connection) -> None:
        """Let a connection wait for a request; close another one if too many do."""
        if len(self._waiting) >= MOST_WAITING:
            self._close_first(self._waiting)
        self._waiting[connection] = None

    def grow(self, connection: Connection, size: int) -> None:
        """Count bytes of a head that is not complete; close others if all together have too many."""
        self._heads[connection] = self._heads.get(connection, 0) + size
        self._held += size
        while self._held > MOST_HELD:
            self._close_first(self._heads)

    def stop_waiting(self, connection: Connection) -> None:
        """Let a connection whose request has arrived wait no longer."""
        self._waiting.pop(connection, None)
        self._held -= self._heads.pop(connection, 0)

    def leave(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        self.stop_waiting(connection)
        self._last_ones.discard(connection)

    def _close_first(self, connections: Iterable[Connection]) -> None:
        first = next(iter(connections), None)
        if first is None:
            return
        self.stop_waiting(first)
        first.give_way()
        now = get_running_loop().time()
        if now >= self._silent_until:
            self._silent_until = now + SHORT_AGAIN_S
            log.warning("too many connections: those that have waited the longest for a request are closed")
