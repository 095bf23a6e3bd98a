"""The emulator's server in a thread. Importing this module loads the whole emulator."""

import _thread
import datetime as dt
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, suppress
from dataclasses import fields, replace
from threading import Event, Thread
from typing import Any

import click
import uvicorn
from fastapi import APIRouter
from fastapi.dependencies import models

from foas_emulator import loopback
from foas_emulator.main import create_app
from foas_emulator.serving.crowds import Crowd
from foas_emulator.serving.listening import listen, url_of
from foas_emulator.serving.server import StartError, companions, event_loop_runner, prepare_interception
from foas_emulator.serving.uvicorn_servers import Accompanied, uvicorn_config
from foas_emulator.settings import Settings, check_variables, read_settings
from foas_emulator.showing import nearest
from foas_emulator.testing.written import written
from foas_emulator.world.shortage import refused_by_system
from foas_emulator.worlds import open_registry, watched_seeds

__tracebackhide__ = True

UNAVAILABLE = ("host", "tls", "tls_port", "tls_cert", "tls_key")
"""Settings that do not apply to a server in a thread, which listens only on this machine, without https."""

START_WITHIN = 30.0
"""Seconds within which the server must start."""
END_WITHIN = 5.0
"""Seconds to wait for the end of a server that may never have started."""


def _load_what_routes_need() -> None:
    """Build a route with the real `date`: FastAPI loads pydantic's old version for the first one in a process.

    That cannot be loaded where freezegun has replaced `date`, and all calls would end in 500.
    """
    replacement, real = dt.date, dt.datetime.__mro__[-2]
    setattr(dt, "date", real)  # noqa: B010 - mypy knows it as a class
    try:
        APIRouter().add_api_route("/", lambda parameter: parameter)
    finally:
        setattr(dt, "date", replacement)  # noqa: B010


_load_what_routes_need()


def settings_of(given: Mapping[str, Any]) -> Settings:
    """Return settings with these values, as flags have them; variables give the others.

    Raise ValueError, which names it, for a wrong value, an unknown name, and a setting that a server in a thread does
    not have.
    """
    known = [each.name for each in fields(Settings)]
    for name in given:
        if name in UNAVAILABLE:
            raise ValueError(
                f"{name} is for foas-emulator serve: this server listens on {loopback.ADDRESS} alone, by http"
            )
        if name not in known:
            near = nearest(name, known) or f"; there are: {', '.join(known)}"
            raise ValueError(f"there is no setting {name}{near}")
    try:
        check_variables(os.environ)
        return read_settings({name: written(value) for name, value in given.items()})
    except click.UsageError as error:  # whose text does not name the setting
        raise ValueError(error.format_message()) from None


class ThreadedServer:
    """A server in a thread, on a port of this machine, until it is stopped."""

    def __init__(self, settings: Settings, *, port: int = 0) -> None:
        """Start, on a free port if `port` is 0. Raise `SeedError`, ValueError or `StartError` if that cannot be.

        The port in the settings is ignored: its default is that of `serve`, which may be running too.
        """
        _require_threads()
        with ExitStack() as files, ExitStack() as if_refused:
            interception = files.enter_context(prepare_interception(settings, host=loopback.ADDRESS))
            self.proxy = None if interception is None else interception.document()
            """The facts that a program needs to reach the emulator by the proxy, None if there is no proxy."""
            (self._listener,) = listen(loopback.ADDRESS, port)
            if_refused.callback(self._listener.close)
            self.url = url_of("http", self._listener)
            known = replace(settings, port=self._listener.getsockname()[1])
            seeds = watched_seeds(known)
            registry = open_registry(known)
            if_refused.callback(registry.close)
            app = create_app(known, registry=registry, addresses=[self.url], interception=interception)
            crowd = Crowd()
            beside = companions(known, registry, interception, app, seeds=seeds, crowd=crowd)
            config = uvicorn_config(app, crowd=crowd, keep_alive=known.keep_alive, lifespan="on")
            self._server = _Server(config, beside=beside)
            self._failure: Exception | None = None
            self._files = files.pop_all()
            if_refused.callback(self._files.close)
            self._thread = Thread(target=self._run, name="foas-emulator", daemon=True)
            if_refused.callback(self._end)
            try:
                self._thread.start()
            except RuntimeError as error:
                raise StartError(refused_by_system(error) or str(error)) from error
            if not self._server.ready.wait(START_WITHIN):
                raise StartError(f"the emulator did not start within {START_WITHIN:.0f} seconds")
            if self._failure is not None:
                self._thread.join()
                raise StartError(f"the emulator did not start: {self._failure}") from self._failure
            if_refused.pop_all()  # from now on the application closes the worlds, and uvicorn the socket

    def stop(self) -> None:
        """Finish the answers in progress, and stop."""
        self._server.should_exit = True
        self._thread.join()
        _forget_endpoints()

    def _end(self) -> None:
        """Stop a server for which nobody waits any more, as after a KeyboardInterrupt, before its worlds are closed."""
        self._server.should_exit = True
        with suppress(RuntimeError):  # it has not started; if it does so later, it ends at once
            self._thread.join(END_WITHIN)

    def _run(self) -> None:
        if self._server.should_exit:  # its start was interrupted, and what it would serve is closed
            return
        try:
            with self._files, event_loop_runner() as runner:  # they go even if nobody waits for the end of this thread
                runner.run(self._server.serve(sockets=[self._listener]))
        except Exception as error:
            if self._server.ready.is_set():
                raise
            self._failure = error
            self._server.ready.set()


def _forget_endpoints() -> None:
    """Empty the caches in which FastAPI keeps endpoints: up to a hundred applications that nobody uses any more."""
    for cached in vars(models).values():
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()


def _require_threads() -> None:
    """Raise `StartError` if threads have been replaced by what runs only while all others wait."""
    patched_by = (getattr(_thread.start_new_thread, "__module__", None) or "").partition(".")[0]
    if patched_by in ("gevent", "eventlet"):
        raise StartError(
            f"{patched_by} has replaced the threads of this process, and the emulator needs one: patch with "
            "thread=False, or start foas-emulator serve and give its URL (--foas-url, foas_emulator.testing.Server)"
        )


class _Server(Accompanied):
    """A server that sets an event once it serves."""

    def __init__(self, config: uvicorn.Config, *, beside: Sequence[AbstractAsyncContextManager[None]]) -> None:
        super().__init__(config, beside=beside)
        self.ready = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()
