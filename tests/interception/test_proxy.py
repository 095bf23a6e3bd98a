"""The proxy in front of an emulator that listens."""

import asyncio
import errno
import gc
import http.client
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Container, Iterator
from contextlib import closing, nullcontext, suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import pytest

from foas_emulator.control.answers import InterceptionShown
from foas_emulator.interception import proxy as proxy_module
from foas_emulator.interception.hosts import Policy
from foas_emulator.interception.proxy import Limits, Proxy
from foas_emulator.interception.relay import Activity, close, relay
from foas_emulator.serving.server import new_event_loop
from foas_emulator.testing import Emulator
from tests.wire import INSTANCE, signed_v1

HOST = "foas.cn-hangzhou.aliyuncs.com"
SECONDS = 60


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(intercept=0, signature="strict") as running:
        yield running


@pytest.fixture(scope="module")
def interception(emulator: Emulator) -> dict[str, Any]:
    return dict(emulator.control.request("GET", "/interception"))


def tunnel(interception: dict[str, Any], host: str) -> http.client.HTTPSConnection:
    trusting = ssl.create_default_context(cafile=f"{interception['files']}/bundle.pem")
    connection = http.client.HTTPSConnection("127.0.0.1", interception["port"], timeout=SECONDS, context=trusting)
    connection.set_tunnel(host, 443)
    return connection


def ask(connection: http.client.HTTPConnection, target: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    with closing(connection):
        connection.request("GET", target, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read().decode()


def plain(interception: dict[str, Any]) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", interception["port"], timeout=SECONDS)


def test_what_is_told_of_the_proxy_has_the_form_that_the_document_gives_it(interception: dict[str, Any]) -> None:
    assert InterceptionShown.model_validate(interception).model_dump() == interception


def test_a_signed_call_for_the_real_host_is_answered_by_the_emulator(interception: dict[str, Any]) -> None:
    status, text = ask(tunnel(interception, HOST), INSTANCE, signed_v1())
    assert (status, json.loads(text)["Instance"]["Id"]) == (200, 412536)


@pytest.mark.parametrize("port", ["", ":80", ":443", ":8080"])
def test_plain_http_for_the_real_host_is_too_at_any_port(interception: dict[str, Any], port: str) -> None:
    status, text = ask(plain(interception), f"http://{HOST}{port}{INSTANCE}", signed_v1() | {"host": f"{HOST}{port}"})
    assert (status, json.loads(text)["Instance"]["Id"]) == (200, 412536)


def test_a_strict_server_refuses_what_is_not_signed_there_too_under_the_name_it_was_asked_by(
    interception: dict[str, Any],
) -> None:
    status, text = ask(tunnel(interception, HOST), INSTANCE)
    assert (status, json.loads(text)["HostId"]) == (400, HOST)


def test_another_host_is_told_why_not_in_the_status_line(interception: dict[str, Any]) -> None:
    with pytest.raises(OSError, match=r"--intercept-allow ecs\.aliyuncs\.com lets this one through"):
        ask(tunnel(interception, "ecs.aliyuncs.com"), "/")
    status, text = ask(plain(interception), "http://ecs.aliyuncs.com/")
    assert status == 403
    assert json.loads(text)["Message"].endswith("--intercept-allow ecs.aliyuncs.com lets this one through.")
    status, text = ask(plain(interception), "http://ecs.aliyuncs.com/", {"accept": "application/xml"})
    assert "<Code>RefusedByEmulator</Code>" in text


def test_a_host_that_no_thread_can_look_up_is_not_reached(
    interception: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    status, text = ask(plain(interception), "http://localhost:1/")
    assert status == 502
    assert "cannot reach localhost on port 1: can't start new thread" in text


def test_a_host_that_may_be_reached_and_cannot_be_is_logged(
    interception: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    status, _ = ask(plain(interception), "http://127.0.0.1:1/")
    assert status == 502
    (told,) = [record for record in caplog.records if "cannot reach 127.0.0.1 on port 1" in record.getMessage()]
    assert told.levelname == "WARNING"


def test_a_tunnel_for_foas_serves_no_other_host(interception: dict[str, Any]) -> None:
    status, text = ask(tunnel(interception, HOST), "/", {"host": "ecs.aliyuncs.com"})
    assert (status, "ecs.aliyuncs.com" in text) == (421, True)


@pytest.mark.parametrize("host", ["localhost", "location.aliyuncs.com", HOST])
def test_no_type_of_an_intercepted_answer_is_guessed(interception: dict[str, Any], host: str) -> None:
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    assert raw(interception["node"]["plain"], request).count(b"x-content-type-options: nosniff") == 1


def test_this_machine_is_reached_through_the_proxy(interception: dict[str, Any], emulator: Emulator) -> None:
    status, text = ask(plain(interception), f"{emulator.url}/_emulator/health")
    assert (status, json.loads(text)) == (200, {"status": "ok"})


def location(interception: dict[str, Any], **query: str) -> tuple[int, dict[str, Any]]:
    target = "/?" + "&".join(f"{name}={quote(value)}" for name, value in query.items())
    status, text = ask(tunnel(interception, "location-readonly.aliyuncs.com"), target)
    return status, json.loads(text)


def test_the_location_service_names_a_host_of_ours_for_any_region(interception: dict[str, Any]) -> None:
    status, answer = location(interception, Action="DescribeEndpoints", ServiceCode="foas", Id="cn-nowhere-1")
    (endpoint,) = answer["Endpoints"]["Endpoint"]
    assert (status, endpoint["Endpoint"], endpoint["SerivceCode"]) == (200, "foas.cn-nowhere-1.aliyuncs.com", "foas")
    assert Policy().route(endpoint["Endpoint"], 443) == Policy().route(HOST, 443)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"ServiceCode": "ecs", "Id": "cn-hangzhou"}, 400, "Illegal Parameter"),
        ({"ServiceCode": "foas", "Id": "no region"}, 404, "InvalidRegionId"),
        ({"Action": "DescribeRegions", "ServiceCode": "foas", "Id": "cn-hangzhou"}, 404, "InvalidAction.NotFound"),
    ],
)
def test_what_the_location_service_does_not_know_has_the_codes_that_sdks_know(
    interception: dict[str, Any], query: dict[str, str], status: int, code: str
) -> None:
    answered, answer = location(interception, **query)
    assert (answered, answer["Code"]) == (status, code)


