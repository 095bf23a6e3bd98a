"""Resetting state: the cost between two tests of a suite, over HTTP."""

import http.client
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from statistics import median

from benchmarks.bench import Bench
from benchmarks.figures import Outcome, Series, interleaved
from benchmarks.peers import EMULATOR, MOTO
from benchmarks.servers import HOST, MeasurementError, Server, ask

_WORLD = "benchmark"
_RESET, _NEW, _RESTORE, _MOTO_RESET = "reset of a world", "new world", "snapshot restore", "moto's reset"
_FORM = {"x-emulator-world": _WORLD, "Content-Type": "application/x-www-form-urlencoded"}
_EMR = {
    "Content-Type": "application/json",
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/emr-serverless/aws4_request, "
    "SignedHeaders=host, Signature=0",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


Pair = tuple[Call, Call]
"""A write that is not timed, and the call that is."""


def resets(bench: Bench) -> Outcome:
    """A reset, a new world from the default seed and a snapshot restore, against moto's reset.

    Before each there is a write, so that resets and restores find something changed.
    """
    pairs = {EMULATOR: _emulator_pairs, MOTO: _moto_pairs}
    with bench.line_up(EMULATOR, MOTO) as line_up:
        measures = {
            name: partial(_median_ms, server, pair, bench.effort.calls)
            for peer, server in line_up.servers.items()
            for name, pair in pairs[peer](server).items()
        }
        rounds, failed = interleaved(measures, bench.effort.rounds)
    series = Series("bringing state back, over HTTP", "ms", rounds, missing={**line_up.missing, **failed})
    rows = (
        series.ratio(f"{name}, against {_MOTO_RESET}", name, _MOTO_RESET, reach=1.0, aim=0.5)
        for name in (_RESET, _NEW, _RESTORE)
    )
    return Outcome(tuple(rows), (series,))


def _emulator_pairs(server: Server) -> dict[str, Callable[[], Pair]]:
    control = f"/_emulator/worlds/{_WORLD}"
    write = Call("PUT", "/api/v2/projects/project1/jobs/job1", _FORM, b"description=changed")
    ask(server.port, write.method, write.path, headers=write.headers, body=write.body)
    snapshot = ask(server.port, "GET", f"{control}/snapshot").body
    restore = Call("PUT", f"{control}/snapshot", {"Content-Type": "application/json"}, snapshot)
    return {
        _RESET: lambda: (write, Call("POST", f"{control}/reset", {})),
        _NEW: lambda: (write, Call("PUT", f"/_emulator/worlds/new-{uuid.uuid4().hex}", {})),
        _RESTORE: lambda: (write, restore),
    }


def _moto_pairs(_: Server) -> dict[str, Callable[[], Pair]]:
    application = b'{"name": "a", "type": "SPARK", "releaseLabel": "emr-6.6.0-latest", "clientToken": "a"}'
    write = Call("POST", "/applications", _EMR, application)
    return {_MOTO_RESET: lambda: (write, Call("POST", "/moto-api/reset", {}))}


def _median_ms(server: Server, pair: Callable[[], tuple[Call, Call]], calls: int) -> float:
    """The median time of the second call of each pair, on one connection."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=30)
    times = []
    try:
        for _ in range(calls):
            write, timed = pair()
            _made(connection, write)
            began = time.perf_counter()
            _made(connection, timed)
            times.append((time.perf_counter() - began) * 1000)
    finally:
        connection.close()
    return median(times)


def _made(connection: http.client.HTTPConnection, call: Call) -> None:
    connection.request(call.method, call.path, call.body, dict(call.headers))
    response = connection.getresponse()
    body = response.read()
    if response.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise MeasurementError(
            f"{call.method} {call.path} was answered {response.status} {body[:200].decode(errors='replace')}"
        )
