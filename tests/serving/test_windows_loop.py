"""A client that has left before it was accepted: on Windows it must not end the listening, nor fill the log."""

import asyncio
import logging
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from foas_emulator.serving.windows_loop import accept_next, report
from tests.process import serving
from tests.wire import INSTANCE

LEFT = (64, 1236, 10053, 10054, 10057)
ENDED, NO_BUFFERS = 995, 10055


def error_of_windows(number: int) -> OSError:
    error = OSError(22, "as Windows says it")
    error.winerror = number  # type: ignore[attr-defined,unused-ignore]  # there is none on other systems
    return error


def accepted(outcomes: Sequence[OSError | socket.socket]) -> socket.socket:
    coming = iter(outcomes)

    async def accept() -> tuple[socket.socket, str]:
        outcome = next(coming)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome, "its address"

    connection, address = asyncio.run(accept_next(accept))
    assert address == "its address"
    return connection


def test_clients_that_have_left_are_passed_over() -> None:
    with socket.socket() as one_that_is_there:
        assert accepted([*map(error_of_windows, LEFT), one_that_is_there]) is one_that_is_there


def test_a_connection_sends_without_delay_unless_its_client_has_left() -> None:
    with socket.socket() as connection:
        accepted([connection])
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert accepted([connection]) is connection


@pytest.mark.parametrize("number", [ENDED, NO_BUFFERS, None])
def test_another_error_is_one_of_the_listening_socket(number: int | None) -> None:
    error = OSError(22, "elsewhere") if number is None else error_of_windows(number)
    with pytest.raises(OSError) as raised:  # noqa: PT011 - it is this one
        accepted([error])
    assert raised.value is error


def test_the_log_is_told_other_errors_alone(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.new_event_loop()
    try:
        for number in LEFT:
            report(loop, {"message": "a client has left", "exception": error_of_windows(number)})
        assert not caplog.records
        for told in ({"exception": ValueError("wrong")}, {}):
            report(loop, {"message": "an error", **told})
    finally:
        loop.close()
    assert [(record.levelno, record.message) for record in caplog.records] == [(logging.ERROR, "an error")] * 2


def test_a_server_outlives_clients_that_reset_their_connections_at_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving(log=log) as emulator, emulator.client() as client:
        port = int(emulator.url.rpartition(":")[2])
        for number in range(200):
            with socket.create_connection(("127.0.0.1", port)) as leaving:
                leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if number % 2:
                    leaving.sendall(b"GET /")
        assert client.get(INSTANCE).status_code == 200
        assert emulator.stop() == 0
    assert "Traceback" not in log.read_text("utf-8")
