"""The rules of metrics: what may be asked about, and since when there are values."""

from foas_emulator.blink import metrics
from foas_emulator.blink.metrics import CLUSTER_METRICS, JOB_METRICS, MetricQuery, MetricQueryError, Series
from foas_emulator.gateway.difference import shown
from foas_emulator.gateway.errors import invalid
from foas_emulator.operations.clusters import rules as clusters
from foas_emulator.operations.instances import rules as instances
from foas_emulator.operations.required import given
from foas_emulator.world.world import World


def of_instance(
    world: World, project_name: str, job_name: str, instance_id: int, *, metric_json: str | None
) -> list[Series]:
    """The curves of a running instance, since its start. Metrics are named `blink.{project}.{job}.{name}`.

    One of another project, job or name has no points. Raises `InvalidInstance.NotRunning`, or `InvalidmetricJson` for
    a query that means nothing.
    """
    run = instances.require_run(world, project_name, job_name, instance_id)
    try:
        query = metrics.parse_query(
            given("metricJson", metric_json), prefix=f"blink.{project_name}.{job_name}.", catalogue=JOB_METRICS
        )
        _note_strangers(world, query)
        return metrics.evaluate(query, seed=f"{world.seed}/{run.instance_id}", start_time=run.start_time, now=run.now)
    except MetricQueryError as error:
        raise invalid("metricJson", f"{error}.") from None


def of_cluster(world: World, cluster_id: str, *, metric_json: str | None) -> list[Series]:
    """The curves of a cluster, since it was made. Metrics are named `{clusterId}.{name}`."""
    cluster = clusters.require_serving(world, cluster_id)
    try:
        query = metrics.parse_query(
            given("metricJson", metric_json), prefix=f"{cluster_id}.", catalogue=CLUSTER_METRICS
        )
        _note_strangers(world, query)
        return metrics.evaluate(query, seed=world.seed, start_time=cluster.gmt_create, now=world.now())
    except MetricQueryError as error:
        raise invalid("metricJson", f"{error}.") from None


def _note_strangers(world: World, query: MetricQuery) -> None:
    if query.strangers:
        world.note(f"There are no points of the metric {shown(query.strangers[0])}: it is another's, or no known name.")
