"""The servers of one test session: one for each distinct value of `foas_settings`, or the one at `--foas-url`."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, Self

from foas_emulator.testing.coverage import CountingClient, CoverageCollector
from foas_emulator.testing.emulator import Emulator
from foas_emulator.testing.server import Server

__tracebackhide__ = True


class OwnServers:
    """Servers in this process, started on first use and stopped at the end of the session."""

    def __init__(self, *, collector: CoverageCollector | None) -> None:
        self._collector = collector
        self._servers: dict[str, Emulator] = {}
        self._stack = ExitStack()

    def get(self, settings: Mapping[str, Any]) -> Server:
        """Return the server with these settings."""
        key = json.dumps(settings, sort_keys=True, default=repr)
        if key not in self._servers:
            self._servers[key] = self._stack.enter_context(Emulator(**settings))
        return self._servers[key]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._stack:
            if self._collector is not None:
                for server in self._servers.values():
                    self._collector.collect(server.coverage())


class SharedServer:
    """A server that other sessions may use too: only the calls of this session count as its coverage."""

    def __init__(self, url: str, *, control_token: str | None, collector: CoverageCollector | None) -> None:
        self._server = Server(url, control_token=control_token)
        self._counting: CountingClient | None = None
        if collector is not None:
            self._counting = CountingClient(url, control_token=control_token, collect=collector.collect)
            self._server.control = self._counting

    def get(self, _settings: Mapping[str, Any]) -> Server:
        """Return the server; its settings cannot be changed here."""
        return self._server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._counting is not None:
            self._counting.collect_all()
