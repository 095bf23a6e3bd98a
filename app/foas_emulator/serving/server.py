"""Start the server from its settings: worlds, sockets, certificates, the application, the first lines of output."""

import asyncio
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

from foas_emulator import garbage, logs, loopback
from foas_emulator.main import create_app, refuse_workers
from foas_emulator.seeds.watching import Marks
from foas_emulator.serving.crowds import Crowd
from foas_emulator.serving.descriptors import LEAST, LoopErrors, limit_if_too_low, raise_limit
from foas_emulator.serving.listening import listen, reachable, url_of
from foas_emulator.serving.memory import give_back_large_blocks
from foas_emulator.serving.tls import context_of_files, new_authority
from foas_emulator.serving.uvicorn_servers import (
    MainServer,
    SideServer,
    main_config,
    serving,
    stop_signals,
    uvicorn_config,
)
from foas_emulator.setting_files import is_file_of_keys
from foas_emulator.settings import SettingError, Settings
from foas_emulator.temporary import temporary_directory, temporary_named
from foas_emulator.world.ids import fresh_secret
from foas_emulator.world.names import DEFAULT
from foas_emulator.world.registry import Registry
from foas_emulator.world.shortage import refused_by_system
from foas_emulator.worlds import open_registry, watch_seeds, watched_seeds

if TYPE_CHECKING:
    from foas_emulator.serving.certificates import Authority
    from foas_emulator.serving.intercepting import Interception

EXAMPLE = "/api/v2/projects/project1/jobs/job1/instances/412536"
"""The call of the service's documents, which works with the default seed."""

TURN = 0.001
"""Seconds after which a computing thread yields the interpreter to the event loop, if the loop asks for it.

Pages, large documents and images are made in threads beside the loop. With Python's default of 5 ms, a call that
arrives while such a thread runs may wait 5 ms each time that it gives up the interpreter.
"""
_SAFER = "give it as a FOASEMU_ variable, or access keys in a file"

log = logging.getLogger(__name__)


