"""A server in a process of its own, forked from one that has imported everything: it starts at once."""

import asyncio
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx

from foas_emulator.serving import server
from foas_emulator.settings import Settings
from tests.process import DIRECTLY

BEAT = 0.005
"""Seconds between two beats of the heart inside the server."""


@dataclass(frozen=True)
class Victim:
    """A running server."""

    process: BaseProcess
    url: str
    report: Path | None = None

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, **DIRECTLY, **options)

    def kill(self) -> None:
        self.process.kill()
        self.process.join()

    def stop(self) -> dict[str, Any]:
        """Stop it as SIGTERM does; return what its heart noticed. Fail if it does not stop."""
        self.process.terminate()
        self.process.join(60)
        assert self.process.exitcode == 0, f"it ended with {self.process.exitcode}"
        return {} if self.report is None else json.loads(self.report.read_text("utf-8"))

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

    def __init__(self) -> None:
        self.beats = 0
        self.longest = self.longest_work = 0.0

    def found(self) -> dict[str, Any]:
        return {
            "beats": self.beats,
            "longest hold of the loop, ms": round(self.longest * 1000, 1),
            "of processor time, ms": round(self.longest_work * 1000, 1),
        }

    def start(self) -> asyncio.AbstractEventLoop:
        loop = NEW_EVENT_LOOP()
        self._worked = time.thread_time()
        loop.call_soon(self._beat, loop, loop.time())
        return loop

    def _beat(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self.beats += 1
        self.longest = max(self.longest, time.monotonic() - due)
        worked = time.thread_time()
        self.longest_work = max(self.longest_work, worked - self._worked)
        self._worked = worked
        loop.call_later(BEAT, self._beat, loop, time.monotonic() + BEAT)


NEW_EVENT_LOOP = server.new_event_loop


def _serve(told: Connection, settings: Settings, log: Path | None, report: Path | None, limits: Any) -> None:
    if limits and sys.platform != "win32":
        import resource

        for name, value in limits.items():
            resource.setrlimit(getattr(resource, name), value)
    sys.stdout = os.fdopen(os.dup(told.fileno()), "w", encoding="utf-8")
    if log is not None:
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    heart = Heart()
    server.new_event_loop = heart.start
    server.serve(settings)
    if report is not None:
        report.write_text(json.dumps(heart.found()), "utf-8")


@contextmanager
def serving(
    settings: Settings,
    *,
    log: Path | None = None,
    report: Path | None = None,
    limits: Mapping[str, tuple[int, int]] | None = None,
) -> Iterator[Victim]:
    """Run a server until the end of the block, where it is killed if it still runs."""
    context: Any = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
    if sys.platform != "win32":
        context.set_forkserver_preload(["tests.endurance.victim"])
    heard, told = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(told, settings, log, report, dict(limits or {})))
    process.start()
    told.close()
    with heard, os.fdopen(os.dup(heard.fileno()), encoding="utf-8") as lines:
        first_line = lines.readline().rstrip("\n")
        assert first_line.startswith("listening on "), "the server did not start"
        try:
            yield Victim(process, first_line.removeprefix("listening on "), report)
        finally:
            process.kill()
            process.join()
