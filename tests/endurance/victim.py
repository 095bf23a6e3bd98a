"""A server in a process of its own, forked from one that has imported everything: it starts at once."""

import asyncio
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx

from foas_emulator.serving import server
from foas_emulator.settings import Settings
from tests.process import DIRECTLY

BEAT = 0.002
"""Seconds between two beats of the heart inside the server."""


class Felt(ctypes.Structure):
    """What the heart of a server has noticed, in memory that its process shares with ours; times in seconds."""

    _fields_ = (
        ("beats", ctypes.c_double),
        ("longest_hold", ctypes.c_double),
        ("longest_work", ctypes.c_double),
        ("worked", ctypes.c_double),
        ("lines", ctypes.c_double),
    )

    def found(self) -> dict[str, Any]:
        return {
            "beats": int(self.beats),
            "longest hold of the loop, ms": round(self.longest_hold * 1000, 1),
            "of processor time, ms": round(self.longest_work * 1000, 1),
        }


@dataclass(frozen=True)
class Victim:
    """A running server."""

    process: BaseProcess
    url: str
    felt: Felt

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, **DIRECTLY, **options)

    def kill(self) -> None:
        self.process.kill()
        self.process.join()

    def stop(self) -> None:
        """Stop it as SIGTERM does. Fail if it does not stop."""
        self.process.terminate()
        self.process.join(60)
        assert self.process.exitcode == 0, f"it ended with {self.process.exitcode}"

    def rest(self, *, beats: int = 2) -> None:
        """Wait until the heart has noticed what the loop did until now."""
        until = self.felt.beats + beats
        while self.felt.beats < until:
            assert self.process.is_alive(), "the server has ended"
            time.sleep(BEAT / 5)

    def resident(self) -> float | None:
        """Return the MiB that the process has in memory, None where the system does not say."""
        with suppress(OSError):
            for line in Path(f"/proc/{self.process.pid}/status").read_text("utf-8").splitlines():
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024
        return None


class Heart:
    """Beats inside the server's event loop; a late beat says for how long something held the loop.

    On a busy machine a beat is late for want of a processor, too; `longest_work` is the processor time between two.
    """

    def __init__(self, felt: Felt, lines: Callable[[], int] = int) -> None:
        self._felt = felt
        self._lines = lines

    def start(self) -> asyncio.AbstractEventLoop:
        loop = NEW_EVENT_LOOP()
        self._worked = time.thread_time()
        loop.call_soon(self._beat, loop, loop.time())
        return loop

    def _beat(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        felt = self._felt
        felt.longest_hold = max(felt.longest_hold, time.monotonic() - due)
        worked = time.thread_time()
        felt.longest_work = max(felt.longest_work, worked - self._worked)
        self._worked = worked
        felt.worked = time.process_time()
        felt.lines = self._lines()
        felt.beats += 1
        loop.call_later(BEAT, self._beat, loop, time.monotonic() + BEAT)


def count_lines() -> Callable[[], int]:
    """Count the lines of Python that all threads run from now on, but for those of the heart."""
    ours = threading.local()
    tallies: list[list[int]] = []

    def enter(frame: Any, _event: str, _argument: Any) -> Any:
        if frame.f_code.co_filename == __file__:
            return None
        if not hasattr(ours, "tally"):
            ours.tally = [0]
            tallies.append(ours.tally)
        return step

    def step(_frame: Any, event: str, _argument: Any) -> Any:
        if event == "line":
            ours.tally[0] += 1
        return step

    threading.settrace(enter)
    sys.settrace(enter)
    return lambda: sum(tally[0] for tally in tallies)


NEW_EVENT_LOOP = server.new_event_loop


def _end_with_parent(parent: BaseProcess) -> None:
    """End when the program does, however it was ended."""
    parent.join()
    os._exit(1)


def _serve(
    told: Connection,
    settings: Settings,
    log: Path | None,
    felt: Felt,
    limits: Any,
    *,
    lines: bool,
    constants: Mapping[str, int],
) -> None:
    for place, number in constants.items():
        module, _, name = place.rpartition(".")
        setattr(import_module(module), name, number)
    if limits and sys.platform != "win32":
        import resource

        for name, value in limits.items():
            resource.setrlimit(getattr(resource, name), value)
    if sys.platform != "win32":
        os.setpgrp()  # ctrl+c at a terminal is for the program, which stops its servers itself
    if (parent := multiprocessing.parent_process()) is not None:
        threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    sys.stdout = os.fdopen(os.dup(told.fileno()), "w", encoding="utf-8")
    if log is not None:
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    server.new_event_loop = Heart(felt, count_lines() if lines else int).start
    server.serve(settings)


def _start_forkserver() -> None:
    """Start the process of which servers are forked; ctrl+c at a terminal must not end it while it imports."""
    if threading.current_thread() is not threading.main_thread():  # which alone may ignore signals
        forkserver.ensure_running()
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # which it inherits
    try:
        forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGINT, handler)


@contextmanager
def serving(
    settings: Settings,
    *,
    log: Path | None = None,
    limits: Mapping[str, tuple[int, int]] | None = None,
    lines: bool = False,
    constants: Mapping[str, int] | None = None,
) -> Iterator[Victim]:
    """Run a server until the end of the block, where it is killed if it still runs; `lines` counts what it runs.

    `constants` are numbers of its modules to replace, as `foas_emulator.package.module.NAME`.
    """
    context: Any = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
    if sys.platform != "win32":
        context.set_forkserver_preload(["tests.endurance.victim"])
        _start_forkserver()
    heard, told = context.Pipe(duplex=False)
    felt = context.RawValue(Felt)
    process = context.Process(
        target=_serve,
        args=(told, settings, log, felt, dict(limits or {})),
        kwargs={"lines": lines, "constants": dict(constants or {})},
    )
    process.start()
    told.close()
    with heard, os.fdopen(os.dup(heard.fileno()), encoding="utf-8") as output:
        first_line = output.readline().rstrip("\n")
        assert first_line.startswith("listening on "), "the server did not start"
        try:
            yield Victim(process, first_line.removeprefix("listening on "), felt)
        finally:
            process.kill()
            process.join()
