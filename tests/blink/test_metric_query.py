import json
from collections.abc import Mapping

import pytest

from foas_emulator.blink.metric_names import CLUSTER_METRICS, JOB_METRICS
from foas_emulator.blink.metric_query import MetricQuery, MetricQueryError, parse_query

PREFIX = "blink.project1.job1."
# GetInstanceMetric's and GetClusterMetrics' own examples, but for the names in them.
JOB_EXAMPLE = (
    '{"start":1606291390000,"end":1606294626216,"limit":"avg:sample:50","queries":[{"downsample":"20s-avg",'
    '"metric":"blink.project1.job1.task_failover.rate","granularity":"20s","aggregator":"max"}]}'
)
CLUSTER_EXAMPLE = (
    '{ "end":1606291550061, "limit":"avg:sample:50", "queries":[ { "aggregator":"avg", "downsample":"avg",'
    ' "granularity":"60s", "metric":"ClusterID.system.cpu.user" } ], "start":1606291390000 }'
)
BARE_EXAMPLE = '{metric: "clusterid.system.mem.memtotal", aggregator: "avg", downsample: "avg"}'


def job_query(text: str) -> MetricQuery:
    return parse_query(text, prefix=PREFIX, catalogue=JOB_METRICS)


def asking(query: Mapping[str, object] | None = None, **members: object) -> str:
    return json.dumps({"queries": [{"metric": f"{PREFIX}delay"} | dict(query or {})]} | members)


def test_documented_job_query_is_read() -> None:
    query = job_query(JOB_EXAMPLE)
    (line,) = query.lines
    assert (query.start, query.end) == (1606291390000, 1606294626216)
    assert (query.limit.by, query.limit.choice, query.limit.count) == ("avg", "sample", 50)
    assert (line.metric, line.aggregator, line.downsample) == (f"{PREFIX}task_failover.rate", "max", "avg")
    assert (line.step, line.window) == (20, 20)


def test_documented_cluster_query_is_read() -> None:
    query = parse_query(CLUSTER_EXAMPLE, prefix="ClusterID.", catalogue=CLUSTER_METRICS)
    assert (query.lines[0].step, query.lines[0].window) == (60, 60)


def test_documented_query_without_list_and_quotes_is_read() -> None:
    query = parse_query(BARE_EXAMPLE, prefix="clusterid.", catalogue=CLUSTER_METRICS)
    assert (query.start, query.end, query.lines[0].step, query.lines[0].aggregator) == (None, None, 20, "avg")


def test_quoting_is_lenient() -> None:
    loose = (
        "{start: '1606291390000', end: 1606294626216, limit: avg:sample:50,\n queries: [{downsample: 20s-avg, "
        "'metric': blink.project1.job1.task_failover.rate, granularity: \"20s\", aggregator: max,},],}"
    )
    assert job_query(loose) == job_query(JOB_EXAMPLE)


@pytest.mark.parametrize(
    ("members", "step", "window", "downsample"),
    [
        ({}, 20, 20, "avg"),
        ({"granularity": "60s"}, 60, 60, "avg"),
        ({"granularity": 60}, 60, 60, "avg"),
        ({"downsample": "600s-max"}, 600, 600, "max"),
        ({"downsample": "5m-min", "granularity": "1h"}, 3600, 300, "min"),
        ({"downsample": "30-avg", "granularity": "10s"}, 10, 30, "avg"),
        ({"downsample": "max", "granularity": "10s"}, 10, 10, "max"),
    ],
)
def test_step_is_the_granularity_and_window_the_downsampling(
    members: dict[str, object], step: int, window: int, downsample: str
) -> None:
    (line,) = job_query(asking(query=members)).lines
    assert (line.step, line.window, line.downsample) == (step, window, downsample)


@pytest.mark.parametrize("name", JOB_METRICS.curves)
def test_every_documented_metric_can_be_asked_for(name: str) -> None:
    assert job_query(asking(query={"metric": PREFIX + name})).lines[0].metric == PREFIX + name


def test_table_of_the_page_is_whole() -> None:
    # 39 rows, one of them twice, two of them naming two metrics.
    assert len(JOB_METRICS.curves) == 40


@pytest.mark.parametrize(
    "name", ["system.cpu.idle", "system.mem.memfree", "yarn.resourcemanager.jvmmetrics.MemHeapUsed"]
)
def test_cluster_metrics_may_be_any_of_the_documented_families(name: str) -> None:
    text = json.dumps({"metric": f"c1.{name}"})
    assert parse_query(text, prefix="c1.", catalogue=CLUSTER_METRICS).lines[0].metric == f"c1.{name}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "^it cannot be read"),
        ("{", "^it cannot be read"),
        ("[1]", "^it must be an object"),
        ("{}", "metric must be"),
        ('{"queries": []}', "at least one"),
        ('{"queries": {}}', "at least one"),
        ('{"queries": [1]}', "at least one"),
        (asking(query={"metric": ""}), "metric must be a name, as blink.project1.job1.delay"),
        (asking(query={"metric": ["delay"]}), "metric must be a name"),
        (asking(query={"aggregator": "sum"}), "aggregator"),
        (asking(query={"aggregator": ["avg"]}), "aggregator"),
        (asking(query={"downsample": "20s"}), "downsample"),
        (asking(query={"downsample": "0s-avg"}), "downsample"),
        (asking(query={"downsample": "20s-sum"}), "downsample"),
        (asking(query={"granularity": "0s"}), "granularity"),
        (asking(query={"granularity": "often"}), "granularity"),
        (asking(limit="50"), "limit"),
        (asking(limit="avg:top:50"), "limit"),
        (asking(limit="avg:sample:0"), "limit"),
        (asking(start=1606294626216, end=1606291390000), "after end"),
        (asking(start=1606291390), "start must be a time in milliseconds"),
        (asking(end="yesterday"), "end must be a time in milliseconds"),
        (asking(start=1.5), "start"),
        (asking(start="0000000000001"), "start"),
    ],
)
def test_what_means_nothing_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(MetricQueryError, match=words):
        job_query(text)


@pytest.mark.parametrize("metric", [f"{PREFIX}speed", "blink.project1.other.delay", "delay", "other.system.cpu.user"])
def test_metric_of_another_or_of_no_known_name_is_a_line_without_a_curve(metric: str) -> None:
    query = job_query(asking(query={"metric": metric}))
    assert (query.lines[0].metric, query.lines[0].curve) == (metric, None)
    assert query.without_points == (metric,)
    assert job_query(asking()).without_points == ()


def test_cluster_metric_of_no_family_is_a_line_without_a_curve() -> None:
    query = parse_query("{metric: c1.disk}", prefix="c1.", catalogue=CLUSTER_METRICS)
    assert query.without_points == ("c1.disk",)
