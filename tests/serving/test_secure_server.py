"""How connections in TLS are accepted, in the loop of asyncio."""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from foas_emulator.serving.certificates import Authority
from foas_emulator.serving.crowds import Crowd
from foas_emulator.serving.listening import listen
from foas_emulator.serving.secure_server import SecureServer
from foas_emulator.serving.uvicorn_servers import uvicorn_config

Accept = Callable[[socket.socket], Awaitable[tuple[socket.socket, Any]]]
WRONG = [
    OSError(errno.EMFILE, "Too many open files"),
    MemoryError(),
    ConnectionAbortedError(errno.ECONNABORTED, "Software caused connection abort"),
]


@asynccontextmanager
async def served(listener: socket.socket) -> AsyncIterator[None]:
    context = Authority().context(lambda _: False)
    crowd = Crowd()
    config = uvicorn_config(PlainTextResponse("hello"), crowd=crowd, keep_alive=60_000, lifespan="off")
    server = SecureServer(config, context, crowd=crowd)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


async def answer(address: tuple[str, int]) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(*address, ssl=context)
    writer.write(b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
    try:
        return await reader.read()
    finally:
        writer.close()


def in_asyncio(work: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(30):
            await work()

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(main())


@pytest.mark.parametrize("wrong", WRONG, ids=lambda error: type(error).__name__)
def test_it_accepts_further_connections_after_one_that_could_not_be(
    wrong: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        accept: Accept = loop.sock_accept
        failures = [wrong]

        async def failing(listener: socket.socket) -> tuple[socket.socket, Any]:
            if failures:
                raise failures.pop()
            return await accept(listener)

        monkeypatch.setattr(loop, "sock_accept", failing)
        (listener,) = listen("127.0.0.1", 0)
        address = listener.getsockname()
        async with served(listener):
            assert (await answer(address)).endswith(b"hello")
        assert not failures

    in_asyncio(work)


def test_it_does_other_work_between_connections_that_wait_to_be_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        accept: Accept = loop.sock_accept
        turns, accepted = 0, []
        all_accepted = asyncio.Event()

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async def noting(listener: socket.socket) -> tuple[socket.socket, Any]:
            connection = await accept(listener)
            accepted.append(turns)
            if len(accepted) == len(clients):
                all_accepted.set()
            return connection

        monkeypatch.setattr(loop, "sock_accept", noting)
        (listener,) = listen("127.0.0.1", 0)
        clients = [socket.create_connection(listener.getsockname()) for _ in range(20)]
        counting = asyncio.create_task(count())
        async with served(listener):
            await all_accepted.wait()
        counting.cancel()
        for client in clients:
            client.close()
        assert len(set(accepted)) == len(clients)

    in_asyncio(work)
