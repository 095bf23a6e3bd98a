"""The server's connections: how long they are kept, what they refuse, and how long they wait for a slow client."""

import asyncio
import errno
import gc
import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlsplit
from weakref import WeakSet

import pytest
from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from foas_emulator.serving import http_protocol, http_transports
from foas_emulator.serving.http_limits import MAX_HEAD, MAX_HEADERS, MAX_PIPELINED, MAX_TARGET
from foas_emulator.serving.http_protocol import EmulatorProtocol
from foas_emulator.serving.uvicorn_servers import accept_all_who_wait
from foas_emulator.testing import Emulator
from tests.wire import INSTANCE

T = TypeVar("T")
FOLDERS = "/api/v2/projects/demo/folders"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A server that gives clients up as fast as it can."""
    monkeypatch.setattr(http_protocol, "PATIENCE", 0.2)
    with Emulator() as running:
        yield running


def connect(emulator: Emulator) -> socket.socket:
    parts = urlsplit(emulator.url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20)


def read_all(connection: socket.socket) -> bytes:
    """All that comes until the server ends the connection."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def send(emulator: Emulator, *pieces: bytes) -> bytes:
    """All that a connection answers to these pieces, each of which is sent on its own."""
    with closing(connect(emulator)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            try:
                connection.sendall(piece)
            except ConnectionError:
                break  # it was refused already
            time.sleep(0.05 if len(pieces) > 1 else 0)
        return read_all(connection)


def parse(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    return int(line.split()[1]), dict(header.split(": ", 1) for header in headers), body


def refused(answer: bytes, *, status: int = 400) -> str:
    """The hint of a refusal in the gateway's JSON envelope."""
    got, headers, body = parse(answer)
    assert got == status, answer
    document = json.loads(body)
    assert document["RequestId"] == headers["x-acs-request-id"]
    assert document["Code"]
    assert headers["connection"] == "close"
    return headers["x-emulator-hint"]


def get(target: str, *headers: str) -> bytes:
    lines = [f"GET {target} HTTP/1.1", "host: localhost", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def entries(emulator: Emulator, world: str) -> list[dict[str, Any]]:
    return emulator.world(world).journal.entries()


# -- idle connections


def test_an_idle_connection_is_kept_longer_than_its_client_is_told(emulator: Emulator) -> None:
    with closing(connect(emulator)) as connection:
        connection.sendall(get("/_emulator/health"))
        _, headers, _ = parse(connection.recv(65536))
        assert headers["keep-alive"] == "timeout=75"


def test_an_idle_connection_is_closed_after_the_setting_and_some_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foas_emulator.serving.uvicorn_servers.CLOSE_AFTER", 0.1)
    with Emulator(keep_alive="0s") as emulator:
        assert parse(send(emulator, get("/_emulator/health")))[0] == 200
        assert send(emulator) == b"", "and one on which nothing was asked"


class _Transport:
    """Holds a socket, and what was done with it."""

    def __init__(self, held: socket.socket) -> None:
        self.held = held
        self.is_closed = False

    def get_extra_info(self, _: str) -> socket.socket:
        return self.held

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True


def test_a_connection_is_not_closed_while_a_request_waits_to_be_read() -> None:
    class Loop:
        calls = 0

        def call_later(self, *_: object) -> None:
            self.calls += 1

    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        protocol = http_protocol.EmulatorProtocol.__new__(http_protocol.EmulatorProtocol)
        transport, loop = _Transport(ours), Loop()
        protocol.transport, protocol.loop, protocol.timeout_keep_alive = transport, loop, 1  # type: ignore[assignment]
        theirs.sendall(b"GET")
        protocol.timeout_keep_alive_handler()
        assert (transport.is_closed, loop.calls) == (False, 1)
        ours.recv(3)
        protocol.timeout_keep_alive_handler()
        assert (transport.is_closed, loop.calls) == (True, 1)


def test_a_request_that_waits_to_be_read_when_the_server_stops_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator() as emulator:
        connection = connect(emulator)
        connection.sendall(get("/_emulator/health"))
        connection.recv(65536)

        def ask_meanwhile(_: object) -> bool:
            connection.sendall(get(INSTANCE))
            return True

        monkeypatch.setattr(http_protocol, "has_unread_bytes", ask_meanwhile)
    with closing(connection):
        status, headers, _ = parse(read_all(connection))
    assert (status, headers["connection"]) == (200, "close")


def test_a_server_that_stops_listens_until_those_are_accepted_that_came_while_it_was_busy() -> None:
    async def stop() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            callers = [socket.create_connection(listener.getsockname(), timeout=20) for _ in range(3)]

            async def accept_one_in_each_turn() -> None:
                for caller in callers:
                    await asyncio.sleep(0)
                    listener.accept()[0].close()
                    caller.close()

            accepting = asyncio.create_task(accept_one_in_each_turn())
            await accept_all_who_wait([listener])
            assert accepting.done()

    asyncio.run(stop())


# -- bodies that are announced


EXPECTING = "content-type: application/json", "expect: 100-continue"


def test_a_client_that_may_not_send_its_body_after_a_refusal_is_told_that_the_connection_ends(
    emulator: Emulator,
) -> None:
    for path, length, status in ((FOLDERS, 100_000_000, 413), ("/nowhere", 5, 404)):
        request = get(path, *EXPECTING, f"content-length: {length}").replace(b"GET", b"POST", 1)
        answer = send(emulator, request)  # and no body: Apache's client for Java sends its next request then
        got, headers, _ = parse(answer)
        assert (got, headers["connection"]) == (status, "close")


@pytest.mark.parametrize("together", [True, False])
def test_a_connection_is_kept_after_a_body_that_was_asked_for(emulator: Emulator, *, together: bool) -> None:
    body = b'{"path":"/%d"}' % together
    head = get(FOLDERS, *EXPECTING, f"content-length: {len(body)}").replace(b"GET", b"POST", 1)
    with closing(connect(emulator)) as connection:
        if together:
            connection.sendall(head + body)
        else:
            connection.sendall(head)
            assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(body)
        connection.sendall(get(INSTANCE, "connection: close"))
        first, second = [b"HTTP/1.1 " + each for each in read_all(connection).split(b"HTTP/1.1 ")[-2:]]
    assert parse(first)[0] == 200
    assert "connection" not in parse(first)[1]
    assert parse(second)[0] == 200


def test_a_client_of_http_1_0_is_not_asked_for_its_body(emulator: Emulator) -> None:
    request = f"POST {FOLDERS} HTTP/1.0\r\n{EXPECTING[1]}\r\ncontent-length: 2\r\n\r\n{{}}"
    assert parse(send(emulator, request.encode()))[0] == 400


# -- what the parser refuses


@pytest.mark.parametrize("cut", [None, 10, 34, 36, 50])
def test_raw_utf8_in_path_and_query_is_read_as_if_it_were_percent_encoded(emulator: Emulator, cut: int | None) -> None:
    name = "项目"
    emulator.world("raw").seed({"projects": [{"Name": name, "jobs": [{"JobName": "作业"}]}]})
    target = f"/api/v2/projects/{name}/jobs/作业?ignored=值"
    request = get(target, "x-emulator-world: raw", "connection: close")
    pieces = [request] if cut is None else [request[:cut], request[cut:]]
    status, _, body = parse(send(emulator, *pieces))
    assert (status, json.loads(body)["Job"]["JobName"]) == (200, "作业")
    encoded = get(quote(target, safe="/?="), "x-emulator-world: raw", "connection: close")
    assert json.loads(parse(send(emulator, encoded))[2])["Job"] == json.loads(body)["Job"]


def test_raw_bytes_that_are_no_utf8_are_refused_as_their_escapes_are(emulator: Emulator) -> None:
    request = b"GET /api/v2/projects/\xff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    status, headers, body = parse(send(emulator, request))
    assert (status, json.loads(body)["Code"]) == (400, "RequestParameterMalformed")
    assert "UTF-8" in headers["x-emulator-hint"]


@pytest.mark.parametrize(
    ("request_", "hint"),
    [
        (b"GET /api/v2/projects/a b HTTP/1.1\r\n\r\n", "holds a space: write it as %20"),
        (b"GET /a\x01b HTTP/1.1\r\n\r\n", "percent-encode it"),
        (b"GET /api/v2/projects HTTP/1.1\r\n\r\n", "one Host header, and this one has 0. HAProxy's checks"),
        (b"GET /_emulator/info HTTP/1.1\r\nhost: localhost\r\nhost: a.name\r\n\r\n", "and this one has 2"),
        (b"GET / HTTP/1.0\r\nhost: a\r\nhost: a\r\n\r\n", "and this one has 2"),
        (b"GET http://a.name/ HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", "and this one has 2"),
        (b"GET http://[::1/ HTTP/1.1\r\nhost: a\r\n\r\n", "The host in the request line cannot be read"),
        (b"GET http://a.name@localhost/ HTTP/1.1\r\nhost: a\r\n\r\n", "The host in the request line cannot be read"),
        (b"GET / HTTP/2.0\r\nhost: a\r\n\r\n", "HTTP/2.0 was sent to a server that speaks HTTP/1.1"),
        (b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n", "that is supported is chunked"),
        (
            b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: identity\r\ntransfer-encoding: chunked\r\n\r\n",
            "that is supported is chunked",
        ),
        (b"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n", "alone and in HTTP/1.1"),
        (b"FETCH / HTTP/1.1\r\n\r\n", "does not begin with an HTTP method"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "TLS was sent to the http port"),
        (
            b"CONNECT foas.aliyuncs.com:443 HTTP/1.1\r\nHost: foas.aliyuncs.com:443\r\n\r\n",
            "which is not a proxy: start with --intercept",
        ),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2 was sent to a server that speaks HTTP/1.1"),
        (b"GET / HTTP/7.1\r\n\r\n", "Invalid HTTP version"),
        (b"GET / HTTP/1.1\r\na b: c\r\n\r\n", "Invalid header token"),
        (b"POST / HTTP/1.1\r\ncontent-length: many\r\n\r\n", "Content-Length"),
    ],
)
def test_what_cannot_be_read_is_refused_in_the_envelope_with_the_reason(
    emulator: Emulator, request_: bytes, hint: str
) -> None:
    assert hint in refused(send(emulator, request_))


@pytest.mark.parametrize(
    "target", ["http://a.name/_emulator/worlds", "HTTP://a.name:80/_emulator/worlds?", "x://a.name/docs"]
)
def test_the_host_in_a_target_counts_and_not_the_header(emulator: Emulator, target: str) -> None:
    assert parse(send(emulator, get(target, "connection: close")))[0] == 403
    own = get(target.replace("a.name", "localhost"), "connection: close").replace(b"host: localhost", b"host: a.name")
    assert parse(send(emulator, own))[0] == 200


def test_a_target_without_a_path_is_that_of_the_root(emulator: Emulator) -> None:
    for target in ("http://localhost", "http://localhost?a"):
        assert parse(send(emulator, get(target, "connection: close")))[0] == 307


def test_a_request_of_http_1_0_needs_no_host(emulator: Emulator) -> None:
    assert parse(send(emulator, b"GET /_emulator/health HTTP/1.0\r\n\r\n"))[0] == 200


def test_a_refusal_is_in_the_format_and_the_journal_that_the_readable_headers_name(emulator: Emulator) -> None:
    request = get("/api/v2/projects", "accept: text/xml", "x-emulator-world: unread", "a: b", "bad header: x")
    status, headers, body = parse(send(emulator, request))
    assert (status, headers["content-type"]) == (400, "text/xml;charset=utf-8")
    assert body.startswith(b"<?xml")
    (entry,) = entries(emulator, "unread")
    assert (entry["path"], entry["status"], entry["code"], entry["operation"]) == (
        "/api/v2/projects",
        400,
        "BadRequest",
        None,
    )


@pytest.mark.parametrize("target", ["/api/v2/projects/a b", "/a\x01b"])
def test_a_refused_request_line_is_answered_as_the_headers_after_it_name(emulator: Emulator, target: str) -> None:
    world = f"line-{len(target)}"
    request = get(target, "Host: emulator.test:80", "Accept: text/xml", f"x-emulator-world: {world}")
    status, headers, body = parse(send(emulator, request))
    assert (status, headers["content-type"]) == (400, "text/xml;charset=utf-8")
    assert b"<HostId>emulator.test</HostId>" in body
    (entry,) = entries(emulator, world)
    assert (entry["method"], entry["status"], entry["code"]) == ("GET", 400, "BadRequest")


def test_a_refused_request_line_is_not_answered_as_another_request_names(emulator: Emulator) -> None:
    first = get(INSTANCE, "accept: text/xml")
    answers = send(emulator, first + get("/a b"))
    assert b"HTTP/1.1 400" in answers
    assert answers.count(b"text/xml") == 1


def test_a_body_that_breaks_off_its_own_encoding_is_refused_and_changes_nothing(emulator: Emulator) -> None:
    head = (
        f"POST {FOLDERS} HTTP/1.1\r\nhost:\r\nx-emulator-world: broken\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    )
    assert "chunk size" in refused(send(emulator, head + b"6\r\npath=/\r\n", b"zz\r\n"))
    (entry,) = entries(emulator, "broken")
    assert entry["code"] == "BadRequest"


@pytest.mark.parametrize("path", ["/api/v2/projects", "/_emulator/worlds/alice/seed"])
@pytest.mark.parametrize("short", ["to keep a body", "to pass a body on"])
def test_a_body_for_which_there_is_no_memory_is_refused(
    path: str, short: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise MemoryError

    if short == "to keep a body":
        monkeypatch.setattr(EmulatorProtocol, "on_body", refuse)
    else:
        monkeypatch.setattr(RequestResponseCycle, "receive", refuse)
    request = f"POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}"
    answer = send(emulator, request.encode())
    assert parse(answer)[0] == 503
    assert b"no more memory" in answer
    assert "Traceback" not in caplog.text


def test_requests_before_the_one_that_cannot_be_read_are_answered(emulator: Emulator) -> None:
    answers = send(emulator, get(INSTANCE) + b"NONSENSE\r\n\r\n")
    assert answers.count(b"HTTP/1.1 ") == 2
    first, _, second = answers.partition(b"HTTP/1.1 400")
    assert parse(first)[0] == 200
    refused(b"HTTP/1.1 400" + second)


CHUNKED_POST = f"POST {FOLDERS} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_requests_before_the_one_whose_body_cannot_be_read_are_answered_first(
    emulator: Emulator, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    world = emulator.world(f"before-{number}")
    world.create()
    world.faults.arm({"latency": "50ms"})
    answers = send(emulator, get(INSTANCE, f"x-emulator-world: {world.name}") * number + CHUNKED_POST + b"zz\r\n")
    assert re.findall(rb"HTTP/1\.1 (\d{3})", answers) == [b"200"] * number + [b"400"]
    assert [entry["status"] for entry in world.journal.entries()] == [200] * number
    assert "Traceback" not in caplog.text
    assert f"POST {FOLDERS} 400" in caplog.text


@pytest.mark.parametrize("path", ["/nowhere", "/_emulator/worlds/default/events"])
def test_a_request_that_was_answered_before_its_body_broke_off_gets_no_second_answer(
    emulator: Emulator, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    emulator.world("default").create()
    with closing(connect(emulator)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        if path == "/nowhere":
            begun = connection.recv(65536)
            connection.sendall(b"zz\r\n")
        else:
            begun = b""
            connection.sendall(b"0\r\n\r\n")
            while b": here" not in begun:
                begun += connection.recv(65536)
            connection.sendall(CHUNKED_POST + b"zz\r\n")
        connection.settimeout(20 if path == "/nowhere" else 2)
        try:
            begun += read_all(connection)
        except TimeoutError:
            assert path != "/nowhere"
    assert begun.count(b"HTTP/1.1 ") == 1
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("target", ["/_emulator/health?a=项", "/_emulator/health"])
def test_what_follows_a_request_that_closes_the_connection_is_ignored(emulator: Emulator, target: str) -> None:
    for offer in ([], ["upgrade: h2c"]):
        request = get(target, "connection: close, upgrade", *offer)
        answers = send(emulator, request + get("/_emulator/health"))
        assert answers.count(b"HTTP/1.1 ") == answers.count(b"HTTP/1.1 200") == 1


def test_raw_utf8_after_a_body_is_read_as_that_of_a_new_request_alone(emulator: Emulator) -> None:
    request = "GET /_emulator/health?a=项 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with closing(connect(emulator)) as connection:  # the first one is answered before its body has come
        connection.sendall(f"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: {len(request)}\r\n\r\n".encode())
        assert parse(connection.recv(65536))[0] == 404
        connection.sendall(request * 2)
        connection.shutdown(socket.SHUT_WR)
        answers = read_all(connection)
    assert b"200 OK" not in answers, "or the body has been read as a request"


@pytest.mark.parametrize("value", ["close", "Close", "TE, close"])
def test_a_request_closes_its_connection_with_an_older_uvicorn(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    class Cycle(RequestResponseCycle):
        def __init__(self, **given: Any) -> None:
            super().__init__(**{**given, "keep_alive": True})  # as before 0.53, for every request in HTTP/1.1

    monkeypatch.setattr(httptools_impl, "RequestResponseCycle", Cycle)
    answer = send(emulator, get(INSTANCE, f"connection: {value}"))
    assert parse(answer)[0] == 200
    assert answer.lower().count(b"connection: close") == 1


def test_a_connection_is_kept_with_an_older_uvicorn_whose_bodies_are_bytes(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cycle(RequestResponseCycle):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.body = b""  # type: ignore[assignment]

    monkeypatch.setattr(httptools_impl, "RequestResponseCycle", Cycle)
    answers = send(emulator, get(INSTANCE), get(INSTANCE, "connection: close"))
    assert answers.count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize("cut", [None, 20, 190])
def test_a_request_that_offers_http2_keeps_its_body(emulator: Emulator, cut: int | None) -> None:
    world = f"upgrade-{cut or 0}"
    offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n"
    head = f"POST {FOLDERS} HTTP/1.1\r\nhost: x\r\nx-emulator-world: {world}\r\n{offer}content-length: 9\r\n\r\n"
    request = head.encode() + b"path=/h2c"
    pieces = [request] if cut is None else [request[:cut], request[cut:]]
    again = get(f"{FOLDERS}?path=/h2c", f"x-emulator-world: {world}", "connection: close")
    answers = send(emulator, *pieces, again)
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert b'"Path":"/h2c"' in answers


@pytest.mark.parametrize("cut", [None, 30, 80, 150, 250, 400])
def test_requests_one_after_another_that_offer_http2_keep_their_bodies(emulator: Emulator, cut: int | None) -> None:
    world = f"upgrades-{cut or 0}"
    offer = f"x-emulator-world: {world}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    sized = f"POST {FOLDERS} HTTP/1.1\r\nhost: x\r\n{offer}content-length: 7\r\n\r\npath=/a"
    chunked = f"POST {FOLDERS} HTTP/1.1\r\nhost:\r\n{offer}transfer-encoding: chunked\r\n\r\n7\r\npath=/b\r\n0\r\n\r\n"
    request = (sized + chunked).encode() * 2 + get(f"{FOLDERS}?path=/a", *offer.split("\r\n")[:-1])
    pieces = [request] if cut is None else [request[:cut], request[cut:]]
    last = get(f"{FOLDERS}?path=/b", f"x-emulator-world: {world}", "connection: close")
    answers = send(emulator, *pieces, last)
    assert answers.count(b"HTTP/1.1 ") == 6
    assert answers.count(b"HTTP/1.1 200 OK") == 4
    assert answers.count(b"HTTP/1.1 400 ") == answers.count(b'"Code":"InvalidFolder.Duplicate"') == 2
    assert answers.index(b'"Path":"/a"') < answers.index(b'"Path":"/b"')


def test_a_connect_is_answered(emulator: Emulator) -> None:
    for offer in ("", "connection: upgrade\r\nupgrade: h2c\r\n"):
        answers = send(emulator, f"CONNECT a:1 HTTP/1.1\r\n{offer}\r\n".encode())
        assert answers.startswith(b"HTTP/1.1 4")


def test_as_many_offers_as_fit_into_one_piece_are_no_trouble(emulator: Emulator) -> None:
    offer = get("/_emulator/health", "connection: upgrade", "upgrade: a")
    answers = send(emulator, offer * (MAX_HEAD // len(offer)))
    assert answers.count(b"HTTP/1.1 200") == MAX_PIPELINED + 1
    assert b"before the first was answered" in answers


# -- limits


def test_heads_are_limited_in_bytes_and_in_headers(emulator: Emulator) -> None:
    assert "which is the limit" in refused(send(emulator, get("/", f"a: {'x' * MAX_HEAD}")), status=431)
    endless = send(emulator, get("/")[:-2] + b"a: ", *[b"x" * MAX_HEAD] * 20)
    assert "which is the limit" in refused(endless, status=431)
    many = [f"a{number}: b" for number in range(MAX_HEADERS)]
    assert f"{MAX_HEADERS} are allowed" in refused(send(emulator, get("/", *many)), status=431)
    most = get("/_emulator/health", *many[: MAX_HEADERS - 2], "connection: close")
    assert parse(send(emulator, most))[0] == 200


def test_a_head_that_begins_at_the_end_of_a_long_body_has_the_same_limit(emulator: Emulator) -> None:
    head = f"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_HEAD - 200}\r\n\r\n".encode()
    first = head + b"x" * (MAX_HEAD - 200)
    second = get("/_emulator/health", f"a: {'x' * 1000}", "connection: close")
    begun = MAX_HEAD - len(first)
    answers = send(emulator, first + second[:begun], second[begun:200], second[200:400], second[400:])
    assert answers.count(b"HTTP/1.1 404") == answers.count(b"HTTP/1.1 200") == 1


def test_a_request_line_is_limited(emulator: Emulator) -> None:
    assert "are allowed" in refused(send(emulator, get("/" + "x" * MAX_TARGET)), status=414)
    status, _, body = parse(send(emulator, get("/" + "x" * (MAX_TARGET - 1), "connection: close")))
    assert (status, json.loads(body)["Code"]) == (404, "InvalidAction.NotFound")


def test_requests_that_wait_for_their_turn_are_limited(emulator: Emulator) -> None:
    answers = send(emulator, get("/_emulator/health") * (MAX_PIPELINED + 2))
    assert answers.count(b"HTTP/1.1 200") == MAX_PIPELINED + 1
    assert b"before the first was answered" in answers


# -- slow clients


@pytest.mark.parametrize(
    "begun",
    [
        b"GET / HT",
        b"GET / HTTP/1.1\r\nhost: emula",
        f"POST {FOLDERS} HTTP/1.1\r\nhost: x\r\ncontent-length: 7\r\n\r\npath".encode(),
    ],
)
def test_a_client_that_stops_in_the_middle_of_a_request_is_given_up(impatient: Emulator, begun: bytes) -> None:
    assert "in the middle of the request" in refused(send(impatient, begun), status=408)
    assert [entry["code"] for entry in entries(impatient, "default")] == ["RequestTimeout"]


def test_a_head_that_comes_byte_by_byte_is_given_up(impatient: Emulator) -> None:
    assert "in the middle of the request" in refused(
        send(impatient, b"GET / HTTP/1.1", *[b"\r\na: b"] * 40), status=408
    )


def test_connections_that_are_made_at_once_are_not_checked_at_once(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares: list[float] = []

    def note(_: EmulatorProtocol, share: float | None = None) -> None:
        if share is not None:  # else it is a later check, as of the connections of other tests
            shares.append(share)

    monkeypatch.setattr(EmulatorProtocol, "_look_later", note)
    for _ in range(10):
        assert send(emulator, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    assert len(set(shares)) == len(shares) == 10
    assert all(0 < share <= 1 for share in shares)


def test_a_client_that_does_not_read_is_given_up(impatient: Emulator) -> None:
    with closing(connect(impatient)) as connection:
        connection.sendall(get("/static-offline-docs/swagger-ui-bundle.js") * 20)
        assert impatient._running is not None
        connections = impatient._running._server.server_state.connections
        deadline = time.monotonic() + 20
        while not connections and time.monotonic() < deadline:
            time.sleep(0.01)
        while connections and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not connections


@pytest.mark.parametrize("head", [b"HTTP/1.1\r\nHost: localhost\r\nConnection: close", b"HTTP/1.0"])
@pytest.mark.parametrize("path", [FOLDERS, "/_emulator/worlds/default/settings"])
def test_a_body_that_is_too_large_is_refused_legibly_on_a_connection_that_ends(
    emulator: Emulator, head: bytes, path: str
) -> None:
    """As sent by urllib, and by nginx with its defaults, which read no answer before they have sent their bodies."""
    body = bytes(8 * 1024 * 1024)
    with closing(connect(emulator)) as connection:
        connection.sendall(b"PUT %s %s\r\nContent-Length: %d\r\n\r\n" % (path.encode(), head, len(body)) + body)
        assert read_all(connection).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("body", [b"", b"path=/read"], ids=["none", "read"])
def test_a_connection_that_ends_with_its_request_is_closed_at_once_where_nothing_is_left_to_send(
    monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(http_transports, "LINGER", 600)
    with Emulator() as emulator, closing(connect(emulator)) as connection:
        head = b"POST %s HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        connection.sendall(head % (FOLDERS.encode(), len(body)) + body)
        assert read_all(connection).startswith(b"HTTP/1.1 ")
        assert emulator._running is not None
        connections = emulator._running._server.server_state.connections
        deadline = time.monotonic() + 20
        while connections and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not connections


def test_a_client_that_leaves_in_the_middle_of_a_body_changes_nothing(emulator: Emulator) -> None:
    world = emulator.world("left")
    head = (
        f"POST {FOLDERS} HTTP/1.1\r\nhost:\r\nx-emulator-world: left\r\ncontent-length: 20\r\n\r\npath=/half".encode()
    )
    with closing(connect(emulator)) as connection:
        connection.sendall(head)
        time.sleep(0.1)
    time.sleep(0.1)
    assert not world.journal.entries()


def test_an_answer_to_a_client_that_has_left_goes_nowhere_and_is_no_crash(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    world = emulator.world("left")
    world.create()
    world.faults.arm({"latency": "50ms"})
    for _ in range(3):
        with closing(connect(emulator)) as connection:
            connection.sendall(f"GET {INSTANCE} HTTP/1.1\r\nHost: x\r\nx-emulator-world: left\r\n\r\n".encode())
            connection.shutdown(socket.SHUT_WR)
            read_all(connection)
    # An entry is written once its answer is sent, to whomever; a crash on the way would leave none.
    expected = {"operation": "GetInstance", "count": {"exactly": 3}, "timeout": "20s"}
    assert emulator.control.request("POST", "/worlds/left/journal/verify", expected) == {"ok": True}
    assert "Traceback" not in caplog.text


def test_what_is_written_after_the_client_has_said_its_last_raises_nothing() -> None:
    class Closed:
        written = 0

        def write(self, _: bytes) -> None:
            self.written += 1
            raise RuntimeError("the handler is closed")

    transport = Closed()
    first, last = (SimpleNamespace(response_complete=False, transport=transport) for _ in range(2))
    EmulatorProtocol.eof_received(cast(Any, SimpleNamespace(_ahead=[first], cycle=last)))
    first.transport.write(b"answer")
    last.transport.write(b"answer")
    assert transport.written == 2


def test_every_request_of_a_pipeline_ends_with_its_client(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    world = emulator.world("pipelined")
    world.create()
    world.faults.arm({"latency": "50ms"})
    request = f"GET {INSTANCE} HTTP/1.1\r\nHost: x\r\nx-emulator-world: pipelined\r\n\r\n".encode()
    with closing(connect(emulator)) as connection:
        connection.sendall(request * 3)
        connection.shutdown(socket.SHUT_WR)
        read_all(connection)
    expected = {"operation": "GetInstance", "count": {"at_least": 1}, "timeout": "20s"}
    assert emulator.control.request("POST", "/worlds/pipelined/journal/verify", expected) == {"ok": True}
    assert "Traceback" not in caplog.text


CHUNKED = f"POST {FOLDERS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".encode()


def test_a_connection_that_has_no_address_any_more_is_closed(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: object) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(httptools_impl, "get_local_addr", refuse)
    assert send(emulator, get("/api/v2/projects")) == b""
    assert not caplog.records


def test_trailers_have_a_limit(emulator: Emulator) -> None:
    endless = b"".join(b"a%d: b\r\n" % number for number in range(MAX_HEAD // 4))
    answer = send(emulator, CHUNKED + b"3\r\na=b\r\n0\r\n" + endless)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"Trailers have over 65536 bytes" in answer


def test_a_trailer_is_no_header(emulator: Emulator) -> None:
    request = CHUNKED.replace(FOLDERS.encode(), b"/_emulator/worlds/default/reset").replace(
        b"x\r\n", b"localhost\r\n", 1
    )
    answer = send(emulator, request + b"2\r\n{}\r\n0\r\nHost: evil\r\nOrigin: http://evil\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


def all_made(kind: type[T], monkeypatch: pytest.MonkeyPatch) -> "WeakSet[T]":
    """Return what will hold the objects of a class that are made from now on, for as long as they are in memory."""
    made: WeakSet[T] = WeakSet()
    init = kind.__init__

    def noted(self: T, *args: Any, **options: Any) -> None:
        made.add(self)
        init(self, *args, **options)

    monkeypatch.setattr(kind, "__init__", noted)
    return made


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator["WeakSet[EmulatorProtocol]"]:
    """The connections that are still in memory, while no cycles are collected."""
    made = all_made(EmulatorProtocol, monkeypatch)
    gc.disable()
    yield made
    gc.enable()


def is_gone(objects: "WeakSet[Any]") -> bool:
    deadline = time.monotonic() + 20  # less than any timer of a connection, which would hold it, too
    while objects and time.monotonic() < deadline:
        time.sleep(0.05)
    return not objects


@pytest.mark.parametrize(
    "sent", [get(INSTANCE) * 50, get("/openapi.json") * 3 + b"BAD\r\n\r\n", get(INSTANCE)[:20], b"BAD\r\n"]
)
def test_a_connection_that_has_ended_leaves_no_cycle_in_memory(
    emulator: Emulator, connections: "WeakSet[EmulatorProtocol]", sent: bytes
) -> None:
    """Cycles that are frozen (garbage.py) stay in memory while a server is busy: pipelines filled it without end."""
    for _ in range(5):
        with connect(emulator) as connection:
            connection.sendall(sent)
    assert is_gone(connections)


def post(path: str, body: bytes, kind: str = "application/json") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    "sent",
    [
        b"BAD\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * (MAX_HEADERS + 1) + b"\r\n",
        get(f"{FOLDERS}?path="),
        get("/api/v2/projects/demo/jobs?pageIndex=one"),
        post("/api/v2/projects/demo/jobs", b"jobType=none", "application/x-www-form-urlencoded"),
        post("/_emulator/worlds/default/faults", b'{"effect": '),
        post("/_emulator/worlds/default/faults", b'{"effect": {"latency": "soon"}}'),
        post("/_emulator/worlds/default/seed", b"projects: &a [*a]", "application/yaml"),
    ],
    ids=["no HTTP", "headers", "missing", "invalid", "form", "control JSON", "control value", "seed"],
)
def test_an_answered_error_leaves_no_cycle_in_memory(
    emulator: Emulator, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frames of its traceback refer to the error and to the whole request."""
    emulator.control.request("GET", "/worlds")  # so that the control API is built
    made = all_made(RequestResponseCycle, monkeypatch)
    gc.disable()
    try:
        for _ in range(3):
            with connect(emulator) as connection:
                connection.sendall(sent)
                assert connection.recv(100).startswith(b"HTTP/1.1 4")
        assert is_gone(made)
    finally:
        gc.enable()


def test_a_handshake_that_fails_leaves_no_cycle_in_memory(connections: "WeakSet[EmulatorProtocol]") -> None:
    with Emulator(intercept=0) as running:
        port = running.control.request("GET", "/interception")["node"]["secure"]
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                connection.recv(100)
        context = ssl.create_default_context()
        with socket.create_connection(("127.0.0.1", port)) as connection, pytest.raises(ssl.SSLError):
            context.wrap_socket(connection, server_hostname="localhost")
        http = [each for each in connections if each.transport is not None]  # of the call above
        assert is_gone(WeakSet(each for each in connections if each not in http))
