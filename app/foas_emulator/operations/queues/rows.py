"""The table of queues."""

from sqlmodel import Field

from foas_emulator.world.store import Row


class Queue(Row, table=True):
    """A queue of a cluster. 100 vcore are one core; memory is in MB. A queue serves one project at most."""

    __tablename__ = "queues"

    cluster_id: str = Field(primary_key=True)
    queue_name: str = Field(primary_key=True)
    max_v_core: int = 0
    max_mem: int = 0
    max_gpu: int = 0
    project_name: str | None = Field(default=None, index=True)
