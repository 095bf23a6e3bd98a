"""The rules of metrics."""

import json
from typing import Any

import pytest

from tests.api import Api
from tests.operations import building

J: dict[str, Any] = {"projectName": "p", "jobName": "j"}
LIVE: dict[str, Any] = J | {"instanceId": -1}


@pytest.fixture
def running(api: Api) -> Api:
    building.project_with_queue(api, "p")
    building.online_job(api)
    api.advance("0s")
    api.ok("StartJob", **J)
    return api


def query(*metrics: str, step: int = 20, **more: Any) -> str:
    queries = [
        {"metric": metric, "granularity": f"{step}s", "downsample": f"{step}s-avg", "aggregator": "max"}
        for metric in metrics
    ]
    return json.dumps({"queries": queries} | more)


def curves(api: Api, *names: str, **more: Any) -> list[dict[str, Any]]:
    asked = query(*(f"blink.p.j.{name}" for name in names), **more)
    found: list[dict[str, Any]] = api.ok("GetInstanceMetric", **LIVE, metricJson=asked)["Metrics"]["Metric"]
    return found


def times(curve: Any) -> list[int]:
    return [int(key.lstrip("_")) for key in curve["Dps"]]


def test_a_curve_has_a_point_for_every_step_from_a_minute_after_the_start(running: Api) -> None:
    running.advance("10m")
    (curve,) = curves(running, "delay", step=60)
    started = running.ok("GetInstance", **LIVE)["Instance"]["StartTime"] // 1000
    assert list(curve) == ["MetricName", "Dps", "Summary", "Tags"]
    assert curve["MetricName"] == "blink.p.j.delay"
    assert curve["Tags"] == {}
    assert len(times(curve)) in (9, 10)
    assert min(times(curve)) >= started + 60
    assert max(times(curve)) <= running.world.now() // 1000


def test_there_are_no_points_in_the_first_minute(running: Api) -> None:
    running.advance("30s")
    assert curves(running, "delay") == []


@pytest.mark.parametrize(("interval", "taken"), [(None, 20), (10_000, 360), (60_000, 60), (0, 0)])
def test_checkpoints_are_as_many_as_the_instance_reports(api: Api, interval: int | None, taken: int) -> None:
    building.project_with_queue(api, "p")
    settings = {} if interval is None else {"properties": f"blink.checkpoint.interval.ms={interval}"}
    building.online_job(api, **settings)
    api.advance("0s")
    api.ok("StartJob", **J)
    api.advance("3605s")
    (curve,) = curves(api, "checkpoints", step=1, start=api.world.now() - 1000)
    assert float(list(curve["Dps"].values())[-1]) == taken
    assert json.loads(api.ok("GetInstanceCheckpoint", **LIVE)["Checkpoints"])["counts"]["total"] == taken


def test_a_curve_is_the_same_whenever_it_is_read(running: Api) -> None:
    running.advance("10m")
    (before,) = curves(running, "delay")
    running.advance("10m")
    (after,) = curves(running, "delay")
    assert before["Dps"].items() <= after["Dps"].items()
    assert len(before["Dps"]) < len(after["Dps"])


def test_a_curve_keeps_to_the_window_asked_for(running: Api) -> None:
    running.advance("1h")
    end = running.world.second()
    (curve,) = curves(running, "delay", start=end - 600_000, end=end)
    assert (end - 600_000) // 1000 <= min(times(curve))
    assert max(times(curve)) <= end // 1000


def test_a_metric_is_reported_for_an_instance_by_its_id_or_as_the_current_one(running: Api) -> None:
    running.advance("10m")
    instance_id = running.ok("GetInstance", **LIVE)["Instance"]["Id"]
    asked = {"metricJson": query("blink.p.j.delay")}
    answers = [
        running.ok("GetInstanceMetric", **where, **asked) for where in (J, LIVE, J | {"instanceId": instance_id})
    ]
    assert answers[0] == answers[1] == answers[2]


def test_the_next_instance_has_curves_of_its_own(running: Api) -> None:
    running.advance("10m")
    (before,) = curves(running, "delay")
    running.ok("ModifyInstanceState", **LIVE, expectState="TERMINATED")
    running.ok("StartJob", **J)
    assert curves(running, "delay") == []
    running.advance("10m")
    (after,) = curves(running, "delay")
    assert not set(before["Dps"]) & set(after["Dps"])


