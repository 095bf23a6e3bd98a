"""Which connections are closed if there are too many: those that have waited the longest for their clients."""

import logging
from asyncio import get_running_loop
from collections.abc import Iterable
from typing import Protocol

from foas_emulator.serving.descriptors import SHORT_AGAIN_S, SPARE, are_few_left, last_but_spare

MOST_WAITING = 10_000
"""The most connections that may wait for their clients at the same time."""

MOST_HELD = 64 * 1024 * 1024
"""The most bytes of heads of requests that are not complete, and of requests that wait for their turn."""

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
    """The connections of a process that wait for a request or for the rest of one, or whose clients read too little.

    A client needs nothing more than to connect to take a descriptor, and nothing more than to send slowly to take
    memory. So neither is refused to those who come: of those who wait, who has waited the longest goes first. All
    servers of a process share one crowd, since they share the descriptors: each would spare some of its own.
    """

    def __init__(self) -> None:
        self._last = last_but_spare()
        self._last_ones: set[Connection] = set()
        """Those with descriptors after `_last`: while there are any, so many were in use lately that few are left."""
        self._waiting: dict[Connection, None] = {}
        """Those that wait for their clients, in the order in which they began to."""
        self._heads: dict[Connection, int] = {}
        """The bytes that each connection holds of such requests, in the order in which they began to arrive."""
        self._held = 0
        self._silent_until = 0.0

    def enter(self, connection: Connection, descriptor: int) -> None:
        """Let a new connection wait for a request; close others if few descriptors are left."""
        if self._is_one_of_the_last(descriptor):
            self._last_ones.add(connection)
        elif self._last_ones:
            self._close_some(1)
        self.make_room(descriptor)
        self.wait(connection)

    def make_room(self, descriptor: int) -> None:
        """Close others if few descriptors are left after one that anything else has taken."""
        if self._is_one_of_the_last(descriptor):
            self._close_some(max(SPARE, len(self._waiting) // SHARE))

    def wait(self, connection: Connection) -> None:
        """Let a connection wait for its client, unless it does so already; close another one if too many do.

        Those that were served while all descriptors were in use make room here: no new one can come until they do.
        """
        if connection in self._waiting:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._close_first(self._waiting)
        elif self._last_ones and are_few_left():
            self._close_some(1)
        self._waiting[connection] = None

    def hold(self, connection: Connection, size: int) -> None:
        """Count the bytes that a connection holds of requests now; close others if all together have too many."""
        self._held += size - self._heads.get(connection, 0)
        if size:
            self._heads[connection] = size
        else:
            self._heads.pop(connection, None)
        while self._held > MOST_HELD:
            self._close_first(self._heads)

    def stop_waiting(self, connection: Connection) -> None:
        """Let a connection whose client has done its part wait no longer, and hold nothing."""
        self._waiting.pop(connection, None)
        self._held -= self._heads.pop(connection, 0)

    def leave(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        self.stop_waiting(connection)
        self._last_ones.discard(connection)

    def _is_one_of_the_last(self, descriptor: int) -> bool:
        return self._last is not None and descriptor > self._last

    def _close_some(self, count: int) -> None:
        for _ in range(min(count, len(self._waiting) - SPARE + 1)):
            self._close_first(self._waiting)

    def _close_first(self, connections: Iterable[Connection]) -> None:
        first = next(iter(connections), None)
        if first is None:
            return
        self.stop_waiting(first)
        first.give_way()
        now = get_running_loop().time()
        if now >= self._silent_until:
            self._silent_until = now + SHORT_AGAIN_S
            log.warning("too many connections: those that have waited the longest for their clients are closed")
