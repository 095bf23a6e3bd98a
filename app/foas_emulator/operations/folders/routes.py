"""The operations on folders."""

from typing import Annotated

from foas_emulator.gateway.formats import ApiResponse
from foas_emulator.gateway.operation import Group
from foas_emulator.operations.folders import service
from foas_emulator.operations.folders.schemas import (
    CreateFolderResponse,
    FolderDetails,
    Folders,
    GetFolderResponse,
    ListChildFolderResponse,
)
from foas_emulator.operations.parameters import CurrentWorld, ProjectName, form, query

group = Group("folders")

_FOLDERS = "/api/v2/projects/{projectName}/folders"

_Path = Annotated[str, query("path", "Absolute path of the folder.", "/path1")]


@group.writes("CreateFolder", "POST", _FOLDERS, evidence="2019-04-02")
async def create_folder(
    world: CurrentWorld,
    project_name: ProjectName,
    path: Annotated[str | None, form("path", "Absolute path of the new folder.", "/path1/path2", required=True)] = None,
) -> CreateFolderResponse:
    """Create a folder, and missing folders above it. A project has at most 50 folders on 5 levels."""
    folder = service.create_folder(world, project_name, path)
    return CreateFolderResponse.model_construct(folder_id=folder.folder_id)


@group.reads("GetFolder", "GET", _FOLDERS, evidence="2019-04-02")
async def get_folder(world: CurrentWorld, project_name: ProjectName, path: _Path) -> GetFolderResponse:
    """Return the folder at a path. If there is none, the answer has no Folder, as official sample code expects."""
    folder = service.get_folder(world, project_name, path)
    return GetFolderResponse.model_construct(folder=None if folder is None else FolderDetails.from_row(folder))


@group.reads("ListChildFolder", "GET", f"{_FOLDERS}/children", evidence="2019-04-02")
async def list_child_folder(world: CurrentWorld, project_name: ProjectName, path: _Path) -> ListChildFolderResponse:
    """Return the folders directly below a path. The service does not document whether it also returns deeper ones."""
    shown = [FolderDetails.from_row(folder) for folder in service.list_child_folder(world, project_name, path)]
    return ListChildFolderResponse.model_construct(folders=Folders.model_construct(folder=shown))


@group.writes("MVFolder", "PUT", _FOLDERS, evidence="2020-09-15")
async def mv_folder(
    world: CurrentWorld,
    project_name: ProjectName,
    src_path: Annotated[str | None, form("srcPath", "Path the folder has.", "/path1", required=True)] = None,
    dest_path: Annotated[str | None, form("destPath", "Path it gets.", "/path2", required=True)] = None,
) -> ApiResponse:
    """Move a folder to another path, with the folders below it and their jobs."""
    service.mv_folder(world, project_name, src_path, dest_path)
    return ApiResponse.model_construct()


@group.writes("DeleteFolder", "DELETE", _FOLDERS, evidence="2020-09-15")
async def delete_folder(world: CurrentWorld, project_name: ProjectName, path: _Path) -> ApiResponse:
    """Delete a folder that contains neither jobs nor folders."""
    service.delete_folder(world, project_name, path)
    return ApiResponse.model_construct()
