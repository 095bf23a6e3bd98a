"""The table of instances, and the statements on it."""

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Index, Select, bindparam, false, func, null, select
from sqlmodel import Field

from foas_emulator.operations.columns import JobContent, of_jobs
from foas_emulator.operations.paging import matching
from foas_emulator.operations.texts import MOST_WEIGHT
from foas_emulator.world.tables import Change, Condition, Row, changed, equal
from foas_emulator.world.world import World

Window = tuple[int | None, int | None]
"""The first and the last millisecond of a span of time, both included; None leaves a side open."""

_AT_ONCE = 100
"""The most instances to read in one go, if others are served while one after another is worked on."""
_MESSAGES = 4
"""The most error messages that a large world reads in one go."""


class _InstanceMembers(Row):
    """The columns of an instance besides its content."""

    id: int = Field(primary_key=True)
    project_name: str
    job_name: str
    actual_state: str
    expect_state: str
    job_type: str
    api_type: str
    engine_version: str | None = None
    engine_job_handler: str | None = None
    cluster_id: str | None = None
    queue_name: str | None = None
    starter: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    last_operator: str | None = None
    last_operate_time: int | None = None
    last_error_time: int | None = None
    last_error_message: str | None = None
    input_delay: int | None = None
    auto_scale_params: str | None = None
    priority: int | None = None
    is_archived: bool = False


class Instance(JobContent, _InstanceMembers, table=True):
    """One run of a job, with the copy of the job that it runs. A stream job has one instance that is not archived."""

    __tablename__ = "instances"
    __table_args__ = (Index("instances_of_job", "project_name", "job_name", "is_archived"),)

    parameter_json: str | None = None


def find_instance(world: World, project_name: str, job_name: str, instance_id: int) -> Instance | None:
    """Return the instance of a job with this id, None if there is none."""
    return world.store.get(Instance, equal(Instance.id, instance_id), *_of_job(project_name, job_name))


def current_instance(world: World, project_name: str, job_name: str) -> Instance | None:
    """Return the one instance of a stream job that is not archived, or None before the first start."""
    return world.store.get(Instance, *_of_job(project_name, job_name), equal(Instance.is_archived, False))


def newest_instances(
    world: World, project_name: str, job_names: Collection[str], *more: Condition
) -> Iterator[Instance]:
    """Yield, for each job of which an instance meets further conditions, the one started last, without its content.

    In a large world they are read a few at a time: each may have an error message of megabytes.
    """
    columns = Instance.table().c
    ids = matching(Instance, equal(Instance.project_name, project_name), *more).with_only_columns(func.max(columns.id))
    newest = [*world.store.execute(ids.where(columns.job_name.in_(job_names)).group_by(columns.job_name)).scalars()]
    step = max(len(newest), 1) if world.store.size <= MOST_WEIGHT else _MESSAGES
    for start in range(0, len(newest), step):
        yield from world.store.fetch(Instance, _light().where(columns.id.in_(newest[start : start + step])))


def last_ids(world: World, project_name: str, job_name: str, most: int) -> list[int]:
    """Return the ids of so many of the newest instances of a job, the oldest of them first."""
    newest = select_ids(project_name, job_name).order_by(Instance.table().c.id.desc()).limit(most)
    return list(world.store.execute(newest).scalars())[::-1]


def first_instance(world: World, project_name: str, job_name: str, states: frozenset[str]) -> tuple[int, str] | None:
    """Return id and state of the first instance of a job that is in one of these states and not archived."""
    found = world.store.execute(_select_first(states), {"project": project_name, "job": job_name}).first()
    return None if found is None else (found.id, found.actual_state)


@cache
def _select_first(states: frozenset[str]) -> Select[Any]:
    """Made once: SQLAlchemy takes longer to make a statement than SQLite to run it."""
    columns = Instance.table().c
    of_job = columns.project_name == bindparam("project"), columns.job_name == bindparam("job")
    is_live = columns.is_archived == false(), columns.actual_state.in_(sorted(states))
    return select(columns.id, columns.actual_state).where(*of_job, *is_live).order_by(columns.id).limit(1)


def select_ids(project_name: str, job_name: str | None) -> Select[Any]:
    """Select the ids of the instances of a job, or of all jobs of a project."""
    return matching(Instance, *of_jobs(project_name, job_name)).with_only_columns(Instance.table().c.id)


def instances_on_cluster(world: World, cluster_id: str, state: str) -> Iterator[Instance]:
    """Yield the instances on a cluster that are now in a state and not archived, without their content.

    They are read a few at a time; those that are deleted meanwhile are left out, and so are those made meanwhile, which
    may replace one that was counted.
    """
    columns = Instance.table().c
    newest = world.store.execute(select(func.max(columns.id))).scalar_one() or 0
    on_cluster = _light(
        equal(Instance.cluster_id, cluster_id),
        equal(Instance.actual_state, state),
        equal(Instance.is_archived, False),
    ).where(columns.id > bindparam("last"), columns.id <= newest)
    part = on_cluster.order_by(columns.id).limit(_AT_ONCE)
    found = world.store.fetch(Instance, part, {"last": 0})
    while found:
        yield from found
        found = world.store.fetch(Instance, part, {"last": found[-1].id}) if len(found) == _AT_ONCE else []


def jobs_of_instances(world: World, ids: Sequence[int]) -> dict[int, str]:
    """Return `project/job` of those of a few hundred instances that exist, by id."""
    columns = Instance.table().c
    jobs = select(columns.id, columns.project_name, columns.job_name).where(columns.id.in_(ids))
    return {row.id: f"{row.project_name}/{row.job_name}" for row in world.store.execute(jobs)}


def select_instances(*filters: Condition, started: Window, ended: Window) -> Select[Any]:
    """Select instances that were started and have ended within these spans of time, newest first."""
    columns = Instance.table().c
    statement = matching(Instance, *filters)
    for column, (begin, end) in ((columns.start_time, started), (columns.end_time, ended)):
        if begin is not None:
            statement = statement.where(column >= begin)
        if end is not None:
            statement = statement.where(column <= end)
    return statement.order_by(columns.id.desc())


def update_instance(world: World, instance: Instance, *changes: Change) -> Instance:
    """Change columns of an instance; return the changed instance."""
    world.store.update(Instance, *changes, where=[equal(Instance.id, instance.id)])
    return changed(instance, *changes)


def delete_instances(world: World, project_name: str, job_name: str | None) -> None:
    """Delete the instances of a job, or of all jobs of a project."""
    world.store.delete(Instance, *of_jobs(project_name, job_name))


def _light(*conditions: Condition) -> Select[Any]:
    """Select instances, with NULL for each column of their content, of which there may be megabytes."""
    columns = Instance.table().c
    content = {*JobContent.model_fields, "parameter_json"}
    shown = (null().label(column.name) if column.name in content else column for column in columns)
    return matching(Instance, *conditions).with_only_columns(*shown)


def _of_job(project_name: str, job_name: str) -> tuple[Condition, ...]:
    return equal(Instance.project_name, project_name), equal(Instance.job_name, job_name)