class StartError(Exception):
    """The server cannot start; the message says why, and what to do about it."""


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop: that of Windows there; elsewhere uvloop's if it is installed, else asyncio's."""
    if sys.platform == "win32":
        from foas_emulator.serving import windows_loop  # noqa: PLC0415  # no other system needs it

        return windows_loop.new_event_loop()
    try:
        import uvloop
    except ImportError:
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(LoopErrors())
    else:
        loop = uvloop.new_event_loop()
    return loop


@contextmanager
def event_loop_runner() -> Iterator[asyncio.Runner]:
    """Yield a runner, and end its loop after the block."""
    is_over = False
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            yield runner
            is_over = True
    except RuntimeError as error:
        # A loop that has had threads starts another one to wait for them, which the system may refuse.
        if not is_over or refused_by_system(error) is None:
            raise


def serve(settings: Settings) -> None:
    """Serve until stopped. Raise `SeedError`, `SettingError` or `StartError` if the settings cannot be used."""
    logs.configure(level=settings.log_level, format_=settings.log_format)
    raise_limit()
    if (limit := limit_if_too_low()) is not None:
        raise StartError(f"this process may have only {limit} files open, and needs {LEAST}: allow more (ulimit -n)")
    sys.setswitchinterval(TURN)
    give_back_large_blocks()
    for given in secrets_in(sys.argv):
        log.warning("%s: everybody on this machine can see what is on a command line; %s", given, _SAFER)
    proxy_host = settings.host if settings.control_token is not None else loopback.ADDRESS
    made_token = None
    if settings.host not in loopback.NAMES and settings.control_token is None:
        made_token = fresh_secret()
        settings = replace(settings, control_token=made_token)
    with _ended_by_first_signal():
        tls, authority = _certificate(settings)
        with prepare_interception(settings, authority, host=proxy_host) as interception:
            served = _prepare(settings, ("port",) if tls is None else ("port", "tls_port"), authority, interception)
            announcement = _announcement(served, settings, interception, made_token)
            if settings.host not in loopback.NAMES:
                log.warning("bound to %s: the access key test:test and every world-<name>:test open it", settings.host)
            with garbage.in_steps() as steps, event_loop_runner() as runner:
                servers: list[uvicorn.Server] = []
                crowd, keep_alive = served.crowd, settings.keep_alive
                config = main_config(served.app, crowd=crowd, keep_alive=keep_alive, steps=steps, servers=servers)
                beside = [*served.beside]
                if tls is not None:
                    from foas_emulator.serving.secure_server import SecureServer  # noqa: PLC0415 - most have no TLS

                    also = uvicorn_config(served.app, crowd=crowd, keep_alive=keep_alive, lifespan="off")
                    servers.append(secure := SecureServer(also, tls, crowd=crowd))
                    beside.append(serving(secure, served.listeners[1]))
                servers.append(main := MainServer(config, announcement=announcement, beside=beside))
                runner.run(main.serve(sockets=served.listeners[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """The application, the sockets at which it is to be served, by port, and what runs beside it."""

    app: ASGIApp
    registry: Registry
    listeners: Sequence[list[socket.socket]]
    urls: Sequence[str]
    crowd: Crowd
    beside: Sequence[AbstractAsyncContextManager[None]]


def _prepare(
    settings: Settings, ports: Sequence[str], authority: "Authority | None", interception: "Interception | None"
) -> _Prepared:
    """Open the worlds, listen at these ports and build the application; if one of them fails, leave nothing open."""
    with ExitStack() as if_refused:
        try:
            refuse_workers(sys.argv, os.environ)
            seeds = watched_seeds(settings)
            registry = open_registry(settings)
            if_refused.callback(registry.close)
            listeners = []
            for port in ports:
                sockets = listen(settings.host, getattr(settings, port), setting=port)
                listeners.append([if_refused.enter_context(each) for each in sockets])
            urls = [url_of(scheme, each[0]) for scheme, each in zip(("http", "https"), listeners, strict=False)]
            app = create_app(
                _as_bound(settings, listeners),
                registry=registry,
                authority=None if authority is None else authority.pem,
                addresses=urls,
                interception=interception,
            )
            crowd = Crowd()
            beside = companions(settings, registry, interception, app, seeds=seeds, crowd=crowd)
        except SettingError:
            raise
        except ValueError as error:
            raise StartError(str(error)) from None
        if_refused.pop_all()  # from now on the application closes the worlds, and uvicorn the sockets
    return _Prepared(app=app, registry=registry, listeners=listeners, urls=urls, crowd=crowd, beside=beside)


def secrets_in(arguments: Sequence[str]) -> list[str]:
    """Return the flags of a command line whose values are secrets themselves rather than files with secrets."""
    flags = {"--" + each.name.replace("_", "-") for each in fields(Settings) if each.metadata["secret"]}
    found = []
    for place, argument in enumerate(arguments):
        flag, _, value = argument.partition("=")
        value = value or "".join(arguments[place + 1 : place + 2])
        if flag in flags and (flag != "--access-keys" or not is_file_of_keys(value)):
            found.append(flag)
    return found


@contextmanager
def _ended_by_first_signal() -> Iterator[None]:
    """End cleanly at the first signal that comes before the server handles signals, or after it has ended."""
    ended_by: list[int] = []

    def end(number: int, _: object) -> None:
        if not ended_by:  # another one would come in between the removal of files, a private key among them
            ended_by.append(number)
            raise SystemExit(128 + number)

    for signal_ in stop_signals():
        signal.signal(signal_, end)
    try:
        yield
    except BaseException:
        if ended_by:  # what was interrupted may have made another exception of it, as pydantic does
            raise SystemExit(128 + ended_by[0]) from None
        raise


def _certificate(settings: Settings) -> tuple[ssl.SSLContext | None, "Authority | None"]:
    """Return the TLS context for https, and the authority of the certificate if it was made here."""
    if settings.tls_cert is not None or settings.tls_key is not None:
        if settings.tls_cert is None:
            raise SettingError("tls_key", "it belongs together with --tls-cert: give both, or --tls alone")
        if settings.tls_key is None:
            raise SettingError("tls_cert", "it belongs together with --tls-key: give both, or --tls alone")
        return context_of_files(settings.tls_cert, settings.tls_key), None
    if not settings.tls:
        return None, None
    authority = new_authority()
    return authority.context_for(settings.host), authority


@contextmanager
def prepare_interception(
    settings: Settings, authority: "Authority | None" = None, *, host: str
) -> Iterator["Interception | None"]:
    """Yield the proxy that the settings define; remove its files after the block. Raise `SettingError`."""
    if settings.intercept is None:
        if settings.intercept_allow:
            raise SettingError("intercept_allow", "it is about the proxy: give --intercept too")
        yield None
        return
    from foas_emulator.interception.hosts import read_allowed  # noqa: PLC0415
    from foas_emulator.serving.intercepting import prepare  # noqa: PLC0415 - most servers have no proxy

    try:
        allowed = read_allowed(settings.intercept_allow)
    except ValueError as error:
        raise SettingError("intercept_allow", error) from None
    with temporary_directory() as directory, ExitStack() as sockets:
        proxy = [sockets.enter_context(each) for each in listen(host, settings.intercept, setting="intercept")]
        behind = [sockets.enter_context(listen(loopback.ADDRESS, 0)[0]) for _ in ("plain", "secure")]
        authority = authority or new_authority()
        with temporary_named():
            prepared = prepare(authority, directory, proxy=proxy, behind=behind, allowed=allowed)
        yield prepared


def companions(
    settings: Settings,
    registry: Registry,
    interception: "Interception | None",
    app: ASGIApp,
    *,
    seeds: Marks | None,
    crowd: Crowd,
) -> list[AbstractAsyncContextManager[None]]:
    """Return context managers to enter while a server runs: the proxy and the watch on seeds, as the settings say.

    `seeds` are the marks of those that were read, `crowd` is that of the process's connections. Raise `SettingError` if
    there is no seed to watch.
    """
    wanted = [watch_seeds(settings, registry, since=seeds)] if settings.watch else []
    if interception is not None:
        from foas_emulator.serving.intercepting import intercepting  # noqa: PLC0415 - most servers have no proxy
        from foas_emulator.serving.secure_server import SecureServer  # noqa: PLC0415

        def server_behind(named: ASGIApp, tls: ssl.SSLContext | None) -> uvicorn.Server:
            config = uvicorn_config(named, crowd=crowd, keep_alive=settings.keep_alive, lifespan="off")
            return SideServer(config) if tls is None else SecureServer(config, tls, crowd=crowd)

        wanted.append(intercepting(interception, app, server_behind, crowd=crowd))
    return wanted


def _as_bound(settings: Settings, listeners: list[list[socket.socket]]) -> Settings:
    """Return the settings with the actual ports in place of 0."""
    ports = [int(sockets[0].getsockname()[1]) for sockets in listeners]
    return replace(settings, **dict(zip(("port", "tls_port"), ports, strict=False)))  # type: ignore[arg-type]


def _announcement(served: _Prepared, settings: Settings, proxy: "Interception | None", made_token: str | None) -> str:
    counts = served.registry.open_or_create(DEFAULT).store.counts()
    numbers = {name: counts[name] for name in ("clusters", "projects", "jobs", "instances")}
    holds = ", ".join(f"{number} {name.removesuffix('s') if number == 1 else name}" for name, number in numbers.items())
    example = EXAMPLE if "default" in settings.seed else "/api/v2/projects"
    lines = [*(f"listening on {url}" for url in served.urls), f"the default world holds {holds}"]
    client = "foas-emulator get" if settings.signature == "strict" else "curl"
    here = reachable(served.urls[0])
    lines.append(f"try:  {client} {here}{example}")
    if settings.console:
        lines.append(f"look: {here}/ in a browser")
    lines.append(f"docs: {here}/docs")
    if proxy is not None:
        lines.append(f"proxy: {url_of('http', proxy.proxy[0])}")
    if made_token is not None:
        lines.append(f"control token: {made_token}")
    return "\n".join([*lines, ""])
