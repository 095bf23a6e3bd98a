"""Check that the rows of a snapshot can be a world: no row is an orphan, and none breaks a later call."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import LargeBinary, Select, Table, cast, func, literal, select

from foas_emulator.blink.kinds import STREAM
from foas_emulator.faults.rules import FaultRule, check_rules
from foas_emulator.json_bounds import has_lone_surrogate
from foas_emulator.operations.autoscale.rows import AutoScalePlan
from foas_emulator.operations.autoscale.service import MOST_PLANS, MOST_PLANS_OF_PROJECT
from foas_emulator.operations.clusters.rows import Cluster, ClusterOrder, removed_numbers
from foas_emulator.operations.clusters.service import FEWEST_SLAVES, FIRST_ORDER, MOST_CLUSTERS, MOST_SLAVES
from foas_emulator.operations.folders.rows import Folder
from foas_emulator.operations.folders.service import LONGEST_PATH
from foas_emulator.operations.instances.lifecycle import MOST_INSTANCES
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.jobs.lifecycle import MOST_SESSIONS, MOST_SESSIONS_OF_PROJECT
from foas_emulator.operations.jobs.rows import CommittedJob, Job, PlanSession
from foas_emulator.operations.jobs.service import LONGEST_PACKAGES
from foas_emulator.operations.packages.rows import Package
from foas_emulator.operations.packages.schemas import TYPES
from foas_emulator.operations.projects.rows import CELL, PUBLIC, Project
from foas_emulator.operations.projects.service import MOST_PROJECTS
from foas_emulator.operations.queues.rows import Queue
from foas_emulator.operations.queues.service import MOST_QUEUES
from foas_emulator.operations.tags.rows import Tag
from foas_emulator.operations.tags.service import MOST_TAGS, MOST_TAGS_OF_WORLD
from foas_emulator.operations.texts import MOST_WEIGHT, OF_AN_ESCAPE, weight
from foas_emulator.seeds.applying import MOST_FOLDERS, MOST_PARTS
from foas_emulator.seeds.document import ENGINE_VERSIONS, FOLDER_PATH, LONGEST_VERSIONS, MOST_IN_TIMELINE
from foas_emulator.seeds.limits import LONGEST_NAME, cut
from foas_emulator.seeds.planned import REMOVED, apply_all, crowded_projects, wrong_changes
from foas_emulator.seeds.values import STATES, Model, first_row
from foas_emulator.world.ids import LAST_COUNT, Counter
from foas_emulator.world.instants import LAST_INSTANT
from foas_emulator.world.pending import PendingChange
from foas_emulator.world.store import Store
from foas_emulator.world.world import WorldRow

_OF_JOB = ("project_name", "job_name")
_BELONGS: tuple[tuple[Model, tuple[str, ...], Model, tuple[str, ...]], ...] = (
    (Folder, ("project_name",), Project, ("name",)),
    (Package, ("project_name",), Project, ("name",)),
    (Queue, ("project_name",), Project, ("name",)),
    (Queue, ("cluster_id",), Cluster, ("cluster_id",)),
    (Job, ("project_name",), Project, ("name",)),
    (Job, ("project_name", "folder_id"), Folder, ("project_name", "folder_id")),
    (Job, ("cluster_id",), Cluster, ("cluster_id",)),
    (CommittedJob, _OF_JOB, Job, _OF_JOB),
    (Instance, _OF_JOB, Job, _OF_JOB),
    (PlanSession, _OF_JOB, Job, _OF_JOB),
    (AutoScalePlan, ("instance_id", *_OF_JOB), Instance, ("id", *_OF_JOB)),
)
"""Tables and columns, with the table and columns of the row that must exist for them; NULL refers to nothing."""

_ALLOWED: tuple[tuple[Model, str, tuple[Any, ...]], ...] = (
    (Cluster, "pay_model", ("pre", "post")),
    (Cluster, "master_num", (1, 3)),
    (ClusterOrder, "pay_model", ("pre", "post")),
    (ClusterOrder, "master_num", (1, 3)),
    (Project, "deploy_type", (CELL, PUBLIC)),
    (Package, "type", TYPES),
)
_TIMES: tuple[tuple[Model, tuple[str, ...]], ...] = (
    (Cluster, ("gmt_create", "gmt_modified")),
    (Project, ("create_time", "modify_time")),
    (Package, ("create_time", "modify_time")),
    (Job, ("create_time", "modify_time")),
    (Instance, ("start_time", "end_time", "last_operate_time", "last_error_time")),
    (FaultRule, ("expires_at",)),
)
_RANGES: tuple[tuple[Model, str, int, int], ...] = (
    *((model, name, 0, LAST_INSTANT) for model, names in _TIMES for name in names),
    (Folder, "folder_id", 1, LAST_COUNT),
    (Instance, "id", 1, LAST_COUNT),
    (PendingChange, "sequence", 1, LAST_COUNT),
    (FaultRule, "id", 1, LAST_COUNT),
    (FaultRule, "seen", 0, LAST_COUNT),
    (FaultRule, "hits", 0, LAST_COUNT),
    (Queue, "max_v_core", 0, 2**31 - 1),
    (Queue, "max_mem", 0, 2**31 - 1),
    (Queue, "max_gpu", 0, 2**31 - 1),
    (Cluster, "slave_num", FEWEST_SLAVES, MOST_SLAVES),
    (ClusterOrder, "slave_num", FEWEST_SLAVES, MOST_SLAVES),
    (Instance, "priority", -(2**31), 2**31 - 1),
)
"""Columns whose numbers are bounded, with the smallest and the largest number."""

_COUNTED: tuple[tuple[str, Model, str], ...] = (
    ("folder", Folder, "folder_id"),
    ("instance", Instance, "id"),
    ("fault", FaultRule, "id"),
    ("pending_change", PendingChange, "sequence"),
)
"""Counters that must not be lower than any id in a column: otherwise they would give out an existing id."""

_COUNTS: tuple[tuple[Model, tuple[str, ...], int], ...] = (
    (Queue, ("cluster_id",), MOST_QUEUES),
    (Queue, ("project_name",), MOST_QUEUES),
    (Folder, ("project_name",), MOST_FOLDERS),
    (Job, ("project_name",), MOST_PARTS),
    (Package, ("project_name",), MOST_PARTS),
    (Instance, ("project_name",), MOST_INSTANCES),
    (Tag, ("resource_type", "resource_id"), MOST_TAGS),
    (PendingChange, ("subject",), 2 * MOST_IN_TIMELINE),
    # An older version kept all of them, and one of today forgets all but a hundred at once.
    (PlanSession, _OF_JOB, 10 * MOST_SESSIONS),
    (PlanSession, ("project_name",), MOST_SESSIONS_OF_PROJECT),
    (AutoScalePlan, ("instance_id",), 10 * MOST_PLANS),
    (AutoScalePlan, ("project_name",), MOST_PLANS_OF_PROJECT),
)
"""Tables, the columns that name the owner of a row, and the most rows that an owner may have."""

_NAMES: tuple[tuple[Model, str], ...] = (
    *((Project, "name"), (Cluster, "cluster_id"), (Queue, "queue_name"), (Package, "package_name")),
    *((Job, "job_name"), (Job, "queue_name")),
    *((Tag, "resource_type"), (Tag, "resource_id"), (Tag, "tag_key"), (Tag, "tag_value")),
    *((PlanSession, "session_id"), (AutoScalePlan, "plan_name"), (PendingChange, "event")),
    *((Cluster, "master_spec"), (Cluster, "slave_spec"), (ClusterOrder, "master_spec"), (ClusterOrder, "slave_spec")),
)
"""Columns of names, all of which some answer or page lists; seeds and calls give none that are longer."""

_WITH_TEXTS: tuple[Model, ...] = (
    *(Cluster, ClusterOrder, Project, Package, Folder, Queue, Job, CommittedJob, PlanSession, Instance, AutoScalePlan),
    *(Tag, PendingChange, FaultRule, Counter, WorldRow),
)
_MOST_WEIGHT = 2 * MOST_WEIGHT
"""A text in JSON may be twice as long as it was given."""
_OF_SEVERAL = (Instance, PendingChange)
"""Tables whose rows may have twice as much: an instance may have texts of its own beside those of its job, of its start
and of its last failure, each bounded by itself, and a change has names beside such a text in JSON."""

_WRITTEN: tuple[tuple[Model, str], ...] = ((FaultRule, "params"), (FaultRule, "effect"), (WorldRow, "settings"))
"""Columns of JSON texts whose values the control API shows."""


def check_world(store: Store) -> None:
    """Raise ValueError that names the first row that cannot result from any sequence of calls.

    All pending changes are applied for this, so the store is changed; it is checked again with what they have brought.
    """
    check_rules(store)
    _check_rows(store)
    if apply_all(store):
        _check_rows(store)


def _check_rows(store: Store) -> None:
    for problem in _problems(store):
        raise ValueError(cut(problem))


def _problems(store: Store) -> Iterator[str]:
    yield from _lone_surrogates(store)
    yield from _long_names(store)
    yield from _heavy_rows(store)
    yield from _crowds(store)
    yield from _orphans(store)
    yield from _out_of_range(store)
    yield from _wrong_folders(store)
    yield from _wrong_clusters(store)
    yield from _wrong_jobs(store)
    yield from _low_counters(store)
    yield from wrong_changes(store)
    yield from crowded_projects(store)


def _lone_surrogates(store: Store) -> Iterator[str]:
    for model, column in _WRITTEN:
        for row in store.find(model):
            written = getattr(row, column)
            if has_lone_surrogate(written, json.loads(written)):
                yield f"the {column} of {model.table().name} hold half of a surrogate pair, which no answer can carry"


def _long_names(store: Store) -> Iterator[str]:
    for model, column in _NAMES:
        # As bytes, whose length does not end at a zero: a character has at most four.
        if first_row(store, model.table(), f"length(CAST(row.{column} AS BLOB)) > {4 * LONGEST_NAME}") is not None:
            yield f"{model.table().name} has a name of over {LONGEST_NAME} characters in {column}"


def _heavy_rows(store: Store) -> Iterator[str]:
    for model in _WITH_TEXTS:
        table, most = model.table(), _MOST_WEIGHT * (2 if model in _OF_SEVERAL else 1)
        for row in store.execute(_keys_of_long_rows(table, most // OF_AN_ESCAPE)).all():
            key = zip(table.primary_key.columns.keys(), row, strict=True)
            (whole,) = store.find(model, *key)
            if weight(whole) > most:
                yield f"{table.name} {', '.join(map(repr, row))} has longer texts than any world may hold"


# SQLAlchemy's expressions are reference cycles, so these two are made once.


@cache
def _keys_of_long_rows(table: Table, most: int) -> Select[Any]:
    # As bytes, whose length does not end at a zero.
    size = sum((func.length(cast(func.coalesce(each, ""), LargeBinary)) for each in table.c), start=literal(0))
    return select(*table.primary_key.columns).where(size > most)


@cache
def _owner_of_many(table: Table, columns: tuple[str, ...], most: int) -> Select[Any]:
    owner = [table.c[column] for column in columns]
    there = (column.is_not(None) for column in owner)  # a queue may be of no project
    return select(*owner).where(*there).group_by(*owner).having(func.count() > most).order_by(*owner).limit(1)


def _crowds(store: Store) -> Iterator[str]:
    for model, columns, most in _COUNTS:
        for name in store.execute(_owner_of_many(model.table(), columns, most)):
            yield f"{', '.join(columns)} {', '.join(map(repr, name))} has over {most} {model.table().name}"
    for whole, most in ((Cluster, MOST_CLUSTERS), (Project, MOST_PROJECTS), (Tag, MOST_TAGS_OF_WORLD)):
        if store.count(whole) > most:
            yield f"there are over {most} {whole.table().name}"


def _orphans(store: Store) -> Iterator[str]:
    for model, columns, owner, keys in _BELONGS:
        given = " AND ".join(f"row.{column} IS NOT NULL" for column in columns)
        same = " AND ".join(f"owner.{key} = row.{column}" for key, column in zip(keys, columns, strict=True))
        there = f"EXISTS (SELECT 1 FROM {owner.table().name} AS owner WHERE {same})"  # noqa: S608
        row = first_row(store, model.table(), f"{given} AND NOT {there}")
        if row is not None:
            yield f"{row} belongs to a row of {owner.table().name} that does not exist (by {', '.join(columns)})"


def _out_of_range(store: Store) -> Iterator[str]:
    for model, column, allowed in (*STATES, *_ALLOWED):
        row = first_row(
            store,
            model.table(),
            f"row.{column} NOT IN ({', '.join(f':value_{at}' for at in range(len(allowed)))})",
            allowed,
        )
        if row is not None:
            yield f"{row} has a value of {column} other than {', '.join(map(str, allowed))}"
    for model, column, least, most in _RANGES:
        row = first_row(store, model.table(), f"row.{column} NOT BETWEEN :value_0 AND :value_1", (least, most))
        if row is not None:
            yield f"{row} has a {column} beyond {least} to {most}"


def _wrong_folders(store: Store) -> Iterator[str]:
    known: dict[str, set[str]] = {project.name: set() for project in store.find(Project)}
    for folder in store.find(Folder):
        paths = known[folder.project_name]
        if len(folder.path) > LONGEST_PATH:
            yield f"folders {folder.folder_id} has a path of over {LONGEST_PATH} characters"
        if folder.path in paths or re.search(FOLDER_PATH, folder.path) is None or folder.path[1:].endswith("/"):
            yield f"folders {folder.folder_id} has the path {folder.path!r}, which is a duplicate or not valid"
        paths.add(folder.path)
    for project_name, paths in known.items():
        if "/" not in paths:
            yield f"projects {project_name!r} has no folder /"
        for path in paths:
            if (path.rpartition("/")[0] or "/") not in paths:
                yield f"projects {project_name!r} has a folder {path!r} without the one above it"


def _wrong_clusters(store: Store) -> Iterator[str]:
    for cluster in store.find(Cluster):
        if REMOVED.fullmatch(cluster.removed_slaves) is None:
            yield f"clusters {cluster.cluster_id!r} has removed_slaves that are not numbers separated by commas"
        elif max(removed := removed_numbers(cluster), default=0) > cluster.slave_num + len(removed):
            yield f"clusters {cluster.cluster_id!r} has removed_slaves with numbers beyond those of its slaves"
        if len(cluster.engine_versions) > LONGEST_VERSIONS:
            yield f"clusters {cluster.cluster_id!r} has engine_versions of over {LONGEST_VERSIONS} characters"
        elif re.search(ENGINE_VERSIONS, cluster.engine_versions) is None:
            yield f"clusters {cluster.cluster_id!r} has engine_versions that are not versions after their tags"


def _wrong_jobs(store: Store) -> Iterator[str]:
    for model in (Job, CommittedJob, Instance):
        row = first_row(store, model.table(), "length(CAST(row.packages AS BLOB)) > :value_0", (4 * LONGEST_PACKAGES,))
        if row is not None:
            yield f"{row} has packages of over {LONGEST_PACKAGES} characters"
    row = first_row(
        store,
        Instance.table(),
        "NOT EXISTS (SELECT 1 FROM jobs AS job WHERE job.project_name = row.project_name"
        " AND job.job_name = row.job_name AND job.job_type = row.job_type)",
    )
    if row is not None:
        yield f"{row} has a job_type that differs from its job's"
    row = first_row(
        store,
        Instance.table(),
        "row.job_type = :value_0 AND NOT row.is_archived AND EXISTS (SELECT 1 FROM instances AS other"
        " WHERE other.project_name = row.project_name AND other.job_name = row.job_name AND NOT other.is_archived"
        " AND other.id < row.id)",
        (STREAM,),
    )
    if row is not None:
        yield f"{row} is not archived, and neither is another one of its stream job"


def _low_counters(store: Store) -> Iterator[str]:
    counters = {counter.name: counter.value for counter in store.find(Counter)}
    for name, model, column in _COUNTED:
        row = first_row(store, model.table(), f"row.{column} > :value_0", (counters.get(name, 0),))
        if row is not None:
            yield f"{row} is beyond the counter {name!r}, which would give out its id once more"
    for order in store.find(ClusterOrder):
        if not _is_counted(order.order_id, counters.get("order", 0)):
            yield f"cluster_orders {order.order_id!r} is beyond the counter 'order', or is not an order's id"


def _is_counted(order_id: str, given: int) -> bool:
    return order_id.isascii() and order_id.isdecimal() and len(order_id) <= 19 and int(order_id) < FIRST_ORDER + given  # noqa: PLR2004
