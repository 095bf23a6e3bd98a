"""Columns that several tables share."""

from foas_emulator.world.store import Row


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
