"""A minimal client, bytes out and bytes in, since the server cannot use the processor time that a client takes."""

import re
import socket
from collections.abc import Sequence

PATIENCE = 20
"""Seconds after which a request counts as one that is never answered."""
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


def request(
    method: str, target: str, *, world: str = "", content: bytes = b"", kind: str = "application/json"
) -> bytes:
    """Return the bytes of a request."""
    head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if world:
        head += f"x-emulator-world: {world}\r\n"
    if content:
        head += f"Content-Type: {kind}\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


class Connection:
    """A connection that is kept for as long as the server keeps it."""

    def __init__(self, port: int, *, patience: float = PATIENCE) -> None:
        self._port = port
        self._patience = patience
        self._socket: socket.socket | None = None
        self._received = bytearray()

    def ask(self, raw: bytes) -> tuple[int, bytes]:
        """Return status and bytes of an answer; status 0 if the connection ended without one."""
        return self.ask_all([raw])[0]

    def ask_all(self, requests: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """Send requests at once; return status and bytes of each answer, 0 where the connection ended before it."""
        answers: list[tuple[int, bytes]] = []
        try:
            self._socket = self._socket or socket.create_connection(("127.0.0.1", self._port), self._patience)
            self._socket.sendall(b"".join(requests))
            for _ in requests:
                answer = self._read(self._socket)
                status = STATUS.match(answer)
                answers.append((int(status[1]) if status else 0, answer))
                if status is None or b"\r\nconnection: close" in answer.partition(b"\r\n\r\n")[0].lower():
                    self.close()
                    break
        except ConnectionError:
            self.close()
        return answers + [(0, b"")] * (len(requests) - len(answers))

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._received.clear()

    def _read(self, connection: socket.socket) -> bytes:
        """Return the bytes of the next answer, fewer if the connection ends in it."""
        received = self._received
        while (end := received.find(b"\r\n\r\n")) < 0:
            if not self._receive(connection):
                return self._taken(len(received))
        length = _LENGTH.search(received, 0, end)
        whole = end + 4 + (int(length[1]) if length else 0)
        while len(received) < whole and self._receive(connection):
            pass
        return self._taken(whole)

    def _receive(self, connection: socket.socket) -> bool:
        chunk = connection.recv(65536)
        self._received += chunk
        return bool(chunk)

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._received[:size])
        del self._received[:size]
        return taken
