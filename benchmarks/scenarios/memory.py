"""Resident memory: at rest, after many requests, and for worlds that nobody closes."""

import time

from benchmarks.bench import Bench
from benchmarks.figures import Outcome, Row
from benchmarks.peers import emulator
from benchmarks.servers import Server, ask
from benchmarks.traffic import INSTANCE_PATH, get

_REQUESTS = 200_000
_WORLDS = 1_000
_CONNECTIONS = 64
_SLICE_S = 2.0
_SETTLING_S = 2.0


def memory(bench: Bench) -> Outcome:
    """Idle after the first answer; growth over 200,000 requests, after as many that fill the journal."""
    with emulator().serving(bench.document) as server:
        idle_kib = _settled_kib(server)
        growth_kib = _growth_kib(bench, server)
    with emulator().serving(bench.document) as server:
        world_kib = _world_kib(server)
    return Outcome(
        (
            Row("idle memory", idle_kib / 1024, 90, 70, "MiB"),
            Row("growth over 200,000 requests, the journal full", growth_kib / 1024, 2, 1, "MiB"),
            Row(
                "memory per extra world", world_kib, 256, 110, "KiB", note=f"mean of {_WORLDS:,} worlds, each read once"
            ),
        )
    )


def _growth_kib(bench: Bench, server: Server) -> float:
    _send(bench, server)
    before = _settled_kib(server)
    sent = _send(bench, server)
    return (_settled_kib(server) - before) * _REQUESTS / sent


def _send(bench: Bench, server: Server) -> int:
    """Send at least 200,000 requests and say how many they were."""
    recording = bench.recording("growth", [get()])
    sent = 0
    while sent < _REQUESTS:
        sent += bench.generator.replay(server, recording, connections=_CONNECTIONS, seconds=_SLICE_S).requests
    return sent


def _world_kib(server: Server) -> float:
    before = _settled_kib(server)
    for number in range(_WORLDS):
        ask(server.port, "GET", INSTANCE_PATH, headers={"x-emulator-world": f"w{number}"})
    return (_settled_kib(server) - before) / _WORLDS


def _settled_kib(server: Server) -> int:
    time.sleep(_SETTLING_S)
    return server.resident_kib()
