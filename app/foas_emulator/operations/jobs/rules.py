"""The rules of jobs."""

from foas_emulator.gateway.errors import problem
from foas_emulator.operations.jobs.rows import CommittedJob, Job
from foas_emulator.operations.projects import rules as projects
from foas_emulator.world.world import World

NOT_FOUND = problem("InvalidJob.NotFound", 404, "The specified job does not exist.")


def find(world: World, project_name: str, job_name: str) -> Job | None:
    """The draft of a job, or None. Raises `InvalidProject.NotFound`."""
    job = world.store.get(Job, project_name=project_name, job_name=job_name)
    if job is None:
        projects.require(world, project_name)
    return job


def require(world: World, project_name: str, job_name: str) -> Job:
    """The draft of a job. Raises `InvalidProject.NotFound` or `InvalidJob.NotFound`."""
    job = find(world, project_name, job_name)
    if job is None:
        raise NOT_FOUND(f"Project {project_name!r} has no job {job_name!r}; ListJob shows those it has.")
    return job


def committed(world: World, job: Job) -> CommittedJob | None:
    """The copy of a job that was committed, or None while the job is offline."""
    return world.store.get(CommittedJob, project_name=job.project_name, job_name=job.job_name)
