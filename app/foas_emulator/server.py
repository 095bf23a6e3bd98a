"""Run the application on uvicorn: sockets, the first lines that a user sees, https beside http, a clean stop."""

import asyncio
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from dataclasses import fields, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.types import ASGIApp

from foas_emulator import garbage, logs, windows_loop
from foas_emulator.descriptors import LEAST, limit_if_too_low, raise_limit
from foas_emulator.http_protocol import CLOSE_AFTER, EmulatorProtocol
from foas_emulator.listening import listen, reachable, url_of
from foas_emulator.main import create_app, is_file_of_keys, refuse_workers
from foas_emulator.settings import SettingError, Settings
from foas_emulator.temporary import temporary_directory, temporary_named
from foas_emulator.world.clock import processor_time
from foas_emulator.world.ids import fresh_secret
from foas_emulator.world.names import DEFAULT
from foas_emulator.world.registry import Registry
from foas_emulator.worlds import open_registry, watch_seeds

if TYPE_CHECKING:
    from foas_emulator.certificates import Authority
    from foas_emulator.intercepting import Interception

EXAMPLE = "/api/v2/projects/project1/jobs/job1/instances/412536"
"""The call of the service's documents, which works with the default seed."""

TURN = 0.001
"""Seconds after which a computing thread yields the interpreter to the event loop, if the loop asks for it.

Pages, large documents and images are made in threads beside the loop. With Python's default of 5 ms, a call that
arrives while such a thread runs may wait 5 ms each time that it gives up the interpreter.
"""
STOP_WITHIN = 1
"""Seconds that open requests have to complete when the server stops."""

_SAFER = "give it as a FOASEMU_ variable, or access keys in a file"
LOOPBACK = ("127.0.0.1", "::1", "localhost")

log = logging.getLogger(__name__)


class StartError(Exception):
    """The server cannot start; the message says why, and what to do about it."""


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop: that of Windows there; elsewhere uvloop's if it is installed, else asyncio's."""
    if sys.platform == "win32":
        return windows_loop.new_event_loop()
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def serve(settings: Settings) -> None:
    """Serve until stopped. Raise `SeedError`, `SettingError` or `StartError` if the settings cannot be used."""
    logs.configure(level=settings.log_level, format_=settings.log_format)
    _raise_limit()
    sys.setswitchinterval(TURN)
    for given in secrets_in(sys.argv):
        log.warning("%s: everybody on this machine can see what is on a command line; %s", given, _SAFER)
    made_token = None
    proxy_host = settings.host if settings.control_token is not None else LOOPBACK[0]
    if settings.host not in LOOPBACK and settings.control_token is None:
        made_token = fresh_secret()
        settings = replace(settings, control_token=made_token)
    with (
        _ended_by_signals(),
        _certificate(settings) as (tls, authority),
        prepare_interception(settings, authority, host=proxy_host) as interception,
        ExitStack() as if_refused,
    ):
        try:
            refuse_workers(sys.argv, os.environ)
            registry = open_registry(settings)
            if_refused.callback(registry.close)
            listeners = []
            for name in ("port", "tls_port") if tls else ("port",):
                listeners.append(listen(settings.host, getattr(settings, name), setting=name))
                for listener in listeners[-1]:
                    if_refused.callback(listener.close)
            urls = [url_of(scheme, each[0]) for scheme, each in zip(("http", "https"), listeners, strict=False)]
            app = create_app(
                _as_bound(settings, listeners),
                registry=registry,
                authority=None if authority is None else authority.pem,
                addresses=urls,
                interception=interception,
            )
            beside = companions(settings, registry, interception, app)
        except SettingError:
            raise
        except ValueError as error:
            raise StartError(str(error)) from None
        if_refused.pop_all()  # from now on the application closes the worlds, and uvicorn the sockets
        announcement = _announcement(urls, settings, registry)
        if interception is not None:
            announcement += f"proxy: {url_of('http', interception.proxy[0])}\n"
        if made_token is not None:
            announcement += f"control token: {made_token}\n"
        if settings.host not in LOOPBACK:
            log.warning("bound to %s: the access key test:test and every world-<name>:test open it", settings.host)
        with garbage.in_steps() as steps, asyncio.Runner(loop_factory=new_event_loop) as runner:
            main = _main_config(app, keep_alive=settings.keep_alive, steps=steps)
            secure = uvicorn_config(app, keep_alive=settings.keep_alive, lifespan="off", **tls)
            beside += [_serving(_Beside(secure), sockets) for sockets in listeners[1:]]
            runner.run(_Main(main, announcement=announcement, beside=beside).serve(sockets=listeners[0]))


def _raise_limit() -> None:
    raise_limit()
    if (limit := limit_if_too_low()) is not None:
        raise StartError(f"this process may have only {limit} files open, and needs {LEAST}: allow more (ulimit -n)")


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


def uvicorn_config(app: ASGIApp, *, keep_alive: int, **options: Any) -> uvicorn.Config:
    """Return uvicorn's configuration for the emulator: the fast parser, no access log, one second to stop.

    `keep_alive` is the time in milliseconds that clients are told; connections are kept a little longer.
    """
    return uvicorn.Config(
        app,
        http=EmulatorProtocol,
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


def _main_config(app: ASGIApp, *, keep_alive: int, steps: garbage.Steps) -> uvicorn.Config:
    async def look_at_garbage() -> None:
        steps.look_at_everything_if_idle(processor_time())

    often = {"callback_notify": look_at_garbage, "timeout_notify": garbage.LOOK_EVERY_S}
    return uvicorn_config(app, keep_alive=keep_alive, lifespan="on", **often)


class _Beside(uvicorn.Server):
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
        await super().shutdown(sockets=sockets)


class _Main(Accompanied):
    """The main server: it handles signals and the lifespan, announces its URLs once it listens, and stops last."""

    def __init__(
        self, config: uvicorn.Config, *, announcement: str, beside: Sequence[AbstractAsyncContextManager[None]]
    ) -> None:
        super().__init__(config, beside=beside)
        self._announcement = announcement

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal and end normally; raising the signal again would leave the certificate's files behind."""
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


