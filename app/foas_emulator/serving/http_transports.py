"""Transports of connections that end while the server is still writing, or the client still sending."""

import asyncio
import selectors
import socket
from contextlib import suppress
from typing import Any

_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)  # others take a descriptor, if one is left
LINGER = 1.0
"""Seconds that a refused client has to read the answer."""


class _Wrapped:
    """A transport that passes everything on to another one, except for what a subclass overrides."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Closing(_Wrapped):
    """A transport that is being closed: writes to it may be lost, which is not an error of the writer.

    uvloop raises an error for them between the close and the notification of the protocol.
    """

    def write(self, data: bytes) -> None:
        """Write unless the transport is closed already."""
        with suppress(RuntimeError):
            self._transport.write(data)


class Lingering(_Wrapped):
    """A transport that closes in steps, so that a client that is still sending can read the refusal.

    If it were closed at once, with unread bytes, the system would reset the connection and discard the answer.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(transport)
        self._loop = loop

    def close(self) -> None:
        """Send the bytes in the buffer and an end of file; close the connection after `LINGER` seconds."""
        if self._transport.can_write_eof():
            with suppress(OSError, RuntimeError):
                self._transport.write_eof()
        self._loop.call_later(LINGER, self._transport.close)


def has_unread_bytes(transport: asyncio.Transport) -> bool:
    """Whether bytes have arrived that the event loop has not delivered yet."""
    connection = transport.get_extra_info("socket")  # None of asyncio's in TLS that is about to be reported as lost
    return connection is not None and is_readable(connection)


def is_readable(connection: socket.socket) -> bool:
    """Whether a socket has something to read, or to accept."""
    with suppress(OSError, ValueError), _Selector() as selector:
        selector.register(connection.fileno(), selectors.EVENT_READ)
        return bool(selector.select(0))
    return False
