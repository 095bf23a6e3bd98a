import json
from collections.abc import Mapping
from itertools import pairwise

import pytest

from foas_emulator.blink import chance
from foas_emulator.blink.metric_names import CLUSTER_METRICS, JOB_METRICS
from foas_emulator.blink.metric_query import LONGEST_METRIC, MOST_QUERIES, MetricQueryError, parse_query
from foas_emulator.blink.metrics import Series, evaluate

NOW = 1606294626216
START = NOW - 3 * 3_600_000
PREFIX = "blink.project1.job1."


def ask(
    *names: str,
    seed: str = "seed",
    start_time: int = START,
    now: int = NOW,
    query: Mapping[str, str] | None = None,
    **members: object,
) -> list[Series]:
    content: dict[str, object] = {
        "queries": [{"metric": PREFIX + name} | dict(query or {}) for name in names]
    } | members
    parsed = parse_query(json.dumps(content), prefix=PREFIX, catalogue=JOB_METRICS)
    return evaluate(parsed, seed=seed, start_time=start_time, now=now)


def ask_cluster(name: str) -> Series:
    query = parse_query(json.dumps({"metric": f"c1.{name}"}), prefix="c1.", catalogue=CLUSTER_METRICS)
    (series,) = evaluate(query, seed="seed", start_time=START, now=NOW)
    return series


def values(series: Series) -> list[float]:
    return [float(value) for value in series.dps.values()]


def times(series: Series) -> list[int]:
    return [int(time) for time in series.dps]


def test_job_values_and_summaries_are_numbers() -> None:
    (series,) = ask("delay")
    assert all(isinstance(value, float) for value in series.dps.values())
    assert isinstance(series.summary, float)
    assert (series.name, series.tags) == (f"{PREFIX}delay", {})


def test_cluster_values_are_numbers_every_twenty_seconds() -> None:
    series = ask_cluster("yarn.resourcemanager.jvmmetrics.MemHeapUsed")
    assert all(isinstance(value, float) for value in series.dps.values())
    assert {later - earlier for earlier, later in pairwise(times(series))} == {20}


def test_constant_curve_is_constant() -> None:
    assert set(values(ask_cluster("system.mem.memtotal"))) == {16384.0}


def test_points_are_the_same_whenever_they_are_read() -> None:
    (now,), (later,) = ask("delay"), ask("delay", now=NOW + 600_000)
    shared = now.dps.keys() & later.dps.keys()
    assert len(shared) > 300
    assert all(now.dps[time] == later.dps[time] for time in shared)


def test_points_do_not_depend_on_the_window_that_is_asked_for() -> None:
    (whole,), (part,) = ask("delay"), ask("delay", start=NOW - 600_000, end=NOW - 300_000)
    assert part.dps.items() <= whole.dps.items()


def test_metrics_and_worlds_have_curves_of_their_own() -> None:
    (tps,), (parsed,), (elsewhere,) = ask("tps.rate"), ask("parserTps.rate"), ask("tps.rate", seed="other")
    assert len({tuple(values(series)) for series in (tps, parsed, elsewhere)}) == 3


def test_curves_are_smooth_and_alive() -> None:
    (series,) = ask("tps.rate")
    points = values(series)
    assert max(points) - min(points) > 20
    assert max(abs(later - earlier) for earlier, later in pairwise(points)) < 60
    assert all(700 <= point <= 1300 for point in points)


def test_points_span_the_last_two_hours() -> None:
    (series,) = ask("delay")
    assert times(series)[0] >= NOW // 1000 - 7200 > times(series)[0] - 20
    assert times(series)[-1] <= NOW // 1000 < times(series)[-1] + 20