@asynccontextmanager
async def _serving(server: _Beside, sockets: list[socket.socket]) -> AsyncIterator[None]:
    """Serve further addresses inside the block."""
    task = asyncio.create_task(server.serve(sockets=sockets))
    try:
        yield
    finally:
        server.should_exit = True
        await task


@contextmanager
def _ended_by_signals() -> Iterator[None]:
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


def stop_signals() -> list[int]:
    """Return the signals that stop the server; SIGHUP too, unless the parent process ignores it, as nohup does."""
    signals: list[int] = [signal.SIGINT, signal.SIGTERM]
    for name in ("SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signals.append(number)
    return signals


@contextmanager
def _certificate(settings: Settings) -> Iterator[tuple[dict[str, Any], "Authority | None"]]:
    """Yield uvicorn's options for https, and the authority of the certificate if it was made here."""
    if settings.tls_cert is not None or settings.tls_key is not None:
        if settings.tls_cert is None or settings.tls_key is None:
            raise StartError("--tls-cert and --tls-key belong together: give both, or --tls alone")
        _check_certificate(settings.tls_cert, settings.tls_key)
        yield {"ssl_certfile": settings.tls_cert, "ssl_keyfile": settings.tls_key}, None
    elif settings.tls:
        with temporary_directory() as directory:
            authority = _make_authority()
            with temporary_named():
                made = authority.write_certificate(settings.host, directory)
            yield {"ssl_certfile": made.certificate, "ssl_keyfile": made.key}, authority
    else:
        yield {}, None


def _make_authority() -> "Authority":
    # The library that makes certificates takes a tenth of a second to import.
    from foas_emulator.certificates import Authority  # noqa: PLC0415

    return Authority()


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
    from foas_emulator.intercepting import prepare  # noqa: PLC0415 - most servers have no proxy
    from foas_emulator.interception.hosts import read_allowed  # noqa: PLC0415

    try:
        allowed = read_allowed(settings.intercept_allow)
    except ValueError as error:
        raise SettingError("intercept_allow", error) from None
    with temporary_directory() as directory, ExitStack() as sockets:
        proxy = [sockets.enter_context(each) for each in listen(host, settings.intercept, setting="intercept")]
        behind = [sockets.enter_context(listen(LOOPBACK[0], 0)[0]) for _ in ("plain", "secure")]
        authority = authority or _make_authority()
        with temporary_named():
            prepared = prepare(authority, directory, proxy=proxy, behind=behind, allowed=allowed)
        yield prepared


def companions(
    settings: Settings, registry: Registry, interception: "Interception | None", app: ASGIApp
) -> list[AbstractAsyncContextManager[None]]:
    """Return context managers to enter while a server runs: the proxy and the watch on seeds, as the settings say.

    Raise `SettingError` if there is no seed to watch.
    """
    wanted = [watch_seeds(settings, registry)] if settings.watch else []
    if interception is not None:
        from foas_emulator.intercepting import intercepting  # noqa: PLC0415 - most servers have no proxy

        def server_behind(named: ASGIApp) -> uvicorn.Server:
            return _Beside(uvicorn_config(named, keep_alive=settings.keep_alive, lifespan="off"))

        wanted.append(intercepting(interception, app, server_behind))
    return wanted


def _check_certificate(certificate: Path, key: Path) -> None:
    """Raise `SettingError` if https cannot be served with these files; never ask for a password."""
    for name, file in (("tls_cert", certificate), ("tls_key", key)):
        try:
            file.read_bytes()
        except OSError as error:
            raise SettingError(name, f"{file} cannot be read: {error.strerror}") from None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_refuse_password)
    except (OSError, ValueError) as error:
        reason = f"https cannot be served with the certificate {certificate} and the key {key}: {error}"
        raise SettingError("tls_cert", reason) from None


def _refuse_password() -> str:
    raise ValueError("the key is encrypted; give one without a password")


def _as_bound(settings: Settings, listeners: list[list[socket.socket]]) -> Settings:
    """Return the settings with the actual ports in place of 0."""
    ports = [int(sockets[0].getsockname()[1]) for sockets in listeners]
    return replace(settings, **dict(zip(("port", "tls_port"), ports, strict=False)))  # type: ignore[arg-type]


def _write(text: str) -> None:
    """Write to standard output without its buffer, which would retry a failed write when the process ends."""
    if sys.stdout is None:
        raise ValueError("it is closed")
    logs.write_at_once(sys.stdout.fileno(), text.encode())


def _counted(number: int, things: str) -> str:
    return f"{number} {things.removesuffix('s') if number == 1 else things}"


def _announcement(urls: list[str], settings: Settings, registry: Registry) -> str:
    counts = registry.open_or_create(DEFAULT).store.counts()
    holds = ", ".join(_counted(counts[name], name) for name in ("clusters", "projects", "jobs", "instances"))
    example = EXAMPLE if "default" in settings.seed else "/api/v2/projects"
    lines = [*(f"listening on {url}" for url in urls), f"the default world holds {holds}"]
    client = "foas-emulator get" if settings.signature == "strict" else "curl"
    here = reachable(urls[0])
    lines.append(f"try:  {client} {here}{example}")
    if settings.console:
        lines.append(f"look: {here}/ in a browser")
    return "\n".join([*lines, f"docs: {here}/docs", ""])
