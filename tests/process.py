"""The emulator as its user runs it: a process of its own, whose first line says where it listens."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

STOP: int = getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM)
"""What stops a process by itself; on Windows SIGTERM would end it at once."""
GROUP: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""On Windows only a group of its own can be sent a signal."""

SECONDS_TO_START = 60
SECONDS_TO_STOP = 60
DIRECTLY: dict[str, Any] = {"trust_env": False, "timeout": SECONDS_TO_START}
"""Options of httpx for servers here: no proxy of the environment between, and time enough on a busy machine."""


@dataclass
class Emulator:
    """A running server: its process and what it said of itself at first."""

    process: subprocess.Popen[str]
    announcement: list[str]

    @property
    def url(self) -> str:
        return self.announcement[0].removeprefix("listening on ")

    def stop(self, with_signal: int = STOP) -> int:
        """Send a signal and wait until the process has ended by itself; answers its exit status."""
        self.process.send_signal(with_signal)
        return self.process.wait(timeout=SECONDS_TO_STOP)

    def client(self, **options: object) -> httpx.Client:
        """A client that no proxy of the environment comes between."""
        return httpx.Client(base_url=self.url, **{**DIRECTLY, **options})


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's variables without those that steer the emulator or a client, and with these."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("FOASEMU_") and name != "WEB_CONCURRENCY" and not name.lower().endswith("_proxy")
    }
    return {**kept, **(variables or {})}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "foas_emulator", *arguments]


def run(
    *arguments: str, variables: Mapping[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        command(*arguments),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        env=environment(variables),
        timeout=SECONDS_TO_START,
        check=False,
    )


@contextmanager
def serving(
    *options: str, log: Path | None = None, variables: Mapping[str, str] | None = None, lines: int = 1
) -> Iterator[Emulator]:
    """A server on a free port; if it still runs at the end it is stopped. Its first `lines` are waited for."""
    with (log or Path(os.devnull)).open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command("serve", "--port", "0", *options),
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            env=environment(variables),
            creationflags=GROUP,
        )
        assert process.stdout is not None
        try:
            emulator = Emulator(process, [process.stdout.readline().rstrip("\n") for _ in range(lines)])
            assert emulator.url.startswith("http"), "the server did not start"
            yield emulator
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()
