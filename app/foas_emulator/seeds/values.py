"""Check that a world's rows have values that it can have: a file may have been edited by hand."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, get_args

from sqlalchemy import Table, text

from foas_emulator.blink.kinds import ApiType, JobType
from foas_emulator.operations.clusters import lifecycle as clusters
from foas_emulator.operations.clusters.rows import Cluster
from foas_emulator.operations.instances import lifecycle as instances
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.jobs import lifecycle as jobs
from foas_emulator.operations.jobs.rows import Job, PlanSession
from foas_emulator.world.snapshot import types_of
from foas_emulator.world.store import LARGE, Store
from foas_emulator.world.tables import Row

Model = type[Row]

_TYPES = get_args(JobType)
_APIS = get_args(ApiType)
STATES: tuple[tuple[Model, str, tuple[Any, ...]], ...] = (
    (Cluster, "state", clusters.STATES),
    (Job, "job_type", _TYPES),
    (Job, "api_type", _APIS),
    (Instance, "job_type", _TYPES),
    (Instance, "api_type", _APIS),
    (Instance, "actual_state", instances.STATES),
    (Instance, "expect_state", instances.STATES),
    (PlanSession, "status", jobs.STATUSES),
)
"""Columns that have one of a few words, with these."""

_STORED = {str: "text", int: "integer", bool: "integer", float: "real", type(None): "null"}
"""The types with which SQLite stores values of Python."""


def check_values(store: Store) -> None:
    """Raise ValueError that names the first row with a value of the wrong type or an unknown state.

    Both would break calls, and result from editing a database by hand. Large databases are not checked, as they are
    not checked for damage either.
    """
    for table, wrong in _wrong_values().items() if store.size <= LARGE else ():
        if first_row(store, table, " OR ".join(wrong)) is not None:
            for condition, what in wrong.items():
                row = first_row(store, table, condition)
                if row is not None:
                    raise ValueError(f"{row} has {what}")


@cache
def _wrong_values() -> Mapping[Table, Mapping[str, str]]:
    """Return conditions on the rows of each table, and what is wrong with a row that meets one."""
    wrong: dict[Table, dict[str, str]] = {table: {} for table in Row.metadata.tables.values()}
    for table, conditions in wrong.items():
        for column in table.columns:
            types = [_STORED[each] for each in types_of(column)]
            condition = f"typeof(row.{column.name}) NOT IN ({', '.join(map(repr, types))})"
            conditions[condition] = f"a {column.name} that is not of type {types[0]}"
    for model, name, allowed in STATES:
        condition = f"row.{name} NOT IN ({', '.join(map(repr, allowed))})"
        wrong[model.table()][condition] = f"a value of {name} other than {', '.join(allowed)}"
    return wrong


def first_row(store: Store, table: Table, condition: str, values: Collection[Any] = ()) -> str | None:
    """Return the name of the first row that meets a condition, such as `jobs 'p', 'j'`."""
    key = ", ".join(column.name for column in table.primary_key)
    query = f"SELECT {key} FROM {table.name} AS row WHERE {condition} LIMIT 1"  # noqa: S608 - names of our own
    row = store.execute(
        text(query).columns(), {f"value_{position}": value for position, value in enumerate(values)}
    ).first()
    return None if row is None else f"{table.name} {', '.join(map(repr, row))}"
