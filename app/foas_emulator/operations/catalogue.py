"""All operations of the service, and the connections between the groups that declare them."""

from collections.abc import Mapping

from foas_emulator.gateway.operation import Operation
from foas_emulator.operations.autoscale import service as autoscale_service
from foas_emulator.operations.autoscale.routes import group as autoscale
from foas_emulator.operations.clusters import lifecycle as cluster_lifecycle
from foas_emulator.operations.clusters import service as cluster_service
from foas_emulator.operations.clusters.routes import group as clusters
from foas_emulator.operations.folders import service as folder_service
from foas_emulator.operations.folders.routes import group as folders
from foas_emulator.operations.instances import engine as instance_engine
from foas_emulator.operations.instances import lifecycle as instance_lifecycle
from foas_emulator.operations.instances import service as instance_service
from foas_emulator.operations.instances.routes import group as instances
from foas_emulator.operations.jobs import lifecycle as job_lifecycle
from foas_emulator.operations.jobs import service as job_service
from foas_emulator.operations.jobs.routes import group as jobs
from foas_emulator.operations.metrics.routes import group as metrics
from foas_emulator.operations.packages import service as package_service
from foas_emulator.operations.packages.routes import group as packages
from foas_emulator.operations.projects import service as project_service
from foas_emulator.operations.projects.routes import group as projects
from foas_emulator.operations.queues import service as queue_service
from foas_emulator.operations.queues.routes import group as queues
from foas_emulator.operations.tags.routes import group as tags
from foas_emulator.world.world import Handler

GROUPS = (projects, folders, jobs, instances, packages, queues, clusters, tags, autoscale, metrics)

OPERATIONS: tuple[Operation, ...] = tuple(operation for group in GROUPS for operation in group.declared)

HANDLERS: Mapping[str, Handler] = {
    "cluster": cluster_lifecycle.apply_change,
    "instance": instance_lifecycle.apply_change,
    "plan_session": job_lifecycle.apply_change,
}
"""The functions that apply changes, by the kind of their subject."""

cluster_service.demand_by_queue.connect(instance_engine.demand_by_queue)
cluster_service.taken_by_queues.connect(queue_service.taken)
cluster_service.projects_on_cluster.connect(project_service.on_cluster)
cluster_service.bound_projects.connect(queue_service.bound_projects)
cluster_service.destroyed.connect(queue_service.remove_all)

project_service.online_jobs.connect(job_service.online)
project_service.created.connect(folder_service.create_root)
project_service.deleted.connect(
    job_service.remove_all, folder_service.remove_all, package_service.remove_all, queue_service.unbind_all
)

folder_service.jobs_in_folder.connect(job_service.in_folder)

job_service.check_packages.connect(package_service.require_all)
job_service.start_instance.connect(instance_service.start)
job_service.live_instance.connect(instance_service.live_instance)
job_service.deleted.connect(instance_service.remove_all, autoscale_service.remove_all)
job_lifecycle.latest_auto_scale_plan.connect(autoscale_service.latest_plan)

instance_lifecycle.started.connect(autoscale_service.make_plan)
instance_engine.auto_scale_plan.connect(autoscale_service.plan_in_force)
