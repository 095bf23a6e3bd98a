"""The emulator's server in a thread. Importing this loads the whole emulator."""

import asyncio
import difflib
import socket
from collections.abc import Mapping
from dataclasses import fields, replace
from threading import Event, Thread
from typing import Any

import uvicorn

from foas_emulator.main import create_app
from foas_emulator.server import StartError, listen, new_event_loop, url_of, uvicorn_config
from foas_emulator.settings import Settings, read_settings
from foas_emulator.testing.written import written

__tracebackhide__ = True

START_WITHIN = 30.0
"""Seconds that the server is given to start."""


def check_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as flags have them. Raise ValueError for a name that is no setting, with the nearest that is."""
    known = [each.name for each in fields(Settings)]
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
            raise ValueError(f"there is no setting {name}; {hint}")
    return {name: written(value) for name, value in given.items()}


class ThreadedServer:
    """Serves on a free port of this machine until it is stopped."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Start. Raises `click.UsageError`, `SeedError`, ValueError or `StartError` if the settings cannot be met."""
        (self._listener,) = listen("127.0.0.1", 0)
        self.url = url_of("http", self._listener)
        try:
            known = replace(read_settings(settings), port=self._listener.getsockname()[1])
            app = create_app(known, addresses=[self.url])
        except BaseException:
            self._listener.close()
            raise
        self._server = _Server(uvicorn_config(app, keep_alive=known.keep_alive, lifespan="on"))
        self._thread = Thread(target=self._run, name="foas-emulator", daemon=True)
        self._thread.start()
        if not self._server.ready.wait(START_WITHIN):
            raise StartError(f"the emulator did not start within {START_WITHIN:.0f} seconds")

    def stop(self) -> None:
        """Finish what is being answered, and stop."""
        self._server.should_exit = True
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(self._server.serve(sockets=[self._listener]))


class _Server(uvicorn.Server):
    """Tells when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()
