"""The emulator's server in a thread. Importing this loads the whole emulator."""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from threading import Event, Thread

import uvicorn
import uvloop

from foas_emulator.main import create_app, open_registry
from foas_emulator.server import (
    LOOPBACK,
    Accompanied,
    StartError,
    companions,
    listen,
    prepare_interception,
    url_of,
    uvicorn_config,
)
from foas_emulator.settings import Settings

START_WITHIN = 30.0
"""Seconds that the server is given to start."""


class ThreadedServer:
    """Serves on a free port of this machine until it is stopped."""

    def __init__(self, settings: Settings) -> None:
        """Start. Raises `SeedError`, ValueError or `StartError` if the settings cannot be met."""
        with ExitStack() as stack:
            interception = stack.enter_context(prepare_interception(settings, host=LOOPBACK[0]))
            registry = open_registry(settings)
            app = create_app(settings, registry=registry, interception=interception)
            beside = companions(settings, registry, interception, app)
            self._server = _Server(uvicorn_config(app, lifespan="on"), beside=beside)
            self._listener = listen("127.0.0.1", 0)
            self.url = url_of("http", self._listener)
            self._thread = Thread(target=self._run, name="foas-emulator", daemon=True)
            self._thread.start()
            if not self._server.ready.wait(START_WITHIN):
                raise StartError(f"the emulator did not start within {START_WITHIN:.0f} seconds")
            self._files = stack.pop_all()

    def stop(self) -> None:
        """Finish what is being answered, and stop."""
        self._server.should_exit = True
        self._thread.join()
        self._files.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._server.serve(sockets=[self._listener]))


class _Server(Accompanied):
    """Tells when it serves."""

    def __init__(self, config: uvicorn.Config, *, beside: Sequence[AbstractAsyncContextManager[None]]) -> None:
        super().__init__(config, beside=beside)
        self.ready = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()
