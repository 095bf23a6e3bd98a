"""Pass bytes between two connections until one of them has ended."""

import asyncio
from contextlib import suppress

from foas_emulator.gateway.resets import reset_connection

_CHUNK = 64 * 1024

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
"""The two ends of a connection."""


class Activity:
    """The time at which a client connected, or bytes were last passed on, in either direction.

    After `idle` seconds without any, its connection ends.
    """

    def __init__(self, idle: float) -> None:
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self.note()

    def note(self) -> None:
        """Begin to measure the silence anew."""
        self.last = self._loop.time()

    async def read(self, reader: asyncio.StreamReader, most: int = _CHUNK) -> bytes:
        """Return the next bytes. Raise TimeoutError if both directions were silent for too long.

        The system raises it too, of a connection whose other end has vanished, and then for every further read.
        """
        while True:
            try:
                async with asyncio.timeout_at(self.last + self._idle) as limit:
                    data = await reader.read(most)
            except TimeoutError:
                if limit.expired() and self._loop.time() < self.last + self._idle:
                    continue
                raise
            self.note()
            return data

    async def write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        """Write bytes, and wait for room for more. Raise TimeoutError if the receiver reads too little for too long."""
        writer.write(data)
        async with asyncio.timeout(self._idle):
            await writer.drain()
        self.note()


async def relay(client: Stream, server: Stream, activity: Activity, *, upward: int | None = None) -> None:
    """Pass bytes both ways until the server has ended, or nothing could be passed on for as long as `activity` says.

    If `upward` is given, pass on only so many bytes from the client. A client that has sent everything still gets the
    rest of the answer. If the server's connection fails, as by a reset, the client's is reset too. After a silence the
    client's connection is gone, with what it has not read.
    """
    activity.note()
    sending = asyncio.create_task(_send_up(client[0], server[1], activity, most=upward))
    try:
        await _pump(server[0], client[1], activity)
    except OSError as error:
        if error is server[0].exception():
            reset_connection(client[1].transport)
        elif isinstance(error, TimeoutError):
            client[1].transport.abort()
    finally:
        sending.cancel()
        await asyncio.wait([sending])


def send(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Write bytes unless the connection has ended: uvloop raises RuntimeError then."""
    if not writer.is_closing():
        writer.write(data)


def close(stream: Stream) -> None:
    """Close a connection at once, and discard what was not sent.

    A reader keeps its error, and the traceback of that keeps the reader: it is dropped, so that no cycle is left.
    """
    reader, writer = stream
    writer.transport.abort()
    error = reader.exception()
    if error is not None:
        error.__traceback__ = None


async def end(client: Stream, *, most: int, within: float) -> None:
    """Send the bytes in the buffer and an end of file; then read the client's bytes until its end, within limits.

    A connection that is closed with unread bytes is reset, and the system discards what the client has not yet read.
    """
    reader, writer = client
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await writer.drain()
            if writer.is_closing():
                return
            if writer.can_write_eof():
                writer.write_eof()
            while most > 0 and (data := await reader.read(_CHUNK)):
                most -= len(data)


async def _send_up(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, activity: Activity, *, most: int | None
) -> None:
    """Pass on what a client sends. One whose connection has failed reads no answer: the server's ends with it."""
    try:
        await _pump(reader, writer, activity, most=most)
    except OSError as error:
        if error is reader.exception():
            writer.transport.abort()


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, activity: Activity, *, most: int | None = None
) -> None:
    """Pass bytes on until the end of file, which is passed on too, or until `most` bytes were passed on."""
    left = most
    while left != 0:
        data = await activity.read(reader, _CHUNK if left is None else min(left, _CHUNK))
        if not data or writer.is_closing():
            break
        await activity.write(writer, data)
        left = None if left is None else left - len(data)
    else:
        return
    if writer.can_write_eof() and not writer.is_closing():
        writer.write_eof()
