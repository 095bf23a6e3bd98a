"""The wire models of folders, members in the order of each operation's documented sample."""

from foas_emulator.gateway.formats import Answer, Wire


class CreateFolderAnswer(Answer):
    """The answer of CreateFolder."""

    folder_id: int


class FolderDetails(Wire):
    """A folder by its absolute path."""

    path: str
    folder_id: int


class GetFolderAnswer(Answer):
    """The answer of GetFolder; without a folder there is none at the path."""

    folder: FolderDetails | None = None


class Folders(Wire):
    """The list of ListChildFolder."""

    folder: list[FolderDetails]


class ListChildFolderAnswer(Answer):
    """The answer of ListChildFolder."""

    folders: Folders
