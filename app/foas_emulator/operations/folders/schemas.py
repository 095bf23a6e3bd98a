"""The wire models of folders, members in the order of each operation's documented sample."""

from foas_emulator.gateway.formats import ApiModel, ApiResponse, Int64


class CreateFolderResponse(ApiResponse):
    """The answer of CreateFolder."""

    folder_id: Int64


class FolderDetails(ApiModel):
    """A folder by its absolute path."""

    path: str
    folder_id: Int64


class GetFolderResponse(ApiResponse):
    """The answer of GetFolder; it has no folder if there is none at the path."""

    folder: FolderDetails | None = None


class Folders(ApiModel):
    """The list of ListChildFolder."""

    folder: list[FolderDetails]


class ListChildFolderResponse(ApiResponse):
    """The answer of ListChildFolder."""

    folders: Folders
