"""The cost of fault rules for calls that they do not match."""

import json

from benchmarks.bench import Bench, Candidate
from benchmarks.figures import Outcome
from benchmarks.peers import emulator
from benchmarks.scenarios.reads import rate
from benchmarks.servers import MeasurementError, Server, ask
from benchmarks.traffic import get

_RULES = 20
_CONNECTIONS = 64


def rules(bench: Bench) -> Outcome:
    """GetInstance in a world whose rules are all for another operation, against a world that has none."""
    armed, bare = f"{_RULES} rules for another operation", "no rule"
    with emulator().serving(bench.document) as without, emulator().serving(bench.document) as with_rules:
        for _ in range(_RULES):
            _arm(with_rules)
        recording = bench.recording("rules", [get()])
        candidates = [Candidate(bare, without, recording), Candidate(armed, with_rules, recording)]
        series = bench.replays("GetInstance beside fault rules", candidates, connections=_CONNECTIONS, figure=rate)
    return Outcome((series.ratio(f"rate with {armed}, against {bare}", armed, bare, reach=0.95, aim=0.98),), (series,))


def _arm(server: Server) -> None:
    rule = {"match": {"operation": "DeleteJob"}, "effect": {"error": "Throttling.User"}}
    answer = ask(server.port, "POST", "/_emulator/worlds/default/faults", body=json.dumps(rule).encode())
    if not answer.is_good:
        raise MeasurementError(f"the rule was not armed: {answer.status}")
