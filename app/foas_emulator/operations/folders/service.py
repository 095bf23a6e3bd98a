"""The operations on folders. A folder is addressed by its absolute path; `/` is the root of every project."""

from foas_emulator.gateway.errors import invalid, problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.folders.rows import ROOT, Folder, folder_at, folders_below
from foas_emulator.operations.hooks import Hook
from foas_emulator.operations.projects import service as projects
from foas_emulator.operations.required import LONGEST_NAME, given
from foas_emulator.showing import counted
from foas_emulator.world.tables import assign, equal
from foas_emulator.world.world import World

MOST_CREATED = 50
"""The most folders of a project to which a call adds one; a seed may have more."""
MOST_LEVELS = 5
LONGEST_PATH = 1024
"""The most characters of a path, also in a seed and a snapshot: it takes a tenth of a microsecond to match one."""
_MOST_NAMES = LONGEST_PATH // 2
"""The most names of a path to look at: as many as the longest one has."""

NOT_FOUND = problem("InvalidFolder.NotFound", 404, "The specified folder does not exist.")
DUPLICATE = problem("InvalidFolder.Duplicate", 400, "The specified folder already exists.")
NOT_EMPTY = problem(
    "InvalidFolder.NotEmpty",
    400,
    "The specified folder is not empty.",
    documented("DeleteFolder: only an empty folder; the code and its text are inferred"),
)
TOO_MANY = problem(
    "InvalidFolder.LimitExceeded",
    400,
    "The project has the largest number of folders already.",
    documented("usage limits: 50 folders in a project; the code and its text are inferred"),
)
TOO_DEEP = problem(
    "InvalidFolder.TooDeep",
    400,
    "The specified folder lies too deep.",
    documented("usage limits: folders on 5 levels at most; the code and its text are inferred"),
)

jobs_in_folder: Hook[[World, int], list[str]] = Hook()
"""The names of the jobs in a folder, without those in folders below it."""


def create_folder(world: World, project_name: str, path: str | None) -> Folder:
    """Create the folder at a path, and (inferred) folders above it that do not exist yet.

    Raise `InvalidFolder.Duplicate`, `InvalidFolder.TooDeep` or `InvalidFolder.LimitExceeded`.
    """
    projects.require(world, project_name)
    path = _checked("path", path)
    if folder_at(world, project_name, path) is not None:
        raise _duplicate(project_name, path)
    return _make(world, project_name, path)


def get_folder(world: World, project_name: str, path: str) -> Folder | None:
    """Return the folder at a path, or None. Raise `InvalidProject.NotFound`, or `Invalidpath` for a wrong path."""
    projects.require(world, project_name)
    return folder_at(world, project_name, _checked("path", path))


def list_child_folder(world: World, project_name: str, path: str) -> list[Folder]:
    """Return the folders directly below a path, by path. Raise `InvalidFolder.NotFound`."""
    parent = _require(world, project_name, path)
    return [folder for folder in folders_below(world, parent) if _parent(folder.path) == parent.path]


def mv_folder(world: World, project_name: str, source: str | None, destination: str | None) -> None:
    """Move a folder to another path, with the folders below it and their jobs, which refer to folders by id.

    Raise `InvalidFolder.Duplicate` if there is a folder at the new path, `InvaliddestPath` if that is below the folder
    itself. Create folders above the new path as `create_folder` does.
    """
    projects.require(world, project_name)
    source, destination = _checked("srcPath", source), _checked("destPath", destination)
    folder = folder_at(world, project_name, source)
    if folder is None:
        raise _not_found(project_name, source)
    if source == ROOT:
        raise invalid("srcPath", "the root stays where it is.")
    if destination.startswith(f"{source}/"):
        raise invalid("destPath", f"{destination!r} lies below {source!r}, and no folder holds itself.")
    if folder_at(world, project_name, destination) is not None:
        raise _duplicate(project_name, destination)
    moved = [folder, *folders_below(world, folder)]
    paths = {each.folder_id: destination + each.path.removeprefix(source) for each in moved}
    for path in paths.values():
        _check_depth(path)
        if len(path) > LONGEST_PATH:
            raise invalid("destPath", f"{path!r} would have over {LONGEST_PATH} characters.")
    _make_parents(world, project_name, destination)
    for folder_id, path in paths.items():
        world.store.update(Folder, assign(Folder.path, path), where=[equal(Folder.folder_id, folder_id)])