def test_instances_and_worlds_have_values_of_their_own(running: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    running.advance("10m")
    building.online_job(running, "k")
    running.ok("StartJob", projectName="p", jobName="k")
    running.advance("10m")
    cluster_id = running.ok("GetProject", projectName="p")["Project"]["ClusterId"]

    def values(name: str, metric: str, **given: Any) -> set[Any]:
        answer = running.ok(name, **given, metricJson=query(metric))["Metrics"]["Metric"]
        return {value for curve in answer for value in curve["Dps"].values()}

    def of_job(job_name: str) -> set[Any]:
        given = {"projectName": "p", "jobName": job_name, "instanceId": -1}
        return values("GetInstanceMetric", f"blink.p.{job_name}.tps.rate", **given)

    def of_cluster() -> set[Any]:
        return values("GetClusterMetrics", f"{cluster_id}.system.cpu.user", clusterId=cluster_id)

    of_j, before = of_job("j"), of_cluster()
    assert len(of_j) > 1
    assert len(before) > 1
    assert not of_j & of_job("k")
    monkeypatch.setattr(running.world, "seed", running.world.seed + 1)
    assert of_cluster() != before
    assert of_job("j") != of_j


def test_a_job_that_is_not_running_has_no_metrics(running: Api) -> None:
    running.ok("ModifyInstanceState", **LIVE, expectState="PAUSED")
    running.refused("GetInstanceMetric", **LIVE, metricJson=query("blink.p.j.delay"), code="InvalidInstance.NotRunning")


def test_a_batch_instance_must_be_named(running: Api) -> None:
    building.online_job(running, "b", jobType="FLINK_BATCH")
    b: dict[str, Any] = {"projectName": "p", "jobName": "b"}
    instance_id = running.ok("StartJob", **b)["instanceId"]
    asked: dict[str, Any] = {"metricJson": query("blink.p.b.delay")}
    running.refused("GetInstanceMetric", **b, **asked, code="InvalidinstanceId")
    running.advance("5m")
    assert running.ok("GetInstanceMetric", **b, instanceId=instance_id, **asked)["Metrics"]["Metric"]


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "{",
        "{queries: [{downsample: 20s-avg}]}",
        query("blink.p.j.delay", start=1548397575001, end=1548397575000),
        query("blink.p.j.delay", limit="avg:middle:1"),
    ],
)
def test_a_query_must_mean_something(running: Api, asked: Any) -> None:
    running.refused("GetInstanceMetric", **LIVE, metricJson=asked, code="InvalidmetricJson")


def test_a_query_must_be_given(running: Api) -> None:
    running.refused("GetInstanceMetric", **LIVE, code="MissingmetricJson")
    cluster_id = running.ok("GetProject", projectName="p")["Project"]["ClusterId"]
    running.refused("GetClusterMetrics", clusterId=cluster_id, code="MissingmetricJson")


def test_a_cluster_has_metrics_in_numbers(running: Api) -> None:
    running.advance("10m")
    cluster_id = running.ok("GetProject", projectName="p")["Project"]["ClusterId"]
    asked = f'{{metric: "{cluster_id}.system.mem.memtotal", aggregator: "avg", downsample: "avg"}}'
    (curve,) = running.ok("GetClusterMetrics", clusterId=cluster_id, metricJson=asked)["Metrics"]["Metric"]
    assert curve["MetricName"] == f"{cluster_id}.system.mem.memtotal"
    assert {float(value) for value in curve["Dps"].values()} == {curve["Summary"]}


@pytest.mark.parametrize("metric", ["blink.p.j.absent", "blink.p.other.delay", "blink.other.j.delay", "delay"])
def test_a_metric_of_another_is_a_series_without_points(running: Api, metric: str) -> None:
    running.advance("10m")
    called = running.call("GetInstanceMetric", **LIVE, metricJson=query(metric, "blink.p.j.delay"))
    stranger, known = called.members["Metrics"]["Metric"]
    assert (stranger["MetricName"], stranger["Dps"] or {}, stranger["Summary"]) == (metric, {}, 0)
    assert known["Dps"]
    assert f'"{metric}"' in called.headers["x-emulator-warning"]


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        ("delay", 'only names that begin with "blink.p.j." have any.'),
        ("blink.p.other.delay", 'only names that begin with "blink.p.j." have any.'),
        ("blink.p.j.dellay", "there is none of this name (the nearest is 'delay')."),
        ("blink.p.j.absent", "there is none of this name."),
    ],
)
def test_the_warning_tells_why_a_metric_has_no_points(running: Api, metric: str, reason: str) -> None:
    running.advance("10m")
    warning = running.call("GetInstanceMetric", **LIVE, metricJson=query(metric)).headers["x-emulator-warning"]
    assert warning == f'The metric "{metric}" has no points: {reason}'


def test_the_values_of_a_curve_are_numbers_in_json(running: Api) -> None:
    running.advance("10m")
    (curve,) = curves(running, "delay")
    kinds = {type(value) for value in curve["Dps"].values()}
    assert kinds == {float if running.wire_format == "json" else str}


def test_a_cluster_tells_only_its_own_metrics(running: Api) -> None:
    cluster_id = running.ok("GetProject", projectName="p")["Project"]["ClusterId"]
    asked = query("other.system.cpu.user")
    (curve,) = running.ok("GetClusterMetrics", clusterId=cluster_id, metricJson=asked)["Metrics"]["Metric"]
    assert not curve["Dps"]
    running.refused(
        "GetClusterMetrics",
        clusterId="absent",
        metricJson=query("absent.system.cpu.user"),
        code="InvalidCluster.NotFound",
        status=404,
    )
