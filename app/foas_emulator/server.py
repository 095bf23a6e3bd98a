"""Running the application on uvicorn: sockets, the first lines a user sees, https beside http, a clean stop."""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp

from foas_emulator import logs
from foas_emulator.faults.wire import AbortableProtocol
from foas_emulator.main import create_app, open_registry, refuse_workers
from foas_emulator.seeds.reading import SeedError
from foas_emulator.settings import Settings
from foas_emulator.world.ids import fresh_secret
from foas_emulator.world.registry import DEFAULT, DirectoryInUseError, Registry
from foas_emulator.world.store import NewerStoreError

EXAMPLE = "/api/v2/projects/project1/jobs/job1/instances/412536"
"""The documented call, which the default seed answers."""

STOP_WITHIN = 1
"""Seconds that open requests are given when the server is told to stop."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")

log = logging.getLogger(__name__)


class StartError(Exception):
    """The server cannot start; the message says why, and what to do."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises `StartError` if the settings cannot be met."""
    logs.configure(level=settings.log_level, format_=settings.log_format)
    made_token = None
    if settings.host not in LOOPBACK and settings.control_token is None:
        made_token = fresh_secret()
        settings = replace(settings, control_token=made_token)
    with _certificate(settings) as (tls, authority):
        try:
            refuse_workers(sys.argv, os.environ)
            registry = open_registry(settings)
            app = create_app(settings, registry=registry, authority=authority)
        except (SeedError, DirectoryInUseError, NewerStoreError, ValueError) as error:
            raise StartError(str(error)) from None
        listeners = [listen(settings.host, settings.port)]
        if tls:
            listeners.append(listen(settings.host, settings.tls_port))
        announcement = _announcement(listeners, settings, registry)
        if made_token is not None:
            announcement += f"control token: {made_token}\n"
        if settings.host not in LOOPBACK:
            log.warning("bound to %s: the access key test:test and every world-<name>:test open it", settings.host)
        gc.freeze()
        gc.enable()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(app, listeners, tls, announcement))


def uvicorn_config(app: ASGIApp, **options: Any) -> uvicorn.Config:
    """How uvicorn runs the emulator: the fast parser, no access log of its own, one second to stop."""
    return uvicorn.Config(
        app,
        http=AbortableProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_WITHIN,
        **options,
    )


class _Beside(uvicorn.Server):
    """Runs beside the main server and leaves the signals to it."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


class _Main(uvicorn.Server):
    """Owns the signals and the lifespan, tells where it listens once it does, and stops last."""

    def __init__(self, config: uvicorn.Config, *, announcement: str) -> None:
        super().__init__(config)
        self._announcement = announcement
        self._beside: list[tuple[_Beside, asyncio.Task[None]]] = []

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal, and end as after any work: raised again, it would leave the made certificate behind."""
        for signal_ in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signal_, self.handle_exit)
        yield

    def run_beside(self, server: _Beside, listener: socket.socket) -> None:
        """Serve a second address for as long as this server runs."""
        self._beside.append((server, asyncio.create_task(server.serve(sockets=[listener]))))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        sys.stdout.write(self._announcement)
        sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server, task in self._beside:
            server.should_exit = True
            await task
        await super().shutdown(sockets=sockets)


async def _run(app: ASGIApp, listeners: list[socket.socket], tls: dict[str, Any], announcement: str) -> None:
    main = _Main(uvicorn_config(app, lifespan="on"), announcement=announcement)
    for listener in listeners[1:]:
        secure = uvicorn_config(app, lifespan="off", **tls)
        try:
            secure.load()
        except OSError as error:
            raise StartError(f"https cannot be served with this certificate and key: {error}") from None
        main.run_beside(_Beside(secure), listener)
    await main.serve(sockets=listeners[:1])


@contextmanager
def _certificate(settings: Settings) -> Iterator[tuple[dict[str, Any], bytes | None]]:
    """What uvicorn needs to serve https, and the authority's certificate if it was made here."""
    if settings.tls_cert is not None or settings.tls_key is not None:
        if settings.tls_cert is None or settings.tls_key is None:
            raise StartError("tls_cert and tls_key belong together: give both, or --tls alone")
        for file in (settings.tls_cert, settings.tls_key):
            if not file.is_file():
                raise StartError(f"{file} is no file that can be read")
        yield {"ssl_certfile": settings.tls_cert, "ssl_keyfile": settings.tls_key}, None
    elif settings.tls:
        # Making a certificate takes a library that costs a tenth of a second to import.
        from foas_emulator.certificates import make_certificate  # noqa: PLC0415

        with TemporaryDirectory(prefix="foas-emulator-") as directory:
            made = make_certificate(settings.host, Path(directory))
            yield {"ssl_certfile": made.certificate, "ssl_keyfile": made.key}, made.authority
    else:
        yield {}, None


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one. Raises `StartError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Bound is not enough: another process could bind the same port until one of them listens.
        listener.listen()
    except OSError as error:
        listener.close()
        raise StartError(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another port, or 0 for a free one"
        ) from None
    return listener


def _announcement(listeners: list[socket.socket], settings: Settings, registry: Registry) -> str:
    schemes = ("http", "https")
    urls = [url_of(scheme, listener) for scheme, listener in zip(schemes, listeners, strict=False)]
    counts = registry.open(DEFAULT).store.counts()
    holds = ", ".join(f"{counts[name]} {name}" for name in ("clusters", "projects", "jobs", "instances"))
    example = EXAMPLE if "default" in settings.seed else "/api/v2/projects"
    lines = [*(f"listening on {url}" for url in urls), f"the default world holds {holds}"]
    lines.append(f"try:  curl {urls[0]}{example}")
    if settings.console:
        lines.append(f"look: {urls[0]}/ in a browser")
    return "\n".join([*lines, f"docs: {urls[0]}/docs", ""])


def url_of(scheme: str, listener: socket.socket) -> str:
    """The address that a listening socket answers at."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
