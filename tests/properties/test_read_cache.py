"""The read cache is right by construction; here two emulators, one without it, are asked the same and must agree."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foas_emulator.world.durations import duration
from tests.api import Api, open_api
from tests.machine_clock import MachineClock

NOON = 1_600_000_000_000
PROJECTS = st.sampled_from(["project1", "demo", "absent"])
JOBS = st.sampled_from(["job1", "running-stream", "paused-stream", "failed-batch", "new"])
IDS = st.sampled_from([-1, 412536, 500002, 500003, 500007, 412537, 500010])
FORMATS = st.sampled_from(["JSON", "XML"])

READS = st.one_of(
    st.builds(
        lambda p, j, i, f: ("GetInstance", {"projectName": p, "jobName": j, "instanceId": i, "Format": f}),
        PROJECTS,
        JOBS,
        IDS,
        FORMATS,
    ),
    st.builds(
        lambda p, j, i: ("GetInstanceRunSummary", {"projectName": p, "jobName": j, "instanceId": i}),
        PROJECTS,
        JOBS,
        IDS,
    ),
    st.builds(lambda p, j: ("GetJob", {"projectName": p, "jobName": j}), PROJECTS, JOBS),
    st.builds(lambda p, f: ("ListJob", {"projectName": p, "Format": f}), PROJECTS, FORMATS),
    st.builds(lambda p: ("ListInstance", {"projectName": p, "jobType": "FLINK_STREAM"}), PROJECTS),
    st.builds(
        lambda p, j, i: ("GetInstanceDetail", {"projectName": p, "jobName": j, "instanceId": i}), PROJECTS, JOBS, IDS
    ),
)
WRITES = st.one_of(
    st.builds(
        lambda p, j: (
            "CreateJob",
            {"projectName": p, "jobName": j, "jobType": "FLINK_STREAM", "apiType": "SQL", "code": "x"},
        ),
        PROJECTS,
        JOBS,
    ),
    st.builds(lambda p, j: ("CommitJob", {"projectName": p, "jobName": j}), PROJECTS, JOBS),
    st.builds(lambda p, j: ("StartJob", {"projectName": p, "jobName": j}), PROJECTS, JOBS),
    st.builds(
        lambda p, j, s: ("ModifyInstanceState", {"projectName": p, "jobName": j, "instanceId": -1, "expectState": s}),
        PROJECTS,
        JOBS,
        st.sampled_from(["RUNNING", "PAUSED", "TERMINATED"]),
    ),
    st.builds(
        lambda p, d: ("UpdateProject", {"projectName": p, "globalJobConfig": d}), PROJECTS, st.sampled_from("ab")
    ),
)
MOVES = st.builds(lambda by: ("advance", {"by": by}), st.sampled_from(["1ms", "5s", "30s", "3d"]))
DELAYS = st.builds(lambda by: ("set", {"start_delay": by, "pause_delay": by}), st.sampled_from(["0s", "5s", "1h"]))
WAITS = st.builds(lambda by: ("wait", {"by": by}), st.sampled_from(["1ms", "4999ms", "5s", "30s", "1h"]))
MODES = st.builds(lambda mode: ("set", {"not_running": mode}), st.sampled_from(["fail", "answer"]))
RESETS: st.SearchStrategy[tuple[str, dict[str, Any]]] = st.just(("reset", {}))
LOOKS = [
    ("GetInstance", {"projectName": project, "jobName": job, "instanceId": -1, "Format": "JSON"})
    for project, job in (("project1", "job1"), ("demo", "running-stream"), ("demo", "paused-stream"))
]
"""Reads right before and right after time has passed: what comes due by itself has to show."""
STEPS = st.lists(st.one_of(READS, READS, READS, WRITES, MOVES, WAITS, WAITS, DELAYS, MODES, RESETS), max_size=40)


def _apply(api: Api, name: str, arguments: dict[str, Any]) -> Any:
    """One step, and everything the client sees of it."""
    world = api.world
    if name == "advance":
        with world.transaction():
            world.clock.put(world.clock.ahead(duration(arguments["by"])))
        return None
    if name == "set":
        world.set(arguments)
        return None
    if name == "reset":
        api.registry.reset(world.name)
        return None
    outcome = api.call(name, **arguments)
    return outcome.status, outcome.text, sorted(outcome.headers.multi_items())


@contextmanager
def _twins() -> Iterator[tuple[Api, Api]]:
    with ExitStack() as stack:
        cached, plain = (
            stack.enter_context(open_api(read_cache=size, start_delay=5000, pause_delay=5000, stop_delay=5000))
            for size in (1 << 20, 0)
        )
        yield cached, plain


@pytest.fixture(scope="module")
def time_passing() -> Iterator[MachineClock]:
    """The machine's clock, which both emulators follow and no write tells of: it goes on in steps of the test alone."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        clock = MachineClock(NOON)
        clock.install(monkeypatch)
        yield clock


@pytest.fixture(scope="module")
def twins(time_passing: MachineClock) -> Iterator[tuple[Api, Api]]:
    assert time_passing.now >= NOON, "the worlds are created at an instant of the test"
    with _twins() as pair:
        yield pair


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_an_emulator_with_a_read_cache_answers_as_one_without(
    twins: tuple[Api, Api], time_passing: MachineClock, steps: list[Any]
) -> None:
    for api in twins:
        api.registry.reset("default")
    for name, arguments in steps:
        if name == "wait":
            for look in LOOKS:
                _compare(twins, *look)
            time_passing.let_pass(duration(arguments["by"]))
            for look in LOOKS:
                _compare(twins, *look)
        else:
            _compare(twins, name, arguments)


def _compare(twins: tuple[Api, Api], name: str, arguments: dict[str, Any]) -> None:
    cached, plain = (_apply(api, name, arguments) for api in twins)
    assert cached == plain, f"after {name} {arguments}"


def test_a_repeated_read_is_served_from_the_cache(twins: tuple[Api, Api]) -> None:
    """Without this, the property above could hold because nothing is ever kept."""
    cached, _ = twins
    statements: list[str] = []
    call = {"projectName": "project1", "jobName": "job1", "instanceId": 412536}
    cached.ok("GetInstance", **call)
    cached.world.store._raw.set_trace_callback(statements.append)
    cached.ok("GetInstance", **call)
    cached.world.store._raw.set_trace_callback(None)
    assert statements == []
