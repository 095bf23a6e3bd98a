"""Reset connections."""

import asyncio
import os
import socket
import struct
from contextlib import suppress

_NO_LINGER = struct.pack("HH" if os.name == "nt" else "ii", 1, 0)
"""C's `struct linger`: on, for no time. Its members are shorter on Windows."""


def reset_connection(transport: asyncio.WriteTransport) -> None:
    """End a connection with a reset instead of an end of file, so that its client gets an error."""
    connection = None if transport.is_closing() else transport.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):  # on macOS, one whose client has just left takes no options
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