def test_there_are_no_points_in_the_first_minute() -> None:
    start_time = NOW - 120_000
    (series,) = ask("delay", start_time=start_time)
    assert 0 <= times(series)[0] - (start_time // 1000 + 60) < 20
    assert ask("delay", start_time=NOW - 59_000) == []


@pytest.mark.parametrize(
    ("start", "end"), [(NOW + 1000, NOW + 60_000), (NOW - 20_000_000, NOW - 10_000_000)], ids=["future", "long past"]
)
def test_there_are_no_points_outside_of_the_kept_time(start: int, end: int) -> None:
    assert ask("delay", start=start, end=end) == []


def test_start_and_end_are_honoured() -> None:
    (series,) = ask("delay", start=NOW - 600_000, end=NOW - 300_000)
    assert times(series)[0] >= (NOW - 600_000) / 1000
    assert times(series)[-1] <= (NOW - 300_000) / 1000
    assert len(series.dps) == 15


def test_granularity_sets_the_distance_of_points_at_its_multiples() -> None:
    (series,) = ask("delay", query={"granularity": "600s"})
    assert all(time % 600 == 0 for time in times(series))
    assert len(series.dps) == 12


def test_aggregator_and_downsampling_order_the_values() -> None:
    def curve(aggregator: str, downsample: str) -> list[float]:
        return values(ask("delay", query={"aggregator": aggregator, "downsample": downsample})[0])

    for low, middle, high in zip(
        curve("min", "300s-min"), curve("avg", "300s-avg"), curve("max", "300s-max"), strict=True
    ):
        assert low < middle < high


def test_summary_is_the_limits_value_of_the_points() -> None:
    for by, expected in (("max", max), ("min", min)):
        (series,) = ask("delay", limit=f"{by}:sample:1")
        assert series.summary == pytest.approx(expected(values(series)), rel=1e-6)
    (series,) = ask("delay")
    assert series.summary == pytest.approx(sum(values(series)) / len(series.dps), rel=1e-6)


NAMES = ("tps.rate", "buffers.inPoolUsage", "delay", "Status.JVM.Memory.Heap.Used")


@pytest.mark.parametrize(
    ("limit", "left"),
    [
        ("avg:above:2", ["delay", "Status.JVM.Memory.Heap.Used"]),
        ("avg:bottom:2", ["tps.rate", "buffers.inPoolUsage"]),
        ("max:above:1", ["Status.JVM.Memory.Heap.Used"]),
        ("min:bottom:9", list(NAMES)),
        ("avg:sample:2", ["tps.rate", "delay"]),
        ("avg:sample:50", list(NAMES)),
    ],
)
def test_limit_chooses_lines_and_keeps_their_order(limit: str, left: list[str]) -> None:
    assert [series.name.removeprefix(PREFIX) for series in ask(*NAMES, limit=limit)] == left


def test_what_counts_only_grows_and_is_whole() -> None:
    (series,) = ask("checkpoints")
    points = values(series)
    assert points == sorted(points)
    assert points[-1] > points[0]
    assert all(point == int(point) for point in points)


def test_healthy_job_has_no_failures_and_no_late_records() -> None:
    assert {point for series in ask("task_failover.rate", "numLateRecordsDropped") for point in values(series)} == {0.0}


def test_asking_for_too_many_points_is_refused() -> None:
    with pytest.raises(MetricQueryError, match="coarser granularity"):
        ask(*["delay"] * 42)
    assert len(ask(*["delay"] * 41)) == 41
    assert len(ask("delay", query={"granularity": "1s"})[0].dps) > 7000


def test_all_metrics_of_a_job_can_be_asked_for_at_once() -> None:
    found = ask(*JOB_METRICS.curves, query={"granularity": "20s"})
    assert [len(series.dps) for series in found] == [360] * len(JOB_METRICS.curves)


def test_what_a_time_had_as_its_value_it_keeps_in_later_versions() -> None:
    (series,) = ask("delay", query={"aggregator": "max", "downsample": "20s-min"}, start=NOW - 3_600_000)
    assert list(series.dps.items())[::60] == [
        ("1606291040", 1320.060791015625),
        ("1606292240", 1344.44970703125),
        ("1606293440", 1232.5904541015625),
    ]


@pytest.mark.parametrize("name", ["delay", "speed"])
def test_asking_for_too_many_curves_is_refused(name: str) -> None:
    with pytest.raises(MetricQueryError, match="queries holds 51 of them, 50 are allowed"):
        ask(*[name] * (MOST_QUERIES + 1), query={"granularity": "600s"})
    assert len(ask(*[name] * MOST_QUERIES, query={"granularity": "600s"})) == MOST_QUERIES
    assert len(JOB_METRICS.curves) <= MOST_QUERIES


def test_no_curve_is_ever_negative() -> None:
    assert (
        min(point for series in ask(*JOB_METRICS.curves, query={"granularity": "60s"}) for point in values(series)) >= 0
    )


def test_line_without_a_curve_is_a_series_without_points_and_counts_as_one() -> None:
    known, stranger = ask("delay", "speed")
    assert known.dps
    assert (stranger.name, stranger.dps, stranger.summary) == (f"{PREFIX}speed", {}, 0.0)
    assert [series.name for series in ask("speed", "delay", limit="avg:above:1")] == [f"{PREFIX}delay"]
    assert [series.name for series in ask("speed", now=START)] == [f"{PREFIX}speed"]


def test_a_long_name_and_a_wide_window_cost_no_more_than_others(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    whole = chance.fraction

    def counted(*parts: str | int) -> float:
        hashed.append(str(parts[1]))
        return whole(*parts)

    monkeypatch.setattr(chance, "fraction", counted)

    def ask_family(length: int) -> None:
        asked = {"metric": f"c1.system.{'x' * (length - 10)}", "granularity": "20s", "downsample": "999999999h-avg"}
        query = parse_query(json.dumps(asked), prefix="c1.", catalogue=CLUSTER_METRICS)
        (series,) = evaluate(query, seed="seed", start_time=START, now=NOW)
        assert series.dps

    ask_family(LONGEST_METRIC)
    assert 0 < len(hashed) < 150
    with pytest.raises(MetricQueryError, match="metric has 513 characters, 512 are allowed"):
        ask_family(LONGEST_METRIC + 1)
