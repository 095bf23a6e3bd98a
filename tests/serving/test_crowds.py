"""Of too many connections, those are closed that have waited the longest for their clients."""

import asyncio
import gc
import logging
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from socket import create_connection, socket
from typing import Any, cast

import pytest

from foas_emulator.serving import crowds
from foas_emulator.serving.crowds import Crowd
from foas_emulator.serving.descriptors import SPARE
from foas_emulator.serving.http_protocol import EmulatorProtocol
from foas_emulator.testing import Emulator
from tests.serving.test_http_protocol import connect, get, parse, read_all, refused

WARNING = "too many connections: those that have waited the longest for their clients are closed"


class Client:
    """A connection that notes whether it was closed."""

    def __init__(self) -> None:
        self.is_closed = False

    def give_way(self) -> None:
        self.is_closed = True


def crowd_of(count: int, *, last: int | None = None) -> tuple[Crowd, list[Client]]:
    """A crowd in which clients wait, in this order; a higher descriptor than `last` tells that few are left."""
    crowd, clients = Crowd(), [Client() for _ in range(count)]
    crowd._last = last
    for client in clients:
        crowd.enter(client, 0)
    return crowd, clients


def closed(clients: list[Client]) -> list[int]:
    return [number for number, client in enumerate(clients) if client.is_closed]


@pytest.fixture
def in_loop() -> Iterator[Callable[[Callable[[], None]], None]]:
    """A function that runs another one in an event loop, as callbacks of connections are run."""

    async def call(test: Callable[[], None]) -> None:
        test()

    with asyncio.Runner() as runner:
        yield lambda test: runner.run(call(test))


Run = Callable[[Callable[[], None]], None]


