"""The argument of every scenario: the peers that could be installed, the load generator, and the length of a run."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.cache import Cache
from benchmarks.figures import Series, interleaved
from benchmarks.load import Generator, Load
from benchmarks.peers import Peer
from benchmarks.servers import MeasurementError, Server
from benchmarks.traffic import record

_SHORT_WARM_UP_S = 1.0


@dataclass(frozen=True, slots=True)
class Effort:
    """How long a run takes.

    Rounds and the length of those that wrk makes, a JVM's warm-up, process starts, calls in one round where single
    calls are timed, and requests signed beforehand.
    """

    rounds: int
    seconds: float
    warm_up_s: float
    starts: int
    calls: int
    signed: int


FULL = Effort(rounds=5, seconds=6, warm_up_s=30, starts=11, calls=50, signed=100_000)
QUICK = Effort(rounds=3, seconds=2, warm_up_s=5, starts=3, calls=20, signed=20_000)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A server and what is sent to it, under the name that its figures bear.

    `warms_up` is true of a JVM; `first_requests` are answered before any candidate counts as warm.
    """

    name: str
    server: Server
    recording: Path
    warms_up: bool = False
    first_requests: int = 1


@dataclass(frozen=True, slots=True)
class LineUp:
    """The servers of a scenario that are up, and why the others are not."""

    servers: Mapping[str, Server]
    missing: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bench:
    """The peers by name, the emulator among them; the reasons of those that are missing; the tools and the effort."""

    cache: Cache
    generator: Generator
    effort: Effort
    document: bytes
    peers: Mapping[str, Peer]
    missing: Mapping[str, str]

    @contextmanager
    def line_up(self, *names: str) -> Iterator[LineUp]:
        """The named servers, all started and seen to answer the document."""
        servers: dict[str, Server] = {}
        missing: dict[str, str] = {}
        with ExitStack() as running:
            for name in names:
                try:
                    servers[name] = running.enter_context(self._peer(name).serving(self.document))
                except MeasurementError as reason:
                    missing[name] = str(reason)
            yield LineUp(servers, missing)

    def _peer(self, name: str) -> Peer:
        if name in self.missing:
            raise MeasurementError(self.missing[name])
        return self.peers[name]

    def recording(self, name: str, requests: Iterable[bytes]) -> Path:
        """A file of recorded requests."""
        return record(self.cache.directory("recordings") / name, requests)

    def replays(
        self,
        what: str,
        candidates: Sequence[Candidate],
        *,
        connections: int,
        figure: Callable[[Load], float],
        unit: str = "requests/s",
        more_is_better: bool = True,
        missing: Mapping[str, str] | None = None,
    ) -> Series:
        """Interleaved rounds of every candidate's recording, each after its warm-up."""

        def run(candidate: Candidate, seconds: float) -> Load:
            return self.generator.replay(
                candidate.server, candidate.recording, seconds=seconds, connections=connections
            )

        def warm_up(candidate: Candidate) -> float:
            sent = 0
            while sent < candidate.first_requests:
                sent += run(candidate, self.effort.warm_up_s if candidate.warms_up else _SHORT_WARM_UP_S).requests
            return sent

        def measure(candidate: Candidate) -> float:
            return figure(run(candidate, self.effort.seconds))

        warm, failed = interleaved({each.name: partial(warm_up, each) for each in candidates}, 1)
        measures = {each.name: partial(measure, each) for each in candidates if each.name in warm}
        rounds, failed_later = interleaved(measures, self.effort.rounds)
        at_best = frozenset(each.name for each in candidates if each.warms_up)
        return Series(what, unit, rounds, more_is_better, {**(missing or {}), **failed, **failed_later}, at_best)
