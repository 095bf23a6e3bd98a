"""Columns that several tables share."""

from foas_emulator.world.store import Row


class JobContent(Row):
    """What a job runs: in the draft, in the committed copy, and in every instance."""

    code: str | None = None
    plan_json: str | None = None
    properties: str | None = None
    packages: str | None = None


class Stamped(Row):
    """Who made a row and who changed it last, and when: milliseconds, cut to whole seconds."""

    creator: str
    create_time: int
    modifier: str
    modify_time: int
