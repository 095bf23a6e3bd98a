"""The operations on packages."""

from typing import TYPE_CHECKING

from foas_emulator.gateway.errors import problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.columns import made_at, modified_at
from foas_emulator.operations.jobs import service as jobs
from foas_emulator.operations.packages.rows import Package, find_package, select_packages
from foas_emulator.operations.paging import Page, page
from foas_emulator.operations.projects import service as projects
from foas_emulator.operations.required import given, named
from foas_emulator.operations.texts import check_weight
from foas_emulator.showing import counted
from foas_emulator.world.slices import read_in_slices
from foas_emulator.world.tables import Change, Condition, changed, equal, given_only
from foas_emulator.world.world import World

if TYPE_CHECKING:
    from foas_emulator.operations.jobs.rows import Job

MOST_PACKAGES = 50

NOT_FOUND = problem("InvalidPackage.NotFound", 404, "The specified package does not exist.")
DUPLICATE = problem("InvalidPackage.Duplicate", 400, "The specified package already exists.")
IN_USE = problem(
    "InvalidPackage.InUse",
    400,
    "The specified package is in use by jobs that are online.",
    documented("DeletePackage: refused while a committed job refers to it; the code and its text are inferred"),
)
TOO_MANY = problem(
    "InvalidPackage.LimitExceeded",
    400,
    "The project has the largest number of packages already.",
    documented("usage limits: 50 packages in a project; the code and its text are inferred"),
)


def create_package(
    world: World,
    project_name: str,
    *details: Change,
    package_name: str | None,
    package_type: str | None,
    oss_path: str | None,
) -> None:
    """Register a file in OSS. An exclusive cluster knows its bucket, so only the path in it is required.

    Raise `InvalidProject.NotExclusive`, `InvalidPackage.Duplicate` or `InvalidPackage.LimitExceeded`.
    """
    projects.require_exclusive(world, project_name)
    package_name = named("packageName", package_name)
    if find_package(world, project_name, package_name) is not None:
        raise DUPLICATE(f"Project {project_name!r} has a package {package_name!r} already; UpdatePackage changes it.")
    count = world.store.count(Package, equal(Package.project_name, project_name))
    if count >= MOST_PACKAGES:
        raise TOO_MANY(f"Project {project_name!r} has {count} packages; above {MOST_PACKAGES}, only a seed adds one.")
    package = Package.model_construct(
        project_name=project_name,
        package_name=package_name,
        **made_at(world.second()),
        type=given("type", package_type),
        oss_path=given("ossPath", oss_path),
    )
    world.store.insert(check_weight(changed(package, *details)))


def get_package(world: World, project_name: str, package_name: str) -> Package:
    """Return the package of this name. Raise `InvalidProject.NotFound` or `InvalidPackage.NotFound`."""
    package = find_package(world, project_name, package_name)
    if package is None:
        projects.require(world, project_name)
        raise NOT_FOUND(f"Project {project_name!r} has no package {package_name!r}; ListPackage shows those it has.")
    return package


def list_package(
    world: World, project_name: str, *filters: Condition, package_name: str | None, page_index: int, page_size: int
) -> Page[Package]:
    """Return a page of a project's packages that pass the filters and whose name contains this text, newest first."""
    projects.require(world, project_name)
    statement = select_packages(equal(Package.project_name, project_name), *filters, package_name=package_name)
    return page(world, Package, statement, page_index, page_size)


def update_package(world: World, project_name: str, package_name: str, *details: Change) -> None:
    """Change the given members of a package."""
    package = get_package(world, project_name, package_name)
    check_weight(changed(package, *given_only(*details)), before=package)
    where = equal(Package.project_name, project_name), equal(Package.package_name, package_name)
    world.store.update(Package, *given_only(*details), *modified_at(world.second()), where=where)


def delete_package(world: World, project_name: str, package_name: str) -> None:
    """Delete a package. Raise `InvalidPackage.InUse` while the committed copy of a job refers to it."""
    get_package(world, project_name, package_name)
    copies = jobs.packages_of_copies(world, project_name, package_name)
    users = [job_name for job_name, packages in copies if _has(packages, package_name)]
    if users:
        raise IN_USE(
            f"Package {package_name!r} is used by {counted(len(users), 'job')}, {users[0]!r} among them; "
            "OfflineJob each first."
        )
    world.store.delete(Package, equal(Package.project_name, project_name), equal(Package.package_name, package_name))


async def get_ref_package_job(
    world: World, project_name: str, package_name: str, *, page_index: int, page_size: int
) -> "Page[Job]":
    """Return a page of the online jobs whose committed copies use a package, newest first, as they were committed.

    Other calls are served between two jobs. Raise `StoreClosedError` if one of them replaces the world.
    """
    get_package(world, project_name, package_name)
    copies = read_in_slices(world, jobs.packages_of_copies(world, project_name, package_name))
    users = {job_name async for job_name, packages in copies if _has(packages, package_name)}
    return jobs.page_of_copies(world, project_name, users, page_index, page_size)


def _has(packages: str, package_name: str) -> bool:
    """Whether a package is one of those that a job names, with commas between them."""
    return package_name in map(str.strip, packages.split(","))


def require_all(world: World, project_name: str, names: list[str]) -> None:
    """Raise `InvalidPackage.NotFound` unless a project has all these packages."""
    for name in names:
        get_package(world, project_name, name)


def remove_all(world: World, project_name: str) -> None:
    """Delete the packages of a project that is being deleted."""
    world.store.delete(Package, equal(Package.project_name, project_name))
