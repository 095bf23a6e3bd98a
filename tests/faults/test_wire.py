"""What a client without any library receives when a rule ends its connection."""

import asyncio
import errno
import socket
from typing import Any

import pytest
from starlette.types import Message

from foas_emulator.faults.wire import TRANSPORT, AbortedResponse, break_off
from tests.running import ENDED, RESET, Running, content_length
from tests.wire import INSTANCE

START = "/api/v2/projects/demo/jobs/committed-stream/instance"


def test_drop_closes_the_connection_without_a_byte(server: Running, world: str) -> None:
    server.arm(world, effect={"drop": True})
    assert server.bytes_of(world, INSTANCE) == ENDED


def test_reset_resets_the_connection_without_a_byte(server: Running, world: str) -> None:
    server.arm(world, effect={"reset": True})
    assert server.bytes_of(world, INSTANCE) == RESET


@pytest.mark.parametrize("part", [0, 0.25, 0.5, 0.99])
def test_truncate_announces_the_whole_body_and_sends_a_part(server: Running, world: str, part: float) -> None:
    whole = server.bytes_of(world, INSTANCE)
    server.arm(world, effect={"truncate": part})
    received = server.bytes_of(world, INSTANCE)
    assert received.endswith(ENDED)
    _, _, body = received.removesuffix(ENDED).partition(b"\r\n\r\n")
    assert content_length(received) == content_length(whole)
    assert len(body) == int(content_length(whole) * part)


def test_an_error_is_truncated_too(server: Running, world: str) -> None:
    server.arm(world, effect={"truncate": 0.5})
    received = server.bytes_of(world, "/api/v2/projects/absent/jobs/job1/instances/1")
    assert received.startswith(b"HTTP/1.1 404")
    assert received.endswith(ENDED)


@pytest.mark.parametrize("effect", [{"drop": True}, {"reset": True}, {"truncate": 0}])
def test_after_commit_the_write_has_happened_although_the_client_cannot_tell(
    server: Running, world: str, effect: object
) -> None:
    server.arm(world, match={"operation": "CreateFolder"}, effect=effect, at="after_commit")
    received = server.bytes_of(world, "/api/v2/projects/project1/folders?path=/made", "POST")
    assert received.endswith((ENDED, RESET))
    status, _ = server.ask("GET", "/api/v2/projects/project1/folders?path=/made", headers={"x-emulator-world": world})
    assert status == 200


def test_the_next_connection_is_served_as_ever(server: Running, world: str) -> None:
    server.arm(world, effect={"reset": True}, times=1)
    assert server.bytes_of(world, INSTANCE) == RESET
    assert server.bytes_of(world, INSTANCE).startswith(b"HTTP/1.1 200 OK")


def test_the_journal_has_no_status_for_what_the_client_never_got(server: Running, world: str) -> None:
    rule = server.arm(world, effect={"drop": True})
    server.bytes_of(world, INSTANCE)
    _, document = server.control("GET", f"/worlds/{world}/journal")
    (entry,) = document["entries"]
    assert entry["status"] is None
    assert entry["faults"] == [{"id": rule, "effect": {"drop": True}, "at": "before"}]


def test_a_connection_ends_only_once(server: Running, world: str) -> None:
    server.arm(world, effect={"truncate": 0.5})
    server.arm(world, effect={"reset": True})
    assert server.bytes_of(world, INSTANCE) == RESET


@pytest.mark.parametrize(
    "effect", [{"drop": True}, {"reset": True}, {"truncate": 0.5}], ids=["drop", "reset", "truncate"]
)
def test_a_connection_that_its_client_has_left_is_ended_and_journalled(
    server: Running, world: str, effect: dict[str, Any]
) -> None:
    server.arm(world, effect={"latency": "200ms"})
    server.arm(world, effect=effect)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(f"GET {INSTANCE} HTTP/1.1\r\nHost: x\r\nx-emulator-world: {world}\r\n\r\n".encode())
    expected = {"operation": "GetInstance", "timeout": "5s"}
    status, answer = server.control("POST", f"/worlds/{world}/journal/verify", expected)
    assert status == 200, answer


def test_a_socket_that_takes_no_options_any_more_is_ended_all_the_same() -> None:
    """As on macOS, where the client may have left before the server notices."""

    class Left(asyncio.Transport):
        is_aborted = False

        def is_closing(self) -> bool:
            return False

        def get_extra_info(self, name: str, default: object = None) -> object:  # noqa: ARG002 - asyncio names them
            return self

        def setsockopt(self, *_: object) -> None:
            raise OSError(errno.EINVAL, "Invalid argument")

        def abort(self) -> None:
            self.is_aborted = True

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        pytest.fail(f"{message} is sent")

    left = Left()
    response = AbortedResponse.unanswered({"state": {TRANSPORT: left}}, reset=True)
    asyncio.run(response.send(b"1", receive, send))
    assert left.is_aborted


def test_a_cancelled_request_without_a_connection_stays_cancelled() -> None:
    async def receive() -> Message:
        raise AssertionError("nobody is there")

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(break_off({"type": "http"}, receive))
