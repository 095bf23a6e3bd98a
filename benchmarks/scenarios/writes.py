"""Calls that write, against moto's nearest ones: those of EMR Serverless, whose applications live like jobs."""

import uuid
from functools import partial

from benchmarks.bench import Bench
from benchmarks.figures import Outcome, Series, interleaved
from benchmarks.peers import EMULATOR, MOTO
from benchmarks.servers import Server

_CALLS = {EMULATOR: "foas", MOTO: "moto"}


def tour(bench: Bench) -> Outcome:
    """A job's life in six writes (create, commit, start, stop, offline, delete), eight of them side by side."""
    series = _tours(bench, "tour of six writes, 8 connections", "tour", connections=8)
    return Outcome((series.ratio(f"{series.what}, against moto", EMULATOR, MOTO, reach=4, aim=8),), (series,))


def uncached_read(bench: Bench) -> Outcome:
    """A write and the read that it makes stale, in turns at one connection, so that no read finds itself cached."""
    series = _tours(bench, "uncached read (a write before each), 1 connection", "read_after_write", connections=1)
    return Outcome((series.ratio(f"{series.what}, against moto", EMULATOR, MOTO, reach=4, aim=8),), (series,))


def _tours(bench: Bench, what: str, kind: str, *, connections: int) -> Series:
    with bench.line_up(EMULATOR, MOTO) as line_up:
        measures = {
            name: partial(_rate, bench, server, f"{_CALLS[name]}_{kind}", connections)
            for name, server in line_up.servers.items()
        }
        rounds, failed = interleaved(measures, bench.effort.rounds)
    return Series(what, "calls/s", rounds, more_is_better=True, missing={**line_up.missing, **failed})


def _rate(bench: Bench, server: Server, calls: str, connections: int) -> float:
    unique = f"bench-{uuid.uuid4().hex[:8]}"
    return bench.generator.tour(server, calls, unique, connections=connections, seconds=bench.effort.seconds).rate
