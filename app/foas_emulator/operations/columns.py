"""Columns that several tables share, and the account that stands in them."""

from typing import Any

from foas_emulator.world.tables import Change, Condition, Row

ACCOUNT = "239960377092765296"
"""The account that makes all calls: the documented Starter. There is one; access keys only select a world."""


class JobContent(Row):
    """The content of a job, in the draft, in the committed copy, and in every instance.

    It is the first base of its tables, so that its columns are the last: SQLite reads a row up to the last column that
    a statement needs, and a job may have megabytes of content.
    """

    code: str | None = None
    plan_json: str | None = None
    properties: str | None = None
    packages: str | None = None


class Stamped(Row):
    """The creator and the last modifier of a row, with times in milliseconds, truncated to whole seconds."""

    creator: str
    create_time: int
    modifier: str
    modify_time: int


def made_at(now: int) -> dict[str, Any]:
    """Return the columns of `Stamped` for a row that is made at an instant."""
    return {"creator": ACCOUNT, "create_time": now, "modifier": ACCOUNT, "modify_time": now}


def modified_at(now: int) -> tuple[Change, Change]:
    """Return the columns of `Stamped` that change with a row."""
    return ("modifier", ACCOUNT), ("modify_time", now)


def of_jobs(project_name: str, job_name: str | None) -> list[Condition]:
    """Return the conditions that rows are of a job, or without its name of all jobs of a project.

    All tables with rows of jobs have these names for the columns.
    """
    return [("project_name", project_name), *([] if job_name is None else [("job_name", job_name)])]
