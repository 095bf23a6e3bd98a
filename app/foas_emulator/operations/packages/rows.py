"""The table of packages, and the statements on it."""

from typing import Any

from sqlalchemy import Select
from sqlmodel import Field

from foas_emulator.operations.columns import Stamped
from foas_emulator.operations.paging import containing, matching
from foas_emulator.world.tables import Condition, equal
from foas_emulator.world.world import World


class Package(Stamped, table=True):
    """A file to which jobs may refer by name: its place in OSS, and the result of its scan."""

    __tablename__ = "packages"

    project_name: str = Field(primary_key=True)
    package_name: str = Field(primary_key=True)
    origin_name: str | None = None
    type: str = "JAR"
    md5: str | None = None
    description: str | None = None
    oss_endpoint: str | None = None
    oss_bucket: str | None = None
    oss_owner: str | None = None
    oss_path: str | None = None
    tag: str | None = None
    scan_link: str | None = None
    scan_state: str | None = None
    scan_error_message: str | None = None
    scan_ext_biz_no: str | None = None


def find_package(world: World, project_name: str, package_name: str) -> Package | None:
    """Return the package of this name."""
    return world.store.get(
        Package, equal(Package.project_name, project_name), equal(Package.package_name, package_name)
    )


def select_packages(*filters: Condition, package_name: str | None) -> Select[Any]:
    """Select packages, newest first, whose name contains this text."""
    columns = Package.table().c
    named = containing(matching(Package, *filters), columns.package_name, package_name)
    return named.order_by(columns.create_time.desc(), columns.package_name)
