"""Columns that several tables share."""

from foas_emulator.world.store import Row


class JobContent(Row):
    """The content of a job, in the draft, in the committed copy, and in every instance."""

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
