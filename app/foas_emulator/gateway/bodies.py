"""A limit for the bodies of requests that are held at the same time: thousands of slow clients would fill memory."""

from types import TracebackType
from typing import Self

SMALL = 64 * 1024
"""The size in bytes up to which a body is read whatever others hold: a connection buffers as much in any case."""


class Room:
    """A limit, in bytes, for all bodies that are held at the same time. A single one may be larger."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0


class Taken:
    """The room that one body takes; it is released after the block."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.room.size -= self._size

    def take(self, size: int) -> bool:
        """Take room for more bytes; return whether there was room, as there always is for a small body or one alone."""
        self.room.size += size
        self._size += size
        return self._size <= SMALL or self.room.size <= self.room.limit or self.room.size == self._size
