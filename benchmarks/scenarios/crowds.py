"""The cost of many worlds, or many instances in one world, compared with one of each.

How a process's memory happens to lie decides about some percent of what is seen here, for as long as it runs. So every
server is started several times, and takes its share of the time each time.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.bench import Bench, Candidate
from benchmarks.figures import Outcome, Series, pooled
from benchmarks.peers import emulator
from benchmarks.scenarios.reads import rate
from benchmarks.traffic import INSTANCE, PROJECT, get

_WORLDS = 1_000
_JOBS, _INSTANCES_PER_JOB = 100, 100
_CONNECTIONS = 64
_STARTS = 3


def worlds(bench: Bench) -> Outcome:
    """1,000 worlds read in turn against one world read all the time; both are named by a header."""
    crowd = [get(headers={"x-emulator-world": f"w{number:03}"}) for number in range(_WORLDS)]
    one, many = "one world", f"{_WORLDS:,} worlds"

    def measure(bench: Bench) -> Series:
        with emulator().serving(bench.document) as alone, emulator().serving(bench.document) as crowded:
            candidates = [
                Candidate(one, alone, bench.recording("one-world", crowd[:1])),
                Candidate(many, crowded, bench.recording("many-worlds", crowd), first_requests=_WORLDS),
            ]
            return bench.replays("GetInstance in many worlds", candidates, connections=_CONNECTIONS, figure=rate)

    series = _several_times(bench, measure)
    return Outcome((series.ratio(f"rate with {many}, against {one}", many, one, reach=0.9, aim=0.97),), (series,))


def instances(bench: Bench) -> Outcome:
    """10,000 instances of one world, one of them read and all read in turn, against a world with one instance."""
    document = json.loads(bench.document)["Instance"]
    seeds = bench.cache.directory("seeds")
    small, small_paths = _seed(seeds / "small.json", document, jobs=1, instances_per_job=1)
    large, large_paths = _seed(seeds / "large.json", document, jobs=_JOBS, instances_per_job=_INSTANCES_PER_JOB)
    crowd = f"{len(large_paths):,} instances in one world"
    alone_in_world, one_of_many, all_in_turn = "one instance", f"{crowd}, one read", f"{crowd}, read in turn"

    def measure(bench: Bench) -> Series:
        with (
            emulator("--seed", str(small)).serving(bench.document) as alone,
            emulator("--seed", str(large)).serving(bench.document) as crowded,
        ):
            in_turn = bench.recording("many-instances", map(get, large_paths))
            candidates = [
                Candidate(alone_in_world, alone, bench.recording("one-instance", map(get, small_paths))),
                Candidate(one_of_many, crowded, bench.recording("one-of-many", map(get, large_paths[-1:]))),
                Candidate(all_in_turn, crowded, in_turn, first_requests=len(large_paths)),
            ]
            what = "GetInstance among many instances"
            return bench.replays(what, candidates, connections=_CONNECTIONS, figure=rate)

    series = _several_times(bench, measure)
    rows = (
        series.ratio(f"rate with {name}, against {alone_in_world}", name, alone_in_world, reach=0.9, aim=0.97)
        for name in (one_of_many, all_in_turn)
    )
    return Outcome(tuple(rows), (series,))


def _several_times(bench: Bench, measure: Callable[[Bench], Series]) -> Series:
    effort = replace(bench.effort, seconds=bench.effort.seconds / _STARTS)
    return pooled([measure(replace(bench, effort=effort)) for _ in range(_STARTS)])


def _seed(file: Path, document: dict[str, object], *, jobs: int, instances_per_job: int) -> tuple[Path, list[str]]:
    """A seed document whose instances are all like the documented one, and the paths of them."""
    ids = iter(range(int(INSTANCE), int(INSTANCE) + jobs * instances_per_job))
    own = {name: value for name, value in document.items() if name not in ("Id", "JobName", "ProjectName")}
    seeded, paths = [], []
    for job in (f"job{number}" for number in range(1, jobs + 1)):
        numbers = [next(ids) for _ in range(instances_per_job)]
        seeded.append({"JobName": job, "instances": [{"Id": number, **own} for number in numbers]})
        paths += [f"/api/v2/projects/{PROJECT}/jobs/{job}/instances/{number}" for number in numbers]
    file.write_text(json.dumps({"projects": [{"Name": PROJECT, "jobs": seeded}]}, ensure_ascii=False), encoding="utf-8")
    return file, paths
