"""The table of folders."""

from sqlmodel import Field

from foas_emulator.world.store import Row


class Folder(Row, table=True):
    """A folder of a project, by its absolute path. The root `/` is a folder of every project."""

    __tablename__ = "folders"

    folder_id: int = Field(primary_key=True)
    project_name: str = Field(index=True)
    path: str
