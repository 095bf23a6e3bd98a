"""How log lines are written where the system does not tell whether a pipe accepts anything, as on Windows."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from foas_emulator import logs
from foas_emulator.logs import ThreadedWriter

FULL = bytes(4 << 20)
"""More than a pipe holds."""


@dataclass
class Pipe:
    reading: int
    writer: ThreadedWriter

    def read(self, size: int) -> bytes:
        read = b""
        while len(read) < size:
            read += os.read(self.reading, size - len(read))
        return read


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reading, writing = os.pipe()
    try:
        yield Pipe(reading, ThreadedWriter(writing))
    finally:
        with suppress(OSError):
            os.close(reading)
        os.close(writing)


def write(pipe: Pipe, data: bytes) -> None:
    """Write as soon as the thread has written what came before."""
    for _ in range(2000):
        with suppress(BlockingIOError):
            pipe.writer.write(data)
            return
        time.sleep(0.01)
    pytest.fail("it does not go on")


def test_what_fits_is_written_in_order(pipe: Pipe) -> None:
    write(pipe, b"first\n")
    write(pipe, b"second\n")
    assert pipe.read(13) == b"first\nsecond\n"


def test_a_pipe_that_nobody_reads_holds_up_nobody_and_goes_on_once_it_is_read(pipe: Pipe) -> None:
    pipe.writer.write(FULL)
    for _ in range(3):
        with pytest.raises(BlockingIOError, match="nobody reads"):
            pipe.writer.write(b"dropped")
    assert pipe.read(len(FULL)) == FULL
    write(pipe, b"again")
    assert pipe.read(5) == b"again"


def test_an_error_is_that_of_its_own_write(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_WAIT_S", 60)
    os.close(pipe.reading)
    for _ in range(2):
        with pytest.raises(OSError) as raised:  # noqa: PT011 - broken on one system, invalid on another
            write(pipe, b"lost")
        assert not isinstance(raised.value, BlockingIOError)
