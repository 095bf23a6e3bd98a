"""The operations on instances."""

from foas_emulator.gateway.evidence import documented
from foas_emulator.gateway.operation import Group
from foas_emulator.operations.instances import rules
from foas_emulator.operations.instances.schemas import GetInstanceAnswer, InstanceDetails
from foas_emulator.operations.parameters import CurrentWorld, InstanceId, JobName, ProjectName

group = Group("instances")

_INSTANCE = "/api/v2/projects/{projectName}/jobs/{jobName}/instances/{instanceId}"


@group.reads("GetInstance", "GET", _INSTANCE, evidence=documented("help page GetInstance, 2020-09-11"))
async def get_instance(
    world: CurrentWorld, project_name: ProjectName, job_name: JobName, instance_id: InstanceId
) -> GetInstanceAnswer:
    """All that is known of a running job's instance; the call fails for a job that is not running."""
    instance = rules.get_instance(world, project_name, job_name, instance_id)
    return GetInstanceAnswer.of(instance=InstanceDetails.from_row(instance))
