"""Read the bodies of requests within limits: for one body, and for all that are held at the same time."""

import asyncio
from typing import Self

from starlette.requests import ClientDisconnect
from starlette.types import Receive

SMALL = 64 * 1024
"""The size in bytes up to which a body is read whatever complete ones hold: a connection buffers as much anyway."""
UNCOUNTED = 4 * 1024
"""The size in bytes up to which a body takes no room: it would be no use to give up thousands for a single piece."""


class BodyTooLargeError(Exception):
    """A body is larger than its own limit."""


class NoRoomError(Exception):
    """A body, or a part of it, that others leave no room for, or that has to make room for others."""


class Room:
    """A limit, in bytes, for all bodies that are held at the same time. A single one may be larger.

    If there is no room for a piece, the arriving bodies whose latest pieces came the longest ago are given up, if that
    is enough: so clients that send slowly, or stop, cannot shut others out.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self.complete = 0
        """The bytes of the bodies that have arrived."""
        self.arriving: dict[Taken, asyncio.Timeout] = {}
        """The bodies that are not complete, those first whose latest piece is the oldest."""

    def make(self, for_whom: "Taken") -> bool:
        """Give up others that arrive until all fit, or this one is alone; if neither can be, return False instead."""
        if self.complete and self.complete + for_whom.size > self.limit:
            return False
        while self.size > self.limit and self.size > for_whom.size:
            given_up = next(each for each in self.arriving if each is not for_whom)
            self.arriving.pop(given_up).reschedule(0)
            given_up.release()
        return True


class Taken:
    """The room that one body takes; it is released after the block."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.size = 0
        self.is_complete = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Give the room back."""
        self.room.size -= self.size
        if self.is_complete:
            self.room.complete -= self.size
        self.size = 0

    async def read(self, receive: Receive, *, limit: int) -> list[bytearray]:
        """Return a body of at most `limit` bytes in pieces: those in which it comes, of which small ones are joined.

        Raise `BodyTooLargeError`, `NoRoomError`, or `ClientDisconnect` if the rest will never come.
        """
        pieces: list[bytearray] = []
        size, more = 0, True
        try:
            async with asyncio.timeout(None) as until_given_up:
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    piece = message.get("body", b"")
                    size += len(piece)
                    if size > limit:
                        raise BodyTooLargeError
                    self._take(size, until_given_up)
                    if pieces and len(pieces[-1]) < SMALL:  # a piece of two bytes takes sixty on its own
                        pieces[-1] += piece
                    else:
                        pieces.append(bytearray(piece))
                    more = message.get("more_body", False)
                    del message, piece  # it would be held twice until the next one comes
        except TimeoutError:
            if until_given_up.expired():
                raise NoRoomError from None
            raise
        finally:
            self.room.arriving.pop(self, None)
            if more:
                self.release()
        self.is_complete = True
        self.room.complete += self.size
        return pieces

    def _take(self, size: int, until_given_up: asyncio.Timeout) -> None:
        """Take the room for a body that has grown to a size."""
        if until_given_up.when() is not None:
            raise NoRoomError  # it was given up while this piece was on its way
        if size <= UNCOUNTED:
            return
        self.room.size += size - self.size
        self.size = size
        self.room.arriving.pop(self, None)
        self.room.arriving[self] = until_given_up
        if not self.room.make(for_whom=self) and self.size > SMALL:
            raise NoRoomError
