"""Running the application on uvicorn: sockets, logging, the first lines a user sees, a clean stop."""

import os
import socket
import sys

import uvicorn
from starlette.types import ASGIApp

from foas_emulator import logs
from foas_emulator.main import create_app, open_registry, refuse_workers
from foas_emulator.seeds.reading import SeedError
from foas_emulator.settings import Settings
from foas_emulator.world.registry import DEFAULT, DirectoryInUseError, Registry
from foas_emulator.world.store import NewerStoreError

EXAMPLE = "/api/v2/projects/project1/jobs/job1/instances/412536"
"""The documented call, which the default seed answers."""

STOP_WITHIN = 1
"""Seconds that open requests are given when the server is told to stop."""


class StartError(Exception):
    """The server cannot start; the message says why, and what to do."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises `StartError` if the settings cannot be met."""
    logs.configure(level=settings.log_level, format_=settings.log_format)
    try:
        refuse_workers(sys.argv, os.environ)
        registry = open_registry(settings)
        app = create_app(settings, registry=registry)
    except (SeedError, DirectoryInUseError, NewerStoreError, ValueError) as error:
        raise StartError(str(error)) from None
    listener = _listen(settings)
    server = _Server(uvicorn_config(app), announcement=_announcement(listener, settings, registry))
    server.run(sockets=[listener])


def uvicorn_config(app: ASGIApp) -> uvicorn.Config:
    """How uvicorn runs the emulator: the fast loop and parser, no access log of its own, one second to stop."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_WITHIN,
    )


class _Server(uvicorn.Server):
    """Tells where it listens, on standard output, once it does."""

    def __init__(self, config: uvicorn.Config, *, announcement: str) -> None:
        super().__init__(config)
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        sys.stdout.write(self._announcement)
        sys.stdout.flush()


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise StartError(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); "
            "choose another --port, or 0 for a free one"
        ) from None
    return listener


def _announcement(listener: socket.socket, settings: Settings, registry: Registry) -> str:
    host, port = listener.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    counts = registry.open(DEFAULT).store.counts()
    holds = ", ".join(f"{counts[name]} {name}" for name in ("clusters", "projects", "jobs", "instances"))
    example = EXAMPLE if "default" in settings.seed else "/api/v2/projects"
    return f"listening on {url}\nthe default world holds {holds}\ntry:  curl {url}{example}\ndocs: {url}/docs\n"
