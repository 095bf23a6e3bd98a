"""One run of the load generator wrk, pinned to its own core."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import LOAD_CORE, MeasurementError, Server

_SCRIPTS = Path(__file__).parent / "lua"
_MOST_BROKEN = 0.01
_LONGEST_WAIT = "10s"


@dataclass(frozen=True, slots=True)
class Load:
    """What one run measured. `rate` is answered requests per second, times are in milliseconds."""

    requests: int
    rate: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Generator:
    """The program wrk. Runs last `seconds`, rounded to whole ones."""

    wrk: Path

    def replay(self, server: Server, recording: Path, *, connections: int, seconds: float) -> Load:
        """Send the recorded requests over and over, all connections kept alive."""
        options = ["-t1", f"-c{connections}", f"-d{round(seconds)}s"]
        return self._run(server, options, "replay.lua", str(recording))

    def tour(self, server: Server, calls: str, unique: str, *, connections: int, seconds: float) -> Load:
        """Repeat the calls of `lua/<calls>.lua` in order, on every connection for itself, under names of its own."""
        options = [f"-t{connections}", f"-c{connections}", f"-d{round(seconds)}s"]
        return self._run(server, options, "tour.lua", str(_SCRIPTS / f"{calls}.lua"), unique)

    def _run(self, server: Server, options: Sequence[str], script: str, *arguments: str) -> Load:
        command = ["taskset", "-c", LOAD_CORE, str(self.wrk), *options, "--timeout", _LONGEST_WAIT]
        command += ["-s", str(_SCRIPTS / script), server.url, "--", *arguments]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        return _read(done)


def _read(done: subprocess.CompletedProcess[str]) -> Load:
    last_line = done.stdout.strip().rpartition("\n")[2]
    complaint = MeasurementError(done.stderr.strip().replace(f"{_SCRIPTS}/", "") or last_line)
    if done.returncode or done.stderr or not last_line.startswith("{"):
        raise complaint
    summary: dict[str, int] = json.loads(last_line)
    requests = summary["requests"]
    if summary["refused"] or not requests or summary["broken"] > requests * _MOST_BROKEN:
        raise complaint
    rate = requests / summary["duration_us"] * 1e6
    return Load(requests, rate, summary["p50_us"] / 1000, summary["p99_us"] / 1000)
