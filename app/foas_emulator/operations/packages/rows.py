"""The table of packages."""

from sqlmodel import Field

from foas_emulator.world.store import Row


class Package(Row, table=True):
    """A file that jobs may refer to by name: where it lies, and what its scan said."""

    __tablename__ = "packages"

    project_name: str = Field(primary_key=True)
    package_name: str = Field(primary_key=True)
    creator: str
    modifier: str
    create_time: int
    modify_time: int
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
