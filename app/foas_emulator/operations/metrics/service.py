"""The operations on metrics: the metrics that exist, and the times for which they have values."""

from foas_emulator.blink.chance import Part
from foas_emulator.blink.metric_names import CLUSTER_METRICS, Catalogue, job_metrics
from foas_emulator.blink.metric_query import MetricQueryError, parse_query
from foas_emulator.blink.metrics import Series, evaluate
from foas_emulator.gateway.errors import invalid
from foas_emulator.operations.clusters import service as clusters
from foas_emulator.operations.instances import service as instances
from foas_emulator.operations.required import given
from foas_emulator.showing import nearest, shown
from foas_emulator.world.world import World


def get_instance_metric(
    world: World, project_name: str, job_name: str, instance_id: int, *, metric_json: str | None
) -> list[Series]:
    """Return curves of a running instance, since its start. Metrics are named `blink.{project}.{job}.{name}`.

    One of another project, job or name has no points. Raise `InvalidInstance.NotRunning`, or `InvalidmetricJson` for a
    query that is not valid.
    """
    run = instances.require_run(world, project_name, job_name, instance_id)
    prefix, seed = f"blink.{project_name}.{job_name}.", f"{world.seed}/{run.instance_id}"
    catalogue = job_metrics(run.properties.checkpoint_interval)
    return _curves(world, metric_json, prefix, catalogue, seed=seed, start_time=run.start_time, now=run.now)


def get_cluster_metrics(world: World, cluster_id: str, *, metric_json: str | None) -> list[Series]:
    """Return curves of a cluster, since it was made. Metrics are named `{clusterId}.{name}`."""
    start_time = clusters.require_serving(world, cluster_id).gmt_create
    seed, now = world.seed, world.now()
    return _curves(world, metric_json, f"{cluster_id}.", CLUSTER_METRICS, seed=seed, start_time=start_time, now=now)


def _curves(
    world: World, metric_json: str | None, prefix: str, catalogue: Catalogue, *, seed: Part, start_time: int, now: int
) -> list[Series]:
    try:
        query = parse_query(given("metricJson", metric_json), prefix=prefix, catalogue=catalogue)
        if query.without_points:
            world.note(_why_without_points(query.without_points[0], prefix, catalogue))
        return evaluate(query, seed=seed, start_time=start_time, now=now)
    except MetricQueryError as error:
        raise invalid("metricJson", f"{error}.") from None


def _why_without_points(metric: str, prefix: str, catalogue: Catalogue) -> str:
    """Return the warning of a metric that belongs to another job or cluster, or whose name is unknown."""
    if not metric.startswith(prefix):
        return f"The metric {shown(metric)} has no points: only names that begin with {shown(prefix)} have any."
    near = nearest(metric.removeprefix(prefix), catalogue.curves)
    return f"The metric {shown(metric)} has no points: there is none of this name{near}."
