"""An emulator that listens, and what a client without a library sees of it."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from foas_emulator.testing import Emulator
from tests.process import DIRECTLY

ENDED = b"<closed>"
RESET = b"<reset>"
SECONDS_A_READ_MAY_TAKE = 60


@dataclass(frozen=True)
class Running:
    """A server's address, and ways to talk to it."""

    port: int

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def control(self, method: str, path: str, document: Any = None) -> tuple[int, Any]:
        """Ask the control API; answers status and document."""
        body = None if document is None else json.dumps(document)
        return self.ask(method, f"/_emulator{path}", body=body, headers={"content-type": "application/json"})

    def ask(self, method: str, target: str, *, body: str | None = None, headers: Any = None) -> tuple[int, Any]:
        """One request on a connection of its own; answers status and JSON document."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS_A_READ_MAY_TAKE)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text else None
        finally:
            connection.close()

    def arm(self, world: str, **fault: Any) -> int:
        """Arm a fault rule; answers its id."""
        status, document = self.control("POST", f"/worlds/{world}/faults", fault)
        assert status == 201, document
        return int(document["id"])

    def bytes_of(self, world: str, target: str, method: str = "GET") -> bytes:
        """All that a raw socket receives for one request, and how the connection ended."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS_A_READ_MAY_TAKE) as connection:
            lines = (
                f"{method} {target} HTTP/1.1",
                "Host: x",
                f"x-emulator-world: {world}",
                "Content-Length: 0",
                "",
                "",
            )
            connection.sendall("\r\n".join(lines).encode())
            received = b""
            while not _is_whole(received):
                try:
                    chunk = connection.recv(65536)
                except ConnectionResetError:
                    return received + RESET
                if not chunk:
                    return received + ENDED
                received += chunk
        return received


def content_length(received: bytes) -> int:
    """The length that the head of an answer announces."""
    head = received.partition(b"\r\n\r\n")[0]
    (line,) = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return int(line.partition(b":")[2])


def _is_whole(received: bytes) -> bool:
    _, separator, body = received.partition(b"\r\n\r\n")
    return bool(separator) and len(body) >= content_length(received)


@contextmanager
def running(**settings: Any) -> Iterator[Running]:
    """A server on a free port, stopped at the end."""
    with Emulator(**settings) as emulator:
        yield Running(int(emulator.url.rpartition(":")[2]))


def control(emulator: Emulator, method: str, path: str, document: Any = None) -> Any:
    """Make a call of the control API that must succeed; answers its document."""
    content = None if document is None else json.dumps(document)
    answer = httpx.request(method, f"{emulator.url}/_emulator{path}", content=content, **DIRECTLY)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None
