"""The command: install the peers, run the scenarios, print the table, and after a complete run write RESULTS.md."""

import argparse
import compileall
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import foas_emulator
from benchmarks import machine, report
from benchmarks.bench import FULL, QUICK, Bench, Effort
from benchmarks.cache import Cache, UnavailableError, wrk
from benchmarks.figures import Outcome, Row, Series
from benchmarks.load import Generator
from benchmarks.peers import EMULATOR, PEERS, Peer, emulator
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.servers import LOAD_CORE, SERVER_CORE, MeasurementError, ask
from benchmarks.traffic import INSTANCE_PATH

_RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> int:
    """Run what the command line asks for; the exit status is 0 if every row has a value."""
    options = _options()
    effort = QUICK if options.quick else FULL
    try:
        bench = _bench(effort)
    except (UnavailableError, MeasurementError) as reason:
        print(f"cannot measure: {reason}", file=sys.stderr)
        return 2
    # What is started from here on measures, and stays away from the servers' core.
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    rows, series = _run(bench, [each for each in SCENARIOS if not options.only or each.__name__ in options.only])
    print(report.table(rows))
    if not options.only and not options.quick:
        versions = machine.versions(bench.peers.values(), bench.generator.wrk)
        _RESULTS.write_text(
            report.document(
                rows,
                series,
                missing=bench.missing,
                effort=effort,
                machine=machine.machine(),
                versions=versions,
            )
        )
    return 0 if all(row.value is not None for row in rows) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few and short rounds: to see that it works, not to quote")
    names = [scenario.__name__ for scenario in SCENARIOS]
    parser.add_argument("--only", action="append", metavar="SCENARIO", choices=names, help=f"one of {', '.join(names)}")
    return parser.parse_args()


def _bench(effort: Effort) -> Bench:
    if (os.cpu_count() or 1) < len((SERVER_CORE, LOAD_CORE)):
        raise UnavailableError("the server and the load generator need a core each")
    cache = Cache.of_this_user()
    generator = Generator(wrk())
    document = _document()
    # As pip leaves an installed package: every peer that is written in Python is compiled, too.
    compileall.compile_dir(Path(foas_emulator.__file__).parent, quiet=1)
    peers: dict[str, Peer] = {EMULATOR: emulator()}
    missing: dict[str, str] = {}
    for name, make in PEERS.items():
        try:
            peers[name] = make(cache, document)
        except UnavailableError as reason:
            missing[name] = str(reason)
    return Bench(cache, generator, effort, document, peers, missing)


def _document() -> bytes:
    """What the emulator answers, which is what every peer is made to answer."""
    with emulator().server() as server:
        return ask(server.port, "GET", INSTANCE_PATH).body


def _run(bench: Bench, scenarios: Sequence[Scenario]) -> tuple[list[Row], list[Series]]:
    rows: list[Row] = []
    series: list[Series] = []
    for scenario in scenarios:
        print(f"{scenario.__name__} ...", file=sys.stderr, flush=True)
        try:
            outcome = scenario(bench)
        except MeasurementError as reason:
            outcome = Outcome((Row(scenario.__name__, None, None, None, note=str(reason)),))
        rows += outcome.rows
        series += outcome.series
    return rows, series


if __name__ == "__main__":
    sys.exit(main())
