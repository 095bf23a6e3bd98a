"""GetInstance under load: in JSON, signed, in XML, and at one connection."""

from collections.abc import Mapping
from dataclasses import replace

from benchmarks.bench import Bench, Candidate, LineUp
from benchmarks.figures import Outcome, Series
from benchmarks.load import Load
from benchmarks.peers import EMULATOR, JSON_SERVER, MOCKOON, MOTO, PRISM, RAW_ASGI, STRIPE_MOCK, WIREMOCK, emulator
from benchmarks.servers import MeasurementError, send
from benchmarks.traffic import forged, get, signed_gets

_CONNECTIONS = 64


def rate(load: Load) -> float:
    """Answered requests per second."""
    return load.rate


def json(bench: Bench) -> Outcome:
    """JSON, 64 connections kept alive, unsigned, against everything there is."""
    what = "GetInstance, JSON, 64 connections"
    with bench.line_up(EMULATOR, RAW_ASGI, WIREMOCK, STRIPE_MOCK, PRISM, MOTO, MOCKOON, JSON_SERVER) as line_up:
        candidates = _plain(bench, line_up)
        series = bench.replays(what, candidates, connections=_CONNECTIONS, figure=rate, missing=line_up.missing)
    bounds = {RAW_ASGI: (0.65, 0.85), WIREMOCK: (1.2, 1.8), STRIPE_MOCK: (1.6, 2.4), PRISM: (8, 11), MOTO: (40, 60)}
    return _against(series, bounds)


def signed(bench: Bench) -> Outcome:
    """The same, signed as the official Python SDK signs it and verified; the others get the very same requests."""
    what = "GetInstance, JSON, 64 connections, signed"
    _prove_that_signatures_count()
    with bench.line_up(EMULATOR, RAW_ASGI, WIREMOCK) as line_up:
        recording = bench.recording("signed", signed_gets(bench.effort.signed))
        candidates = [
            Candidate(name, server, recording, bench.peers[name].warms_up) for name, server in line_up.servers.items()
        ]
        series = bench.replays(what, candidates, connections=_CONNECTIONS, figure=rate, missing=line_up.missing)
    return _against(series, {RAW_ASGI: (0.42, 0.6), WIREMOCK: (0.9, 1.2)})


def xml(bench: Bench) -> Outcome:
    """XML against JSON, both from one emulator."""
    with emulator().serving(bench.document) as server:
        candidates = [
            Candidate(name, server, bench.recording(name, [get(headers={"Accept": accept})]))
            for name, accept in (("XML", "application/xml"), ("JSON", "application/json"))
        ]
        series = bench.replays("GetInstance, 64 connections", candidates, connections=_CONNECTIONS, figure=rate)
    return Outcome((series.ratio("XML against JSON", "XML", "JSON", reach=0.9, aim=0.97),), (series,))


def latency(bench: Bench) -> Outcome:
    """The median time of an answer at one connection, against stripe-mock and against whichever peer was fastest."""
    what = "GetInstance, JSON, median at one connection"
    with bench.line_up(EMULATOR, RAW_ASGI, STRIPE_MOCK, WIREMOCK, PRISM, MOTO) as line_up:
        series = bench.replays(
            what,
            _plain(bench, line_up),
            connections=1,
            figure=lambda load: load.p50_ms,
            unit="ms",
            more_is_better=False,
            missing=line_up.missing,
        )
    peers = [name for name in series.rounds if name not in (EMULATOR, RAW_ASGI)]
    fastest = min(peers, key=series.counted, default=STRIPE_MOCK)
    others = (STRIPE_MOCK,) if fastest == STRIPE_MOCK else (STRIPE_MOCK, fastest)
    return _against(series, dict.fromkeys(others, (1.1, 0.8)))


def _plain(bench: Bench, line_up: LineUp) -> list[Candidate]:
    """Every server of the line-up with one unsigned request, which holds what that server insists on and no more."""
    return [
        Candidate(name, server, bench.recording(name, [get(headers=server.headers)]), bench.peers[name].warms_up)
        for name, server in line_up.servers.items()
    ]


def _against(series: Series, bounds: Mapping[str, tuple[float, float]]) -> Outcome:
    rows = (
        series.ratio(f"{series.what}, against {other}", EMULATOR, other, reach=reach, aim=aim)
        for other, (reach, aim) in bounds.items()
    )
    return Outcome(tuple(rows), (series,))


def _prove_that_signatures_count() -> None:
    """See an emulator that refuses wrong signatures accept a request of the recording and refuse a forged one.

    The measured emulator has its default setting, in which a wrong signature is noted but answered.
    """
    genuine, other = signed_gets(2)
    strict = replace(emulator("--signature", "strict"), ready_path="/_emulator/health")
    with strict.server() as server:
        statuses = send(server.port, genuine).status, send(server.port, forged(other)).status
    if statuses != (200, 400):
        raise MeasurementError(f"a strict emulator answered {statuses} to a genuine and to a forged signature")
