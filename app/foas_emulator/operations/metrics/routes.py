"""The operations on metrics."""

from typing import Annotated

from foas_emulator.blink.metrics import Series
from foas_emulator.gateway.operation import Group
from foas_emulator.gateway.parameters import Int64
from foas_emulator.operations.instances.service import CURRENT
from foas_emulator.operations.metrics import service
from foas_emulator.operations.metrics.schemas import Metric, Metrics, MetricsResponse
from foas_emulator.operations.parameters import ClusterId, CurrentWorld, JobName, ProjectName, form, query

group = Group("metrics")

MetricJson = Annotated[
    str | None,
    form(
        "metricJson",
        "The query, in the manner of OpenTSDB: start, end, limit, queries.",
        '{"limit":"avg:sample:50","queries":[{"metric":"blink.project1.job1.delay","granularity":"20s"}]}',
        required=True,
    ),
]
MeasuredInstanceId = Annotated[
    Int64, query("instanceId", "Id of the instance; -1, the default, is the current one of a stream job.", CURRENT)
]


@group.reads("GetInstanceMetric", "POST", "/api/v2/projects/{projectName}/jobs/{jobName}/metric", evidence="2020-11-26")
async def get_instance_metric(
    world: CurrentWorld,
    project_name: ProjectName,
    job_name: JobName,
    instance_id: MeasuredInstanceId = CURRENT,
    metric_json: MetricJson = None,
) -> MetricsResponse:
    """Return curves of a running instance in the last two hours, from a minute after its start."""
    return _answer(service.get_instance_metric(world, project_name, job_name, instance_id, metric_json=metric_json))


@group.reads("GetClusterMetrics", "POST", "/api/v2/clusters/{clusterId}/metrics", evidence="2020-11-26")
async def get_cluster_metrics(
    world: CurrentWorld, cluster_id: ClusterId, metric_json: MetricJson = None
) -> MetricsResponse:
    """Return curves of a cluster in the last two hours."""
    return _answer(service.get_cluster_metrics(world, cluster_id, metric_json=metric_json))


def _answer(series: list[Series]) -> MetricsResponse:
    curves = [
        Metric.model_construct(metric_name=each.name, dps=dict(each.dps), summary=each.summary, tags=dict(each.tags))
        for each in series
    ]
    return MetricsResponse.model_construct(metrics=Metrics.model_construct(metric=curves))