def delete_folder(world: World, project_name: str, path: str) -> None:
    """Remove an empty folder. Raise `InvalidFolder.NotEmpty`, or `Invalidpath` for the root."""
    folder = _require(world, project_name, path)
    if folder.path == ROOT:
        raise invalid("path", "the root belongs to the project and goes with it.")
    for kind, names in (
        ("folder", [child.path for child in folders_below(world, folder)]),
        ("job", jobs_in_folder(world, folder.folder_id)),
    ):
        if names:
            held = counted(len(names), kind)
            raise NOT_EMPTY(f"Folder {path!r} holds {held}, {names[0]!r} among them; move or delete each.")
    world.store.delete(Folder, equal(Folder.folder_id, folder.folder_id))


def root(world: World, project_name: str) -> Folder:
    """Return the root of a project, which also contains the jobs that name no folder."""
    folder = folder_at(world, project_name, ROOT)
    assert folder is not None, "every project is made with a root"
    return folder


def require_id(world: World, project_name: str, folder_id: int) -> Folder:
    """Return the folder of a project with this id. Raise `InvalidFolder.NotFound`."""
    folder = world.store.get(Folder, equal(Folder.folder_id, folder_id), equal(Folder.project_name, project_name))
    if folder is None:
        raise NOT_FOUND(f"Project {project_name!r} has no folder with the id {folder_id}; GetFolder has a path's id.")
    return folder


def create_root(world: World, project_name: str) -> None:
    """Give a new project its root."""
    world.store.insert(
        Folder.model_construct(folder_id=world.next_number("folder"), project_name=project_name, path=ROOT)
    )


def remove_all(world: World, project_name: str) -> None:
    """Remove the folders of a project that is being deleted, its root included."""
    world.store.delete(Folder, equal(Folder.project_name, project_name))


def _require(world: World, project_name: str, path: str) -> Folder:
    folder = get_folder(world, project_name, path)
    if folder is None:
        raise _not_found(project_name, path)
    return folder


def _checked(parameter: str, path: str | None) -> str:
    """Return an absolute path without empty and relative parts. Raise `Missing{parameter}` or `Invalid{parameter}`."""
    path = given(parameter, path)
    if path == ROOT:
        return path
    names = path.split("/", _MOST_NAMES + 1)[1:]
    if not path.startswith("/") or any(name in ("", ".", "..") for name in names):
        raise invalid(parameter, f"{path!r} is not an absolute path such as /path1/path2.")
    if len(names) > _MOST_NAMES:
        raise TOO_DEEP(
            f"A project has {MOST_LEVELS} levels of folders at most, and {parameter} more than {_MOST_NAMES}."
        )
    if any(len(name) > LONGEST_NAME for name in names):
        raise invalid(parameter, f"the name of a folder has at most {LONGEST_NAME} characters.")
    return path


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or ROOT


def _make(world: World, project_name: str, path: str) -> Folder:
    _check_depth(path)
    _make_parents(world, project_name, path)
    count = world.store.count(Folder, equal(Folder.project_name, project_name)) - 1  # without the root
    if count >= MOST_CREATED:
        raise TOO_MANY(
            f"Project {project_name!r} has {count} folders and a root; above {MOST_CREATED}, only a seed adds one."
        )
    folder = Folder.model_construct(folder_id=world.next_number("folder"), project_name=project_name, path=path)
    world.store.insert(folder)
    return folder


def _make_parents(world: World, project_name: str, path: str) -> None:
    parent = _parent(path)
    if folder_at(world, project_name, parent) is None:
        _make(world, project_name, parent)


def _check_depth(path: str) -> None:
    if path.count("/") > MOST_LEVELS:
        raise TOO_DEEP(f"{path!r} is on level {path.count('/')}; a project has {MOST_LEVELS} levels at most.")


def _not_found(project_name: str, path: str) -> Exception:
    return NOT_FOUND(f"Project {project_name!r} has no folder {path!r}; ListChildFolder shows those below a path.")


def _duplicate(project_name: str, path: str) -> Exception:
    return DUPLICATE(f"Project {project_name!r} has a folder {path!r} already.")
