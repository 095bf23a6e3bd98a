"""A server that speaks TLS, and counts the connections whose handshake is under way: so stalled ones make room."""

import asyncio
import socket
import ssl
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import uvicorn

from foas_emulator.serving.crowds import Crowd
from foas_emulator.serving.http_protocol import PATIENCE
from foas_emulator.serving.uvicorn_servers import SideServer

_AGAIN_S = 0.1
"""Seconds until it is tried again to accept connections after the system has refused one."""


class _Handshake:
    """A connection whose handshake is under way."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def give_way(self) -> None:
        """Let the handshake fail at once, which closes the connection."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)


class SecureServer(SideServer):
    """A server of https, which accepts connections itself: a loop's server shows none before its handshake is over."""

    def __init__(self, config: uvicorn.Config, tls: ssl.SSLContext, *, crowd: Crowd) -> None:
        super().__init__(config)
        self._tls = tls
        self._crowd = crowd
        self._tasks: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        for listener in sockets or ():
            listener.listen(self.config.backlog)
            listener.setblocking(False)
            self._begin(self._accept(listener))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await super().shutdown(sockets=sockets)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            pause = 0.0  # else asyncio would accept until nobody connects, and do nothing else
            try:
                connection, _ = await loop.sock_accept(listener)
                self._begin(self._shake_hands(connection))
            except ConnectionError:  # the client has left
                pass
            except (OSError, MemoryError):  # no descriptor or memory is left
                pause = _AGAIN_S
            await asyncio.sleep(pause)

    async def _shake_hands(self, connection: socket.socket) -> None:
        handshake = _Handshake(connection)
        self._crowd.enter(handshake, connection.fileno())
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol, connection, ssl=self._tls, ssl_handshake_timeout=PATIENCE
            )
        except (OSError, MemoryError):  # what TLS refuses is one, too; the connection is closed
            pass
        finally:
            self._crowd.leave(handshake)

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]  # as uvicorn calls it
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
