"""Of too many connections, those are closed that have waited the longest for a request."""

import asyncio
import gc
import logging
import re
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from socket import create_connection, socket
from typing import Any

import pytest

from foas_emulator.serving import crowds
from foas_emulator.serving.crowds import Crowd
from foas_emulator.serving.descriptors import SPARE
from foas_emulator.serving.http_protocol import EmulatorProtocol
from foas_emulator.testing import Emulator
from tests.serving.test_http_protocol import connect, get, parse, read_all, refused

WARNING = "too many connections: those that have waited the longest for a request are closed"


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
        assert parse(asked.recv(65536))[0] == 200
        for _ in range(2):
            fresh = stack.enter_context(closing(connect(emulator)))
            fresh.sendall(get("/_emulator/health"))
            assert parse(fresh.recv(65536))[0] == 200
        assert read_all(half) == b""
        for kept in (asked, silent, fresh):
            kept.sendall(get("/_emulator/health"))
            assert parse(kept.recv(65536))[0] == 200


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


def test_an_idle_connection_holds_nothing_of_its_last_request() -> None:
    with Emulator() as emulator, closing(connect(emulator)) as connection:
        for _ in range(2):
            connection.sendall(get("/_emulator/health", f"x: {'y' * 5000}"))
            assert parse(connection.recv(65536))[0] == 200
        assert held_by_connections() == [None]
        head = get("/nowhere", "content-length: 100000").replace(b"GET", b"POST")
        connection.sendall(head + b"x" * 90_000)
        assert parse(connection.recv(65536))[0] == 404
        (held,) = held_by_connections()
        assert held is None or not held.body
        connection.sendall(b"x" * 10_000 + get("/_emulator/health"))
        assert parse(connection.recv(65536))[0] == 200
        assert held_by_connections() == [None]


def held_by_connections() -> list[Any]:
    """What the connections of this process hold of requests."""
    return [each.cycle for each in gc.get_objects() if isinstance(each, EmulatorProtocol) and each.parser is not None]


@pytest.mark.parametrize(("more", "stranger"), [([], "http"), (SECURE, "http"), (SECURE, "https")])
def test_strangers_that_take_all_descriptors_do_not_shut_others_out(
    more: list[str], stranger: str, tmp_path: Path
) -> None:
    """Whether they stop in the head of a request, or in a TLS handshake."""
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    command = [sys.executable, "-m", "foas_emulator", "serve", "--port", "0", *more]
    limit = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (100, 100))
    begin = {"http": b"GET / HTTP/1.1\r\nhost: ", "https": b"\x16\x03\x01"}
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    with (tmp_path / "log").open("wb") as log, ExitStack() as stack:
        server = subprocess.Popen(command, preexec_fn=limit, stdout=subprocess.PIPE, stderr=log, encoding="utf-8")  # noqa: PLW1509
        try:
            assert server.stdout is not None
            stack.enter_context(server.stdout)
            ports: dict[str, int] = {}
            for line in (server.stdout.readline() for _ in range(2 if more else 1)):
                found = re.search(r"(https?)://127\.0\.0\.1:(\d+)", line)
                assert found is not None
                ports[found[1]] = int(found[2])

            def come(scheme: str) -> socket:
                return stack.enter_context(create_connection(("127.0.0.1", ports[scheme]), timeout=20))

            for _ in range(300):
                with suppress(ConnectionError):  # it was among those that were closed
                    come(stranger).sendall(begin[stranger])
            for scheme in ports:
                answers = 0
                for _ in range(20):
                    with suppress(OSError):  # the system may refuse the first ones, which come with the strangers
                        connection = come(scheme)
                        if scheme == "https":
                            connection = stack.enter_context(anyone.wrap_socket(connection))
                        connection.sendall(get("/_emulator/health"))
                        answers += connection.recv(65536).startswith(b"HTTP/1.1 200")
                assert answers >= 15, scheme
        finally:
            server.terminate()
            server.wait()
    assert WARNING in (tmp_path / "log").read_text("utf-8")
