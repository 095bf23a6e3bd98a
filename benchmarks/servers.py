"""Start one server on the server core, wait until it answers, and measure its memory."""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

SERVER_CORE = "0"
LOAD_CORE = "1"

HOST = "127.0.0.1"
_LONGEST_START_S = 60.0
_BETWEEN_TRIES_S = 0.002


class MeasurementError(Exception):
    """A server or a load run that did not do its part; the row it belongs to is reported as missing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request."""

    status: int
    body: bytes

    @property
    def is_good(self) -> bool:
        """Whether the server did what it was asked to do."""
        return self.status < HTTPStatus.MULTIPLE_CHOICES


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def ask(
    port: int, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Answer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.read())
    finally:
        connection.close()


def send(port: int, request: bytes) -> Answer:
    """The bytes of one request, as they are, on a connection of its own."""
    with socket.create_connection((HOST, port), timeout=30) as connection:
        connection.sendall(request)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return Answer(response.status, response.read())


@dataclass(slots=True)
class Server:
    """A server process pinned to the server core; `with` starts it, waits for its first answer and stops it.

    `command` names the port as `{port}`. `started_s` is the time from the start of the process to the end of the
    first answer 200 to `ready_path`.
    """

    name: str
    command: Sequence[str]
    ready_path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    port: int = field(default_factory=free_port)
    started_s: float = field(default=0.0, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """The server's root."""
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        command = ["taskset", "-c", SERVER_CORE, *(part.format(port=self.port) for part in self.command)]
        began = time.perf_counter()
        self._process = subprocess.Popen(
            command, cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            self._wait_for_first_answer(began)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _wait_for_first_answer(self, began: float) -> None:
        while not self._answers():
            if self._running().poll() is not None:
                raise MeasurementError("the server ended while it started")
            if time.perf_counter() - began > _LONGEST_START_S:
                raise MeasurementError(f"the server did not answer within {_LONGEST_START_S:.0f} s")
            time.sleep(_BETWEEN_TRIES_S)
        self.started_s = time.perf_counter() - began

    def _answers(self) -> bool:
        try:
            return ask(self.port, "GET", self.ready_path, headers=self.headers).is_good
        except (OSError, http.client.HTTPException):
            return False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._running()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def resident_kib(self) -> int:
        """Resident memory of the process, in KiB."""
        status = Path(f"/proc/{self._running().pid}/status").read_text(encoding="utf-8")
        return int(status.split("VmRSS:")[1].split()[0])

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise MeasurementError("the server has not been started")
        return self._process
