"""Descriptors are shared by worlds in files and by clients."""

import asyncio
import errno
import logging
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from foas_emulator.serving import descriptors

resource = pytest.importorskip("resource", reason="Windows has no such limit")

UNLIMITED = resource.RLIM_INFINITY


class System:
    """The limits of a process, of which this system allows `most`."""

    def __init__(self, soft: int, hard: int, most: int = 2**40) -> None:
        self.limits = (soft, hard)
        self.most = most
        self.asked: list[int] = []

    def get(self, _kind: int) -> tuple[int, int]:
        return self.limits

    def set(self, _kind: int, limits: tuple[int, int]) -> None:
        self.asked.append(limits[0])
        if limits[0] > self.most:
            raise ValueError("current limit exceeds maximum limit")
        self.limits = limits


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Callable[..., System]:
    def install(soft: int, hard: int, most: int = 2**40) -> System:
        made = System(soft, hard, most)
        monkeypatch.setattr(resource, "getrlimit", made.get)
        monkeypatch.setattr(resource, "setrlimit", made.set)
        return made

    return install


@pytest.mark.parametrize(
    ("limits", "most", "then"),
    [
        ((1024, 1024), 2**40, 1024),
        ((1024, 4096), 2**40, 4096),
        ((1024, 2**20), 2**40, 65536),
        ((2**20, 2**20), 2**40, 2**20),
        ((UNLIMITED, UNLIMITED), 2**40, UNLIMITED),
        ((256, UNLIMITED), 10240, 10240),
        ((256, UNLIMITED), 256, 256),
    ],
)
def test_the_soft_limit_is_raised_as_far_as_the_system_allows(
    limits: tuple[int, int], most: int, then: int, system: Callable[..., System]
) -> None:
    made = system(*limits, most=most)
    descriptors.raise_limit()
    assert made.limits == (then, limits[1])


@pytest.mark.parametrize(("soft", "worlds"), [(65536, 32640), (1024, 384), (128, 32), (4, 1), (UNLIMITED, None)])
def test_worlds_leave_some_for_connections(soft: int, worlds: int | None, system: Callable[..., System]) -> None:
    system(soft, UNLIMITED)
    assert descriptors.world_files_at_once() == worlds


def test_a_system_without_limits_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "resource", None)
    descriptors.raise_limit()
    assert descriptors.world_files_at_once() is None


@pytest.mark.parametrize(("soft", "told"), [(8, 8), (63, 63), (64, None), (UNLIMITED, None)])
def test_a_limit_that_is_too_low_for_a_server_is_reported(
    soft: int, told: int | None, system: Callable[..., System]
) -> None:
    system(soft, soft)
    assert descriptors.limit_if_too_low() == told


@pytest.mark.parametrize("more", [[], ["--tls"], ["--data-dir", "data"]])
def test_a_server_with_too_few_descriptors_says_so_in_one_line(more: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "foas_emulator", "serve", "--port", "0", *more]
    limit = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (16, 16))
    ran = subprocess.run(command, check=False, preexec_fn=limit, cwd=tmp_path, capture_output=True, encoding="utf-8")
    lines = [line for line in ran.stderr.splitlines() if "WARNING" not in line]
    assert (ran.returncode, len(lines)) == (1, 1), ran.stderr
    assert "this process may have only 16 files open, and needs 64: allow more (ulimit -n)" in lines[0]


def test_connections_that_the_system_refuses_are_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    tried = asyncio.Event()

    class Refused(socket.socket):
        def accept(self) -> tuple[socket.socket, object]:
            tried.set()
            raise OSError(errno.EMFILE, "Too many open files")

    async def connect() -> None:
        asyncio.get_running_loop().set_exception_handler(descriptors.LoopErrors())
        async with await asyncio.start_server(lambda *_: None, sock=listener, backlog=50):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            await tried.wait()
            writer.close()

    with Refused() as listener, caplog.at_level(logging.WARNING):
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        asyncio.run(connect())
    assert [record.getMessage() for record in caplog.records] == [
        "no connection can be accepted for now: Too many open files"
    ]


def test_other_errors_of_an_event_loop_are_reported_each_time(caplog: pytest.LogCaptureFixture) -> None:
    async def fail_twice() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(descriptors.LoopErrors())
        for _ in range(2):
            loop.call_soon(int, "none")
        await asyncio.sleep(0)

    asyncio.run(fail_twice())
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ValueError, ValueError]
