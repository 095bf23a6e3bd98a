"""The event loop of Windows, made to survive clients that leave early, and to send what is written at once.

A client may reset its connection before that is accepted. Other systems hide this; on Windows accepting fails,
and asyncio then closes the listening socket: the server would keep running without serving anybody.
"""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

_Accepted = tuple[socket.socket, Any]

_OF_CLIENTS = frozenset({64, 1236, 10053, 10054, 10057})
"""Windows' numbers of the errors of a connection whose client has left.

ERROR_NETNAME_DELETED, ERROR_CONNECTION_ABORTED, WSAECONNABORTED, WSAECONNRESET, WSAENOTCONN.
"""


async def accept_next(accept: Callable[[], Awaitable[_Accepted]]) -> _Accepted:
    """Return the next connection whose client is still there. Raise OSError if the listening socket has ended.

    It sends without delay: asyncio cares for that with sockets that name TCP, and it accepts into one that does not.
    """
    while True:
        try:
            connection, address = await accept()
        except OSError as error:
            if not _is_of_client(error):
                raise
            await asyncio.sleep(0)  # such an error may come at once, many times in a row
        else:
            with suppress(OSError):  # the client may have left
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection, address


def report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error in a callback or a task, unless it only says that a client has left."""
    if not _is_of_client(context.get("exception")):
        loop.default_exception_handler(context)


def _is_of_client(error: object) -> bool:
    return isinstance(error, OSError) and getattr(error, "winerror", None) in _OF_CLIENTS


if sys.platform == "win32":

    class _Proactor(asyncio.IocpProactor):
        def accept(self, listener: socket.socket) -> "asyncio.Future[Any]":
            return asyncio.get_running_loop().create_task(accept_next(partial(super().accept, listener)))

    def new_event_loop() -> asyncio.AbstractEventLoop:
        """Return a new event loop."""
        loop = asyncio.ProactorEventLoop(_Proactor())
        loop.set_exception_handler(report)
        return loop