def raw(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01", b"400"),
        (b"GET http://a/ HTTP/1.1\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", b"431"),
        (b"GET http://127.0.0.1:1/ HTTP/1.1\r\n\r\n", b"502"),
    ],
)
def test_a_request_that_the_proxy_cannot_serve_gets_a_sentence(
    interception: dict[str, Any], request_: bytes, status: bytes
) -> None:
    answer = raw(interception["port"], request_)
    assert answer.startswith(b"HTTP/1.1 " + status + b" ")
    assert b"\r\nx-content-type-options: nosniff\r\n" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["Message"].endswith(".")


def test_a_connection_that_serves_one_address_ends_with_its_answer(interception: dict[str, Any]) -> None:
    """The next request on it could be for another host, and would pass unseen."""
    request = f"GET http://{HOST}/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    answer = raw(interception["port"], request * 1000)
    assert answer.count(b"HTTP/1.1 ") == 1


def test_of_a_request_its_body_is_passed_on_and_nothing_behind_it(interception: dict[str, Any]) -> None:
    body = b"clusterId=none&deployType=cell&name=x"
    head = f"POST http://{HOST}/api/v2/projects HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n"
    form = "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    answer = raw(interception["port"], (head + form).encode() + body + b"GET / HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")  # it is not signed, which is looked at when the body has come
    assert answer.count(b"HTTP/1.1 ") == 1