def answered(connection: socket) -> int:
    """The status of the next answer, which is read to its end."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += (piece := connection.recv(65536))
        assert piece, received
    status, headers, body = parse(received)
    missing = int(headers["content-length"]) - len(body)
    while missing and (piece := connection.recv(missing)):
        missing -= len(piece)
    return status


def until(is_so: Callable[[EmulatorProtocol], bool], emulator: Emulator) -> None:
    """Wait until this is so for one of a server's connections."""
    assert emulator._running is not None
    connections = emulator._running._server.server_state.connections
    deadline = time.monotonic() + 20
    while not any(is_so(cast("EmulatorProtocol", each)) for each in [*connections]) and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def _enough_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing depend on how many this process has."""
    monkeypatch.setattr(crowds, "are_few_left", lambda: False)


def test_those_that_were_served_while_few_descriptors_were_left_make_room(
    monkeypatch: pytest.MonkeyPatch, in_loop: Run
) -> None:
    def test() -> None:
        crowd, clients = crowd_of(SPARE + 2, last=100)
        served = Client()
        crowd.enter(served, 101)
        crowd.stop_waiting(served)
        before = closed(clients)
        crowd.wait(Client())
        assert closed(clients) == before
        monkeypatch.setattr(crowds, "are_few_left", lambda: True)
        crowd.wait(served)
        assert len(closed(clients)) == len(before) + 1

    in_loop(test)


def test_who_comes_last_replaces_who_has_waited_longest(monkeypatch: pytest.MonkeyPatch, in_loop: Run) -> None:
    def test() -> None:
        crowd, clients = crowd_of(3)
        crowd.stop_waiting(clients[0])
        crowd.wait(clients[0])  # it got an answer
        for expected in ([1], [1, 2], [0, 1, 2]):
            crowd.enter(Client(), 0)
            assert closed(clients) == expected

    monkeypatch.setattr(crowds, "MOST_WAITING", 3)
    in_loop(test)


def test_connections_that_wait_are_closed_while_one_has_a_high_descriptor(
    monkeypatch: pytest.MonkeyPatch, in_loop: Run
) -> None:
    def test() -> None:
        crowd, clients = crowd_of(3, last=100)
        high = Client()
        crowd.enter(Client(), 100)
        assert closed(clients) == []
        crowd.enter(high, 101)
        assert closed(clients) == [0]
        crowd.enter(Client(), 50)
        assert closed(clients) == [0, 1], "the descriptor of one that was closed is used again, and few are left"
        crowd.leave(high)
        crowd.enter(Client(), 51)
        assert closed(clients) == [0, 1]

    monkeypatch.setattr(crowds, "SPARE", 1)
    in_loop(test)


def test_a_connection_with_one_of_the_last_descriptors_makes_room_for_many(in_loop: Run) -> None:
    def test() -> None:
        crowd, clients = crowd_of(50 * crowds.SHARE, last=100)
        crowd.enter(Client(), 101)
        assert closed(clients) == [*range(50)]
        crowd, clients = crowd_of(100, last=100)
        crowd.enter(Client(), 101)
        assert closed(clients) == [*range(SPARE)]
        crowd, clients = crowd_of(100, last=100)
        for descriptor in (100, 101):
            crowd.make_room(descriptor)  # for one that is no connection of the crowd
        assert closed(clients) == [*range(SPARE)]

    in_loop(test)


def test_nobody_is_closed_whose_request_has_arrived_nor_a_few_that_wait(in_loop: Run) -> None:
    def test() -> None:
        crowd, clients = crowd_of(40, last=0)
        for client in clients[:10]:
            crowd.stop_waiting(client)
        late = [Client() for _ in range(3)]
        for descriptor, client in enumerate(late, 1):
            crowd.enter(client, descriptor)
        assert closed([*clients, *late]) == [10]

    in_loop(test)


def test_heads_that_arrive_share_their_bytes_and_the_oldest_goes_first(
    monkeypatch: pytest.MonkeyPatch, in_loop: Run, caplog: pytest.LogCaptureFixture
) -> None:
    def test() -> None:
        crowd, clients = crowd_of(4)
        for client, size in zip(clients[1:], (60, 30, 10), strict=True):
            crowd.hold(client, size)
        assert closed(clients) == []
        crowd.hold(clients[3], 11)
        assert closed(clients) == [1], "the first one has sent nothing"
        crowd.stop_waiting(clients[2])
        crowd.hold(clients[3], 100)
        assert closed(clients) == [1]
        crowd.hold(clients[3], 101)
        assert closed(clients) == [1, 3]
        assert crowd._held == 0

    monkeypatch.setattr(crowds, "MOST_HELD", 100)
    with caplog.at_level(logging.WARNING):
        in_loop(test)
    assert [record.getMessage() for record in caplog.records] == [WARNING], "once for a lasting shortage"


def test_a_server_closes_the_oldest_of_its_waiting_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowds, "MOST_WAITING", 4)
    with Emulator() as emulator, ExitStack() as stack:
        asked, half, silent = (stack.enter_context(closing(connect(emulator))) for _ in range(3))
        half.sendall(b"GET /_emulator/health HTTP/1.1\r\nhost: ")
        asked.sendall(get("/_emulator/health"))
        assert answered(asked) == 200
        for _ in range(2):
            fresh = stack.enter_context(closing(connect(emulator)))
            fresh.sendall(get("/_emulator/health"))
            assert answered(fresh) == 200
        assert read_all(half) == b""
        for kept in (asked, silent, fresh):
            kept.sendall(get("/_emulator/health"))
            assert answered(kept) == 200


@pytest.mark.parametrize("more", [b"", get("/_emulator/health")])
def test_who_reads_too_little_waits_like_others(monkeypatch: pytest.MonkeyPatch, more: bytes) -> None:
    """Whether or not it goes on to ask."""
    monkeypatch.setattr(crowds, "MOST_WAITING", 3)
    many = get("/static-offline-docs/swagger-ui-bundle.js") * 20  # each has over a megabyte
    with Emulator() as emulator, ExitStack() as stack:
        slow = stack.enter_context(closing(connect(emulator)))
        slow.sendall(many)
        until(lambda each: each.transport.get_write_buffer_size() > 0, emulator)
        slow.sendall(more)
        until(lambda each: each._received == len(many + more), emulator)
        come_and_ask(emulator, 4, stack)
        received = 0
        with suppress(ConnectionError):
            while piece := slow.recv(1_000_000):
                received += len(piece)
    assert received < 20_000_000


def test_who_has_sent_the_rest_of_a_body_after_its_answer_waits_like_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowds, "MOST_WAITING", 3)
    head = b"POST /nowhere HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n"
    with Emulator() as emulator, ExitStack() as stack:
        early = stack.enter_context(closing(connect(emulator)))
        early.sendall(head + b"{")
        assert answered(early) == 404
        early.sendall(b"}")
        until(lambda each: each._received == len(head) + 2, emulator)
        come_and_ask(emulator, 3, stack)
        assert read_all(early) == b""


def come_and_ask(emulator: Emulator, count: int, stack: ExitStack) -> None:
    for _ in range(count):
        fresh = stack.enter_context(closing(connect(emulator)))
        fresh.sendall(get("/_emulator/health"))
        assert answered(fresh) == 200


def test_a_head_in_pieces_with_many_short_headers_is_refused_before_it_is_complete() -> None:
    with Emulator() as emulator, closing(connect(emulator)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n" + b"a:b\r\n" * 300)
        assert refused(read_all(connection), status=431) == "300 headers came; 256 are allowed."


SECURE = ["--tls", "--tls-port", "0"]


def test_short_headers_and_requests_that_wait_for_their_turn_count_as_what_they_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crowds, "MOST_HELD", 40_000)
    many = b"GET / HTTP/1.1\r\nhost: localhost\r\n" + b"a:b\r\n" * 200
    with Emulator() as emulator, ExitStack() as stack:
        first, second, third, fourth = (stack.enter_context(closing(connect(emulator))) for _ in range(4))
        first.sendall(many)
        second.sendall(many)
        assert read_all(first) == b"", "a head of 1032 bytes takes thirty times as many"
        emulator.control.request("PUT", "/worlds/default/settings", {"latency": "1m"})
        third.sendall(get("/api/v2/projects") * 12)
        assert read_all(second) == b""
        fourth.sendall(get("/api/v2/projects") * 12)
        assert read_all(third) == b""


def test_heads_count_until_their_bodies_are_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowds, "MOST_HELD", 60_000)
    request = (
        b"POST /api/v2/projects HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n" + b"a:b\r\n" * 200 + b"\r\n{"
    )
    with Emulator() as emulator, ExitStack() as stack:
        first, second = (stack.enter_context(closing(connect(emulator))) for _ in range(2))
        for _ in range(3):
            first.sendall(request + b"}")
            assert answered(first) == 400
        first.sendall(request)
        second.sendall(request)
        assert read_all(first) == b""
        second.sendall(b"}")
        assert answered(second) == 400


def test_an_idle_connection_holds_nothing_of_its_last_request() -> None:
    with Emulator() as emulator, closing(connect(emulator)) as connection:
        for _ in range(2):
            connection.sendall(get("/_emulator/health", f"x: {'y' * 5000}"))
            assert answered(connection) == 200
        assert held_by_connections() == [None]
        head = get("/nowhere", "content-length: 100000").replace(b"GET", b"POST")
        connection.sendall(head + b"x" * 90_000)
        assert answered(connection) == 404
        (held,) = held_by_connections()
        assert held is None or not held.body
        connection.sendall(b"x" * 10_000 + get("/_emulator/health"))
        assert answered(connection) == 200
        assert held_by_connections() == [None]


def held_by_connections() -> list[Any]:
    """What the connections of this process hold of requests."""
    return [each.cycle for each in gc.get_objects() if isinstance(each, EmulatorProtocol) and each.parser is not None]


def check_others(ports: Collection[str], come: Callable[[str], socket], anyone: ssl.SSLContext) -> None:
    def is_served(scheme: str) -> bool:
        with ExitStack() as stack, suppress(OSError):  # what is refused is reset
            connection = come(scheme)
            if scheme == "https":
                connection = stack.enter_context(anyone.wrap_socket(connection))
            connection.sendall(get("/_emulator/health"))
            return connection.recv(65536).startswith(b"HTTP/1.1 200")
        return False

    deadline = time.monotonic() + 10  # while the control API is built for the first ones, all descriptors are in use
    for scheme in {"http", "https"}.intersection(ports):
        while not is_served(scheme) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert sum(is_served(scheme) for _ in range(20)) >= 15, scheme


EVERYWHERE = [*SECURE, "--intercept", "0"]
BODY = b"POST /api/v2/projects HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{"
BEGINNINGS = {
    "http": b"GET / HTTP/1.1\r\nhost: ",
    "body": BODY,
    "answered": get("/_emulator/health") + BODY,
    "https": b"\x16\x03\x01",
    "secure": b"GET / HTTP/1.1\r\nhost: ",
    "proxy": b"CONNECT foas.aliyuncs.com:80 HTTP/1.1\r\n\r\n",
}
"""What strangers send, of whom those named `https` and `secure` come to that port."""


@pytest.mark.parametrize(
    ("more", "strangers"),
    [
        ([], ["http"]),
        ([], ["body"]),
        ([], ["answered"]),
        (SECURE, ["http"]),
        (SECURE, ["https"]),
        (EVERYWHERE, ["http", "proxy", "secure", "https"]),
    ],
)
def test_strangers_that_take_all_descriptors_do_not_shut_others_out(
    more: list[str], strangers: list[str], tmp_path: Path
) -> None:
    """Whether they stop in the head of a request, in its body, or in a TLS handshake, at one port or at all of them."""
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    command = [sys.executable, "-m", "foas_emulator", "serve", "--port", "0", *more]
    limit = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (100, 100))
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    with (tmp_path / "log").open("wb") as log, ExitStack() as stack:
        server = subprocess.Popen(command, preexec_fn=limit, stdout=subprocess.PIPE, stderr=log, encoding="utf-8")  # noqa: PLW1509
        try:
            assert server.stdout is not None
            stack.enter_context(server.stdout)
            ports: dict[str, int] = {}
            for line in iter(server.stdout.readline, ""):
                found = re.fullmatch(r"(?:listening on|proxy:) (https?)://127\.0\.0\.1:(\d+)\n", line)
                if found is not None:
                    ports["proxy" if line.startswith("proxy") else found[1]] = int(found[2])
                if line.startswith("proxy" if "--intercept" in more else "docs"):
                    break

            def come(scheme: str) -> socket:
                return stack.enter_context(create_connection(("127.0.0.1", ports[scheme]), timeout=20))

            for stranger in strangers:
                port = {"secure": "https"}.get(stranger, stranger if stranger in ports else "http")
                for _ in range(300 // len(strangers)):
                    with suppress(OSError):  # it was among those that were closed
                        connection = come(port)
                        if stranger == "secure":
                            connection = stack.enter_context(anyone.wrap_socket(connection))
                        connection.sendall(BEGINNINGS[stranger])
            check_others(ports, come, anyone)
        finally:
            server.terminate()
            server.wait()
    assert WARNING in (tmp_path / "log").read_text("utf-8")
