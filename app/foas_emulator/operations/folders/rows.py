"""The table of folders, and the statements on it."""

from sqlmodel import Field

from foas_emulator.world.tables import Row, equal
from foas_emulator.world.world import World

ROOT = "/"


class Folder(Row, table=True):
    """A folder of a project, by its absolute path. The root `/` is a folder of every project."""

    __tablename__ = "folders"

    folder_id: int = Field(primary_key=True)
    project_name: str = Field(index=True)
    path: str


def folder_at(world: World, project_name: str, path: str) -> Folder | None:
    """Return the folder of a project at a path."""
    return world.store.get(Folder, equal(Folder.project_name, project_name), equal(Folder.path, path))


def folders_below(world: World, folder: Folder) -> list[Folder]:
    """Return all folders below a folder, by path."""
    prefix = folder.path.rstrip("/") + "/"
    everything = world.store.find(Folder, equal(Folder.project_name, folder.project_name))
    below = (each for each in everything if each.path.startswith(prefix) and each.path != folder.path)
    return sorted(below, key=lambda each: each.path)
