"""The rules of folders. A folder is addressed by its absolute path; `/` is the root of every project."""

from foas_emulator.gateway.errors import invalid, problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.folders.rows import Folder
from foas_emulator.operations.jobs import records as jobs
from foas_emulator.operations.projects import rules as projects
from foas_emulator.operations.required import LONGEST_NAME, given
from foas_emulator.world.store import assign, equal
from foas_emulator.world.world import World

ROOT = "/"
LARGEST_COUNT = 50
LARGEST_DEPTH = 5

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


def find(world: World, project_name: str, path: str) -> Folder | None:
    """The folder at a path, or None. Raises `InvalidProject.NotFound`, or `Invalidpath` for what is no path."""
    projects.require(world, project_name)
    return _at(world, project_name, _checked("path", path))


def require(world: World, project_name: str, path: str) -> Folder:
    """The folder at a path. Raises also `InvalidFolder.NotFound`."""
    folder = find(world, project_name, path)
    if folder is None:
        raise _not_found(project_name, path)
    return folder


def require_id(world: World, project_name: str, folder_id: int) -> Folder:
    """The folder of a project with this id. Raises `InvalidFolder.NotFound`."""
    folder = world.store.get(Folder, equal(Folder.folder_id, folder_id), equal(Folder.project_name, project_name))
    if folder is None:
        raise NOT_FOUND(f"Project {project_name!r} has no folder with the id {folder_id}; GetFolder tells a path's id.")
    return folder


def root(world: World, project_name: str) -> Folder:
    """The folder that holds everything in a project, and the jobs that were given no other."""
    folder = _at(world, project_name, ROOT)
    assert folder is not None, "every project is made with a root"
    return folder


def children(world: World, project_name: str, path: str) -> list[Folder]:
    """The folders right below a path, by path."""
    parent = require(world, project_name, path)
    return [folder for folder in _below(world, parent) if _parent(folder.path) == parent.path]


def create(world: World, project_name: str, path: str | None) -> Folder:
    """Make the folder at a path, and those above it that do not exist yet.

    Raises `InvalidFolder.Duplicate`, `InvalidFolder.TooDeep` or `InvalidFolder.LimitExceeded`. Nothing says what
    becomes of missing folders above; that they are made is inferred.
    """
    projects.require(world, project_name)
    path = _checked("path", path)
    if _at(world, project_name, path) is not None:
        raise _duplicate(project_name, path)
    return _make(world, project_name, path)


def create_root(world: World, project_name: str) -> None:
    """Give a new project its root."""
    world.store.insert(
        Folder.model_construct(folder_id=world.next_number("folder"), project_name=project_name, path=ROOT)
    )


def move(world: World, project_name: str, source: str | None, destination: str | None) -> None:
    """Give a folder another path. What lies below moves along, and so do the jobs, which know folders by their ids.

    Raises `InvalidFolder.Duplicate` if there is a folder at the new path, `InvaliddestPath` if that lies below the
    folder itself. Folders above the new path are made as `create` makes them.
    """
    projects.require(world, project_name)
    source, destination = _checked("srcPath", source), _checked("destPath", destination)
    folder = _at(world, project_name, source)
    if folder is None:
        raise _not_found(project_name, source)
    if source == ROOT:
        raise invalid("srcPath", "the root stays where it is.")
    if destination.startswith(f"{source}/"):
        raise invalid("destPath", f"{destination!r} lies below {source!r}, and no folder holds itself.")
    if _at(world, project_name, destination) is not None:
        raise _duplicate(project_name, destination)
    moved = [folder, *_below(world, folder)]
    for each in moved:
        _check_depth(destination + each.path.removeprefix(source))
    _make_parents(world, project_name, destination)
    for each in moved:
        path = destination + each.path.removeprefix(source)
        world.store.update(Folder, assign(Folder.path, path), where=[equal(Folder.folder_id, each.folder_id)])


def delete(world: World, project_name: str, path: str) -> None:
    """Remove an empty folder. Raises `InvalidFolder.NotEmpty`, or `Invalidpath` for the root."""
    folder = require(world, project_name, path)
    if folder.path == ROOT:
        raise invalid("path", "the root belongs to the project and goes with it.")
    for kind, names in (
        ("folder", [child.path for child in _below(world, folder)]),
        ("job", jobs.in_folder(world, folder.folder_id)),
    ):
        if names:
            raise NOT_EMPTY(
                f"Folder {path!r} holds {len(names)} {kind}s, {names[0]!r} among them; move or delete each."
            )
    world.store.delete(Folder, equal(Folder.folder_id, folder.folder_id))


def delete_all(world: World, project_name: str) -> None:
    """Remove a project's folders, the root included."""
    world.store.delete(Folder, equal(Folder.project_name, project_name))


def _checked(parameter: str, path: str | None) -> str:
    """A path that is absolute and plain. Raises `Missing{parameter}` or `Invalid{parameter}`."""
    path = given(parameter, path)
    if path == ROOT:
        return path
    names = path.split("/")[1:]
    if not path.startswith("/") or any(name in ("", ".", "..") for name in names):
        raise invalid(parameter, f"{path!r} is not an absolute path such as /path1/path2.")
    if any(len(name) > LONGEST_NAME for name in names):
        raise invalid(parameter, f"the name of a folder has at most {LONGEST_NAME} characters.")
    return path


def _at(world: World, project_name: str, path: str) -> Folder | None:
    return world.store.get(Folder, equal(Folder.project_name, project_name), equal(Folder.path, path))


def _below(world: World, folder: Folder) -> list[Folder]:
    prefix = folder.path.rstrip("/") + "/"
    everything = world.store.find(Folder, equal(Folder.project_name, folder.project_name))
    below = (each for each in everything if each.path.startswith(prefix) and each.path != folder.path)
    return sorted(below, key=lambda each: each.path)


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or ROOT


def _make(world: World, project_name: str, path: str) -> Folder:
    _check_depth(path)
    _make_parents(world, project_name, path)
    if world.store.count(Folder, equal(Folder.project_name, project_name)) > LARGEST_COUNT:  # the root does not count
        raise TOO_MANY(f"Project {project_name!r} has {LARGEST_COUNT} folders, the root aside; delete some first.")
    folder = Folder.model_construct(folder_id=world.next_number("folder"), project_name=project_name, path=path)
    world.store.insert(folder)
    return folder


def _make_parents(world: World, project_name: str, path: str) -> None:
    parent = _parent(path)
    if _at(world, project_name, parent) is None:
        _make(world, project_name, parent)


def _check_depth(path: str) -> None:
    if path.count("/") > LARGEST_DEPTH:
        raise TOO_DEEP(f"{path!r} is on level {path.count('/')}; a project has {LARGEST_DEPTH} levels at most.")


def _not_found(project_name: str, path: str) -> Exception:
    return NOT_FOUND(f"Project {project_name!r} has no folder {path!r}; ListChildFolder shows those below a path.")


def _duplicate(project_name: str, path: str) -> Exception:
    return DUPLICATE(f"Project {project_name!r} has a folder {path!r} already.")
