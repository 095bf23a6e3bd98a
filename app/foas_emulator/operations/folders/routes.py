"""The operations on folders."""

from typing import Annotated

from fastapi import Form, Query

from foas_emulator.gateway.evidence import documented
from foas_emulator.gateway.formats import Answer
from foas_emulator.gateway.operation import Group
from foas_emulator.operations.folders import rules
from foas_emulator.operations.folders.schemas import (
    CreateFolderAnswer,
    FolderDetails,
    Folders,
    GetFolderAnswer,
    ListChildFolderAnswer,
)
from foas_emulator.operations.parameters import CurrentWorld, ProjectName

group = Group("folders")

_FOLDERS = "/api/v2/projects/{projectName}/folders"

_Path = Annotated[str, Query(alias="path", description="Absolute path of the folder.", examples=["/path1"])]


@group.writes("CreateFolder", "POST", _FOLDERS, evidence=documented("help page CreateFolder, 2019-04-02"))
async def create_folder(
    world: CurrentWorld,
    project_name: ProjectName,
    path: Annotated[
        str | None,
        Form(alias="path", description="Absolute path of the new folder; needed.", examples=["/path1/path2"]),
    ] = None,
) -> CreateFolderAnswer:
    """Make a folder, and those above it that are missing. A project has at most 50 folders on 5 levels."""
    folder = rules.create(world, project_name, path)
    return CreateFolderAnswer.of(folder_id=folder.folder_id)


@group.reads("GetFolder", "GET", _FOLDERS, evidence=documented("help page GetFolder, 2019-04-02"))
async def get_folder(world: CurrentWorld, project_name: ProjectName, path: _Path) -> GetFolderAnswer:
    """The folder at a path. If there is none the answer has no Folder, as official sample code expects."""
    folder = rules.find(world, project_name, path)
    return GetFolderAnswer.of(folder=None if folder is None else FolderDetails.from_row(folder))


@group.reads(
    "ListChildFolder", "GET", f"{_FOLDERS}/children", evidence=documented("help page ListChildFolder, 2019-04-02")
)
async def list_child_folder(world: CurrentWorld, project_name: ProjectName, path: _Path) -> ListChildFolderAnswer:
    """The folders right below a path. The service does not say whether it shows deeper ones too."""
    shown = [FolderDetails.from_row(folder) for folder in rules.children(world, project_name, path)]
    return ListChildFolderAnswer.of(folders=Folders.of(folder=shown))


@group.writes("MVFolder", "PUT", _FOLDERS, evidence=documented("help page MVFolder, 2020-09-15"))
async def mv_folder(
    world: CurrentWorld,
    project_name: ProjectName,
    src_path: Annotated[
        str | None, Form(alias="srcPath", description="Path the folder has; needed.", examples=["/path1"])
    ] = None,
    dest_path: Annotated[
        str | None, Form(alias="destPath", description="Path it gets; needed.", examples=["/path2"])
    ] = None,
) -> Answer:
    """Give a folder another path. The folders below it and the jobs in them move along."""
    rules.move(world, project_name, src_path, dest_path)
    return Answer.of()


@group.writes("DeleteFolder", "DELETE", _FOLDERS, evidence=documented("help page DeleteFolder, 2020-09-15"))
async def delete_folder(world: CurrentWorld, project_name: ProjectName, path: _Path) -> Answer:
    """Delete a folder that holds neither jobs nor folders."""
    rules.delete(world, project_name, path)
    return Answer.of()
