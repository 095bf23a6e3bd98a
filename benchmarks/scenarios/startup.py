"""From the start of the process to the end of its first correct answer."""

from functools import partial

from benchmarks.bench import Bench
from benchmarks.figures import Outcome, Series, interleaved
from benchmarks.peers import EMULATOR, MOTO, WIREMOCK, Peer


def startup(bench: Bench) -> Outcome:
    """Whole process starts in turns, after one each that is not counted (it fills the page cache).

    The emulator and WireMock answer GetInstance; moto, which starts empty, has the easier task of listing no buckets.
    """
    what = "process start to the first correct answer"
    peers = [bench.peers[name] for name in (EMULATOR, MOTO, WIREMOCK) if name in bench.peers]
    measures = {peer.name: partial(_start_ms, peer) for peer in peers}
    interleaved(measures, 1)
    rounds, failed = interleaved(measures, bench.effort.starts)
    series = Series(what, "ms", rounds, missing={**bench.missing, **failed})
    against_moto = series.ratio(f"{what}, against moto", EMULATOR, MOTO, reach=1.8, aim=1.0)
    against_wiremock = series.ratio(f"{what}, against WireMock", EMULATOR, WIREMOCK, reach=0.7, aim=0.35)
    return Outcome((against_moto, against_wiremock), (series,))


def _start_ms(peer: Peer) -> float:
    with peer.server() as server:
        return server.started_s * 1000