def test_what_a_refused_client_still_sends_is_taken_within_limits() -> None:
    async def answers() -> list[bytes]:
        proxy = Proxy(Policy(), plain=("127.0.0.1", 1), secure=("127.0.0.1", 1), limits=Limits(rest=300_000))
        listener = socket.create_server(("127.0.0.1", 0))
        await proxy.start(listener)
        try:
            return [await asyncio.to_thread(sent_behind, listener.getsockname()[1], size) for size in (200_000, 10**8)]
        finally:
            await proxy.stop()

    def sent_behind(port: int, size: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            answer = connection.recv(65536)
            try:
                connection.sendall(b"x" * size)
            except ConnectionError:
                return b"ended"
            return answer + connection.recv(65536)

    taken, ended = asyncio.run(answers())
    assert taken.startswith(b"HTTP/1.1 400 ")
    assert ended == b"ended"


def test_what_a_fault_does_to_a_connection_reaches_the_client(interception: dict[str, Any], emulator: Emulator) -> None:
    world = emulator.world("severed")
    world.create()
    world.faults.arm({"drop": True})
    with pytest.raises((http.client.RemoteDisconnected, ssl.SSLEOFError, ConnectionResetError)):
        ask(tunnel(interception, HOST), INSTANCE, signed_v1(key="world-severed"))
    assert world.faults.rules()[0]["hits"] == 1


def test_a_head_must_arrive_in_time() -> None:
    async def answer() -> bytes:
        limits = Limits(head_within=0.01)
        proxy = Proxy(Policy(), plain=("127.0.0.1", 1), secure=("127.0.0.1", 1), limits=limits)
        listener = socket.create_server(("127.0.0.1", 0))
        await proxy.start(listener)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        received = await reader.read()
        writer.close()
        await proxy.stop()
        return received

    assert asyncio.run(answer()).startswith(b"HTTP/1.1 408 ")


def test_room_is_made_for_both_ends_of_a_tunnel() -> None:
    async def descriptors() -> list[int]:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        made: list[int] = []
        proxy = Proxy(Policy(), plain=("", 1), secure=server.sockets[0].getsockname(), make_room=made.append)
        listener = socket.create_server(("127.0.0.1", 0))
        await proxy.start(listener)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
        await reader.read()
        await proxy.stop()
        writer.close()
        await writer.wait_closed()
        server.close()
        return made

    assert len({*asyncio.run(descriptors())}) == 2


@pytest.mark.parametrize("end", ["client", "server"])
def test_a_connection_whose_descriptor_the_system_does_not_tell_is_closed(
    interception: dict[str, Any], monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """As uvloop does where the other end is gone already."""
    descriptor_of, asked = proxy_module._descriptor_of, count()

    def gone(writer: asyncio.StreamWriter) -> int:
        if next(asked) == ("client", "server").index(end):
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
        return descriptor_of(writer)

    monkeypatch.setattr(proxy_module, "_descriptor_of", gone)
    address = "127.0.0.1", interception["port"]
    with socket.create_connection(address, timeout=SECONDS) as client, suppress(ConnectionError):
        client.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        assert client.recv(100) == b""
    assert ask(tunnel(interception, HOST), INSTANCE)[0] in (200, 400)


def test_of_too_many_connections_those_that_were_silent_for_the_longest_are_closed() -> None:
    """Whether they have sent nothing, or have a tunnel in which nothing passes."""

    async def answers() -> list[bytes]:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        proxy = Proxy(Policy(), plain=("", 1), secure=server.sockets[0].getsockname(), limits=Limits(connections=3))
        listener = socket.create_server(("127.0.0.1", 0))
        await proxy.start(listener)
        silent, idle, busy = [await asyncio.open_connection(*listener.getsockname()) for _ in range(3)]
        for reader, writer in (idle, busy):
            writer.write(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
            await reader.readuntil(b"\r\n\r\n")
        busy[1].write(b"1")
        await busy[0].readexactly(1)
        late = [await asyncio.open_connection(*listener.getsockname()) for _ in range(2)]
        received = [await reader.read() for reader, _ in (silent, idle)]
        busy[1].write(b"2")
        received.append(await busy[0].readexactly(1))
        late[1][1].write(b"GET / HTTP/1.1\r\n\r\n")
        received.append(await late[1][0].readexactly(12))
        crowd = [await asyncio.open_connection(*listener.getsockname()) for _ in range(20)]  # some in one turn
        crowd[-1][1].write(b"GET / HTTP/1.1\r\n\r\n")
        received.append(await crowd[-1][0].readexactly(12))
        received += [await reader.read() for reader, _ in (busy, *crowd[:-3])]
        await proxy.stop()
        assert not proxy._connections
        for _, writer in (silent, idle, busy, *late, *crowd):
            writer.close()
        server.close()
        return received

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1):
            writer.write(data)
        writer.close()

    first = [b"", b"", b"2", b"HTTP/1.1 400", b"HTTP/1.1 400"]
    for loop_factory in (new_event_loop, asyncio.new_event_loop):
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            assert runner.run(asyncio.wait_for(answers(), SECONDS)) == [*first, *[b""] * 18]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_proxy_does_not_lead_to_itself(interception: dict[str, Any], host: str) -> None:
    """Else one client could take all of its places, and let every byte pass a thousand times."""
    connection = http.client.HTTPConnection("127.0.0.1", interception["port"], timeout=SECONDS)
    connection.set_tunnel(host, interception["port"])
    with pytest.raises(OSError, match="foas-emulator cannot reach"):
        ask(connection, "/")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"])
@pytest.mark.parametrize(
    ("name", "loopback", "is_reached"), [("a.name", False, False), ("a.name", True, True), ("localhost", False, True)]
)
def test_no_allowed_name_leads_others_to_this_machine(
    address: str, name: str, *, loopback: bool, is_reached: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    async def look_up(_: Proxy, __: str) -> list[str]:
        return [address]

    async def open_connection(*target: object) -> None:
        opened.append(target)

    monkeypatch.setattr(Proxy, "_addresses", look_up)
    monkeypatch.setattr(asyncio, "open_connection", open_connection)
    proxy = Proxy(Policy(allowed=(name,), loopback=loopback), plain=("", 1), secure=("", 1))
    with nullcontext() if is_reached else pytest.raises(OSError, match="only those of this machine"):
        asyncio.run(proxy._open(name, 80))
    assert opened == ([(address, 80)] if is_reached else [])


def test_nor_by_its_address_in_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every address of this machine is one from which a connection to it comes; here it is that of loopback."""
    monkeypatch.setattr(proxy_module, "_is_of_this_machine", lambda _: False)

    async def look_up(_: Proxy, __: str) -> list[str]:
        return ["127.0.0.1"]

    async def opened(policy: Policy, host: str) -> None:
        proxy = Proxy(policy, plain=("", 1), secure=("", 1))
        with socket.create_server(("127.0.0.1", 0)) as server:
            close(await proxy._open(host, server.getsockname()[1]))

    monkeypatch.setattr(Proxy, "_addresses", look_up)
    asyncio.run(opened(Policy(allowed=("a.name",), loopback=True), "a.name"))
    asyncio.run(opened(Policy(allowed=("127.0.0.1",), loopback=False), "127.0.0.1"))
    with pytest.raises(OSError, match="only those of this machine"):
        asyncio.run(opened(Policy(allowed=("a.name",), loopback=False), "a.name"))


def test_a_silent_connection_is_ended() -> None:
    async def left() -> bytes:
        async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        silent = await asyncio.start_server(never, "127.0.0.1", 0)
        address = silent.sockets[0].getsockname()[:2]
        proxy = Proxy(Policy(), plain=address, secure=address, limits=Limits(idle=0.01))
        listener = socket.create_server(("127.0.0.1", 0))
        await proxy.start(listener)
        reader, writer = await asyncio.open_connection(*listener.getsockname()[:2])
        writer.write(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
        received = await reader.read()
        writer.close()
        await proxy.stop()
        silent.close()
        return received

    assert asyncio.run(left()) == b"HTTP/1.1 200 Connection established\r\n\r\n"


@pytest.mark.parametrize("request_line", ["CONNECT {host}:443 HTTP/1.1", "GET http://{host}/ HTTP/1.1"])
def test_a_client_that_reads_nothing_of_a_long_answer_is_ended(request_line: str) -> None:
    async def left() -> bool:
        async def send_without_end(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                while True:
                    writer.write(b"x" * 65536)
                    await writer.drain()
            writer.close()

        server = await asyncio.start_server(send_without_end, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()[:2]
        proxy = Proxy(Policy(), plain=address, secure=address, limits=Limits(idle=0.2))
        listener = socket.create_server(("127.0.0.1", 0))
        await proxy.start(listener)
        slow = socket.create_connection(listener.getsockname())
        slow.sendall(request_line.format(host=HOST).encode() + b"\r\n\r\n")
        while not proxy._connections:  # noqa: ASYNC110 - it is not told
            await asyncio.sleep(0.01)
        with closing(slow):
            for _ in range(SECONDS * 10):
                await asyncio.sleep(0.1)
                if not proxy._connections:
                    break
        is_ended = not proxy._connections
        await proxy.stop()
        server.close()
        return is_ended

    assert asyncio.run(left())


def test_a_tunnel_ends_with_a_client_that_resets_it() -> None:
    async def ends() -> bytes:
        received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                received.set_result(await reader.read())
            except ConnectionResetError:
                received.set_result(b"")
            writer.close()

        server = await asyncio.start_server(listen, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()[:2]
        proxy = Proxy(Policy(), plain=address, secure=address)
        listener = socket.create_server(("127.0.0.1", 0))
        await proxy.start(listener)
        reader, writer = await asyncio.open_connection(*listener.getsockname()[:2])
        writer.write(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        no_linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
        writer.transport.abort()
        try:
            return await asyncio.wait_for(received, SECONDS)
        finally:
            await proxy.stop()
            server.close()

    assert asyncio.run(ends()) == b""


@pytest.mark.parametrize("vanished", ["client", "server"])
def test_a_connection_whose_other_end_has_vanished_ends_the_other_at_once(vanished: str) -> None:
    """The system then raises TimeoutError for every read, as the limit of the silence does."""

    async def seconds_until_the_end() -> float:
        ends = {}
        for name in ("client", "server"):
            here, there = socket.socketpair()
            ends[name] = await asyncio.open_connection(sock=here), there
        ends[vanished][0][0].set_exception(TimeoutError(errno.ETIMEDOUT, "Connection timed out"))
        begun = time.monotonic()
        await relay(ends["client"][0], ends["server"][0], Activity(60))
        taken = time.monotonic() - begun
        for (_, writer), there in ends.values():
            writer.transport.abort()
            there.close()
        return taken

    assert asyncio.run(seconds_until_the_end()) < 30


def test_a_client_that_leaves_before_it_can_be_refused_is_no_fault_of_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def faults() -> list[dict[str, Any]]:
        has_left, found = asyncio.Event(), list[dict[str, Any]]()

        async def look_up(*_: object) -> list[str]:
            await has_left.wait()
            return []

        monkeypatch.setattr(Proxy, "_addresses", look_up)
        asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
        proxy = Proxy(Policy(allowed=("far.example",)), plain=("", 1), secure=("", 1))
        listener = socket.create_server(("127.0.0.1", 0))
        await proxy.start(listener)
        client = socket.create_connection(listener.getsockname())
        client.sendall(b"CONNECT far.example:443 HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0.1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        await asyncio.sleep(0.1)
        has_left.set()
        for _ in range(100):
            await asyncio.sleep(0.01)
            gc.collect()  # a task that nobody has awaited tells its fault when it goes
            if not proxy._connections:
                break
        await asyncio.sleep(0.01)
        gc.collect()
        await proxy.stop()
        return found

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        assert runner.run(faults()) == []


def test_a_name_that_no_certificate_can_be_made_for_gets_that_of_this_machine(interception: dict[str, Any]) -> None:
    connection = tunnel(interception, "foas.-.aliyuncs.com")
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        ask(connection, INSTANCE)


def test_files_go_when_the_server_stops() -> None:
    with Emulator(intercept=0) as emulator:
        files = Path(emulator.control.request("GET", "/interception")["files"])
        assert (files / "bundle.pem").is_file()
    assert not files.exists()


def test_an_answer_in_progress_reaches_its_client_when_the_server_stops() -> None:
    rules = "/worlds/default/faults"
    with Emulator(intercept=0) as emulator:
        emulator.control.request("POST", rules, {"effect": {"latency": "300ms"}})
        port = emulator.control.request("GET", "/interception")["port"]
        connection = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        connection.sendall(f"GET http://{HOST}{INSTANCE} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        while not emulator.control.request("GET", rules)["faults"][0]["hits"]:
            time.sleep(0.01)
    with connection, connection.makefile("rb") as answer:
        assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
        assert b"412536" in answer.read()


def test_a_connection_that_was_reset_leaves_no_cycle_in_memory() -> None:
    """Cycles that are frozen (garbage.py) stay in memory while a server is busy, with what the reader holds."""

    def new_ones(known: Container[int]) -> list[object]:
        return [each for each in gc.get_objects() if isinstance(each, TracebackType) and id(each) not in known]

    async def left() -> list[object]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()[:2]
        proxy = Proxy(Policy(), plain=address, secure=address)
        listener = socket.create_server(("127.0.0.1", 0))
        await proxy.start(listener)
        gc.collect()
        gc.disable()
        before = {id(each) for each in new_ones(())}
        for _ in range(3):
            client = socket.create_connection(listener.getsockname())
            client.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
            await asyncio.sleep(0.1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            await asyncio.sleep(0.1)
        deadline = time.monotonic() + 20
        while (found := new_ones(before)) and time.monotonic() < deadline:  # noqa: ASYNC110 - garbage tells nobody
            await asyncio.sleep(0.1)
        await proxy.stop()
        server.close()
        return found

    try:
        assert asyncio.run(left()) == []
    finally:
        gc.enable()
