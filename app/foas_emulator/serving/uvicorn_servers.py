"""uvicorn's servers as the emulator runs them: one that handles signals and announces itself, and others beside it."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from foas_emulator import garbage, logs
from foas_emulator.serving.crowds import Crowd
from foas_emulator.serving.http_protocol import CLOSE_AFTER, EmulatorProtocol
from foas_emulator.serving.http_transports import is_readable
from foas_emulator.world.clock import processor_time

STOP_WITHIN = 1
"""Seconds that open requests have to complete when the server stops."""

log = logging.getLogger(__name__)


def uvicorn_config(app: ASGIApp, *, crowd: Crowd, keep_alive: int, **options: Any) -> uvicorn.Config:
    """Return uvicorn's configuration for the emulator: the fast parser, no access log, one second to stop.

    All servers of a process share a `crowd`. `keep_alive` is the time in milliseconds that clients are told;
    connections are kept a little longer.
    """
    return uvicorn.Config(
        app,
        http=partial(EmulatorProtocol, crowd=crowd),  # type: ignore[arg-type]  # only called, and never a base class
        headers=[("keep-alive", f"timeout={keep_alive // 1000}")],
        timeout_keep_alive=keep_alive / 1000 + CLOSE_AFTER,  # type: ignore[arg-type]  # given to call_later as it is
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_WITHIN,
        workers=1,  # else uvicorn takes it from WEB_CONCURRENCY, whatever stands there
        **options,
    )


def main_config(
    app: ASGIApp, *, crowd: Crowd, keep_alive: int, steps: garbage.Steps, servers: Iterable[uvicorn.Server]
) -> uvicorn.Config:
    """Return the configuration of the server that handles the lifespan and collects garbage when `servers` are idle."""

    async def look_at_garbage() -> None:
        answered = sum(server.server_state.total_requests for server in servers)
        steps.look_at_everything_if_idle(processor_time(), answered)

    often: dict[str, Any] = {"callback_notify": look_at_garbage, "timeout_notify": garbage.LOOK_EVERY_S}
    return uvicorn_config(app, crowd=crowd, keep_alive=keep_alive, lifespan="on", **often)


class SideServer(uvicorn.Server):
    """A server that runs beside the main one and leaves the signals to it."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


class Accompanied(uvicorn.Server):
    """A server that enters the context managers in `beside` while it serves."""

    def __init__(self, config: uvicorn.Config, *, beside: Sequence[AbstractAsyncContextManager[None]]) -> None:
        super().__init__(config)
        self._beside = beside
        self._running = AsyncExitStack()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        for each in () if self.should_exit else self._beside:
            await self._running.enter_async_context(each)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._running.aclose()
        await accept_all_who_wait(sockets or ())
        await super().shutdown(sockets=sockets)


class MainServer(Accompanied):
    """The main server: it handles signals and the lifespan, announces its URLs once it listens, and stops last."""

    def __init__(
        self, config: uvicorn.Config, *, announcement: str, beside: Sequence[AbstractAsyncContextManager[None]]
    ) -> None:
        super().__init__(config, beside=beside)
        self._announcement = announcement

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal and end normally; raising the signal again would leave the proxy's files behind."""
        for signal_ in stop_signals():
            signal.signal(signal_, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's own
        """Begin the end; a second SIGINT, by which uvicorn would skip the rest of it, changes nothing."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        try:
            _write(self._announcement)
        except (OSError, ValueError) as error:
            log.warning("standard output takes nothing (%s); it would have said: %s", error, self._announcement)


async def accept_all_who_wait(listeners: Iterable[socket.socket]) -> None:
    """Let the loop accept those that came while it was busy: at the end of a listener, the system resets them.

    uvloop accepts one in each of its turns.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_WITHIN):
            while any(map(is_readable, listeners)):  # noqa: ASYNC110 - the loop tells nobody what it accepts
                await asyncio.sleep(0)


@asynccontextmanager
async def serving(server: SideServer, sockets: list[socket.socket]) -> AsyncIterator[None]:
    """Serve further addresses inside the block."""
    task = asyncio.create_task(server.serve(sockets=sockets))
    try:
        yield
    finally:
        server.should_exit = True
        await task


def stop_signals() -> list[int]:
    """Return the signals that stop the server; SIGHUP too, unless the parent process ignores it, as nohup does."""
    signals: list[int] = [signal.SIGINT, signal.SIGTERM]
    for name in ("SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signals.append(number)
    return signals


def _write(text: str) -> None:
    """Write to standard output without its buffer, which would retry a failed write when the process ends."""
    if sys.stdout is None:
        raise ValueError("it is closed")
    logs.write_at_once(sys.stdout.fileno(), text.encode())
