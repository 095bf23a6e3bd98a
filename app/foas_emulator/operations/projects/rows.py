"""The table of projects."""

from sqlmodel import Field

from foas_emulator.world.store import Row


class Project(Row, table=True):
    """A project. `region` is where its cluster stands."""

    __tablename__ = "projects"

    name: str = Field(primary_key=True)
    id: str
    state: str = "ENABLE"
    creator: str
    create_time: int
    modifier: str
    modify_time: int
    description: str | None = None
    deploy_type: str = "cell"
    cluster_id: str | None = None
    order_id: str | None = None
    manager_ids: str | None = None
    region: str
    global_job_config: str | None = None
    is_open_batch_sql: bool = False
