"""The rules of packages."""

from typing import Any

from sqlalchemy import Select, func, select

from foas_emulator.gateway.errors import problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.operations.account import ACCOUNT
from foas_emulator.operations.jobs import records as jobs
from foas_emulator.operations.jobs.rows import Job
from foas_emulator.operations.packages.rows import Package
from foas_emulator.operations.paging import Page, page
from foas_emulator.operations.projects import rules as projects
from foas_emulator.operations.required import given, named
from foas_emulator.world.store import assign, equal
from foas_emulator.world.world import World

LARGEST_COUNT = 50

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


def require(world: World, project_name: str, package_name: str) -> Package:
    """The package of this name. Raises `InvalidProject.NotFound` or `InvalidPackage.NotFound`."""
    package = world.store.get(
        Package, equal(Package.project_name, project_name), equal(Package.package_name, package_name)
    )
    if package is None:
        projects.require(world, project_name)
        raise NOT_FOUND(f"Project {project_name!r} has no package {package_name!r}; ListPackage shows those it has.")
    return package


def require_all(world: World, project_name: str, names: list[str]) -> None:
    """Raises `InvalidPackage.NotFound` if one of these packages is not there."""
    for name in names:
        require(world, project_name, name)


def listed(
    world: World, project_name: str, *, package_name: str | None, type_: str | None, tag: str | None
) -> Select[Any]:
    """The packages of a project that a list shows, newest first. A name need only be contained."""
    projects.require(world, project_name)
    columns = Package.table().c
    statement = (
        select(Package.table())
        .where(columns.project_name == project_name)
        .order_by(columns.create_time.desc(), columns.package_name)
    )
    if package_name is not None:
        statement = statement.where(func.instr(columns.package_name, package_name) > 0)
    for column, wanted in ((columns.type, type_), (columns.tag, tag)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    return statement


def create(
    world: World,
    project_name: str,
    *,
    package_name: str | None,
    type_: str | None,
    oss_path: str | None,
    **details: str | None,
) -> None:
    """Record a file that lies in OSS. An exclusive cluster knows its bucket, so only the path in it is needed.

    Raises `InvalidProject.NotExclusive`, `InvalidPackage.Duplicate` or `InvalidPackage.LimitExceeded`.
    """
    projects.require_exclusive(world, project_name)
    package_name = named("packageName", package_name)
    if (
        world.store.get(Package, equal(Package.project_name, project_name), equal(Package.package_name, package_name))
        is not None
    ):
        raise DUPLICATE(f"Project {project_name!r} has a package {package_name!r} already; UpdatePackage changes it.")
    if world.store.count(Package, equal(Package.project_name, project_name)) >= LARGEST_COUNT:
        raise TOO_MANY(f"Project {project_name!r} has {LARGEST_COUNT} packages; delete some first.")
    now = world.second()
    package = Package.model_construct(
        None,
        project_name=project_name,
        package_name=package_name,
        creator=ACCOUNT,
        modifier=ACCOUNT,
        create_time=now,
        modify_time=now,
        type=given("type", type_),
        oss_path=given("ossPath", oss_path),
        **details,
    )
    world.store.insert(package)


def update(world: World, project_name: str, package_name: str, **details: str | None) -> None:
    """Change what is known of a package; what is not given stays."""
    require(world, project_name, package_name)
    changed = {name: value for name, value in details.items() if value is not None}
    world.store.update(
        Package,
        assign(Package.modifier, ACCOUNT),
        assign(Package.modify_time, world.second()),
        *changed.items(),
        where=[equal(Package.project_name, project_name), equal(Package.package_name, package_name)],
    )


def delete(world: World, project_name: str, package_name: str) -> None:
    """Forget a package. Raises `InvalidPackage.InUse` while the committed copy of a job refers to it."""
    users = jobs_using(world, project_name, package_name, page_index=1, page_size=1)
    if users.items:
        raise IN_USE(
            f"Package {package_name!r} is used by {users.total_count} jobs, {users.items[0].job_name!r} among them; "
            "OfflineJob each first."
        )
    world.store.delete(Package, equal(Package.project_name, project_name), equal(Package.package_name, package_name))


def delete_all(world: World, project_name: str) -> None:
    """Forget the packages of a project."""
    world.store.delete(Package, equal(Package.project_name, project_name))


def jobs_using(world: World, project_name: str, package_name: str, *, page_index: int, page_size: int) -> Page[Job]:
    """A page of the online jobs whose committed copies use a package, newest first, as they were committed."""
    require(world, project_name, package_name)
    return page(world, Job, jobs.online_with_package(project_name, package_name), page_index, page_size)
