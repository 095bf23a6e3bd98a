"""Every operation of the service, and what becomes of changes that come due."""

from collections.abc import Mapping

from foas_emulator.gateway.operation import Operation
from foas_emulator.operations.autoscale.routes import group as autoscale
from foas_emulator.operations.clusters import changes as cluster_changes
from foas_emulator.operations.clusters.routes import group as clusters
from foas_emulator.operations.folders.routes import group as folders
from foas_emulator.operations.instances import changes as instance_changes
from foas_emulator.operations.instances.routes import group as instances
from foas_emulator.operations.jobs import plans as job_plans
from foas_emulator.operations.jobs.routes import group as jobs
from foas_emulator.operations.metrics.routes import group as metrics
from foas_emulator.operations.packages.routes import group as packages
from foas_emulator.operations.projects.routes import group as projects
from foas_emulator.operations.queues.routes import group as queues
from foas_emulator.operations.tags.routes import group as tags
from foas_emulator.world.world import Handler

GROUPS = (projects, folders, jobs, instances, packages, queues, clusters, tags, autoscale, metrics)

OPERATIONS: tuple[Operation, ...] = tuple(operation for group in GROUPS for operation in group.declared)

HANDLERS: Mapping[str, Handler] = {
    "cluster": cluster_changes.settle,
    "instance": instance_changes.apply_change,
    "plan_session": job_plans.apply_change,
}
"""Who brings about the changes of each kind of subject."""
