"""The wire models of folders, members in the order of each operation's documented sample."""

from foas_emulator.gateway.formats import ApiModel, ApiResponse


class CreateFolderResponse(ApiResponse):
    """The answer of CreateFolder."""

    folder_id: int


class FolderDetails(ApiModel):
    """A folder by its absolute path."""

    path: str
    folder_id: int


class GetFolderResponse(ApiResponse):
    """The answer of GetFolder; without a folder there is none at the path."""

    folder: FolderDetails | None = None


class Folders(ApiModel):
    """The list of ListChildFolder."""

    folder: list[FolderDetails]


class ListChildFolderResponse(ApiResponse):
    """The answer of ListChildFolder."""

    folders: Folders
