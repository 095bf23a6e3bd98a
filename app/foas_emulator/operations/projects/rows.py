"""The table of projects, and the statements on it."""

from typing import Any

from sqlalchemy import Select
from sqlmodel import Field

from foas_emulator.operations.columns import Stamped
from foas_emulator.operations.paging import containing, matching
from foas_emulator.world.tables import Condition, equal
from foas_emulator.world.world import World

CELL = "cell"
PUBLIC = "public"


class Project(Stamped, table=True):
    """A project. `region` is the region of its cluster."""

    __tablename__ = "projects"

    name: str = Field(primary_key=True)
    id: str
    state: str = "ENABLE"
    description: str | None = None
    deploy_type: str = CELL
    cluster_id: str | None = None
    order_id: str | None = None
    manager_ids: str | None = None
    region: str
    global_job_config: str | None = None
    is_open_batch_sql: bool = False


def find_project(world: World, name: str) -> Project | None:
    """Return the project of this name."""
    return world.store.get(Project, equal(Project.name, name))


def select_projects(*filters: Condition, name: str | None) -> Select[Any]:
    """Select projects whose name contains this text, oldest first, as in the sample."""
    columns = Project.table().c
    return containing(matching(Project, *filters), columns.name, name).order_by(columns.create_time, columns.name)
