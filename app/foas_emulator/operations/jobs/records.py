"""Jobs as records: what projects, queues, folders and packages ask of them before they change or go.

Rules of those groups are called by the rules of jobs, so their questions are answered here, apart from both.
"""

from typing import Any

from sqlalchemy import Select, func, select

from foas_emulator.operations.jobs.rows import CommittedJob, Job
from foas_emulator.world.store import equal
from foas_emulator.world.world import World


def every(world: World, project_name: str) -> list[Job]:
    """All of a project's jobs."""
    return world.store.find(Job, equal(Job.project_name, project_name))


def online(world: World, project_name: str) -> list[str]:
    """The names of a project's jobs that are online."""
    return [copy.job_name for copy in world.store.find(CommittedJob, equal(CommittedJob.project_name, project_name))]


def in_folder(world: World, folder_id: int) -> list[str]:
    """The names of the jobs in a folder, those of its children left out."""
    return [job.job_name for job in world.store.find(Job, equal(Job.folder_id, folder_id))]


def online_with_package(project_name: str, package_name: str) -> Select[Any]:
    """The jobs whose committed copies use a package, newest first: rows of `Job` with what was committed."""
    jobs, copies = Job.table().c, CommittedJob.table().c
    # Names are separated by commas, and by blanks beside them where somebody liked that better.
    packages = func.replace(func.replace("," + copies.packages + ",", ", ", ","), " ,", ",")
    return (
        select(*(copies.get(column.name, column) for column in jobs))
        .join_from(Job.table(), CommittedJob.table(), _same_job())
        .where(copies.project_name == project_name, func.instr(packages, f",{package_name},") > 0)
        .order_by(jobs.create_time.desc(), jobs.job_name)
    )


def _same_job() -> Any:
    jobs, copies = Job.table().c, CommittedJob.table().c
    return (jobs.project_name == copies.project_name) & (jobs.job_name == copies.job_name)
