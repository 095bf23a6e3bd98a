"""The table of tags."""

from sqlmodel import Field

from foas_emulator.world.store import Row


class Tag(Row, table=True):
    """One tag of a resource."""

    __tablename__ = "tags"

    resource_type: str = Field(primary_key=True)
    resource_id: str = Field(primary_key=True)
    tag_key: str = Field(primary_key=True)
    tag_value: str = ""
