"""The wire models of packages, members in the order of each operation's documented sample."""

from typing import Annotated, Literal, get_args

from foas_emulator.gateway.formats import ApiModel, ApiResponse, Int32, Int64, words
from foas_emulator.operations.jobs.schemas import ApiType, JobType

PackageType = Literal["JAR", "DICTIONARY", "SCRIPT", "PYTHON"]
TYPES: tuple[PackageType, ...] = get_args(PackageType)
_Type = Annotated[str, words(*TYPES)]


class PackageDetails(ApiModel):
    """The package in the answer of GetPackage. Times are in milliseconds."""

    modify_time: Int64
    description: str | None = None
    project_name: str
    package_name: str
    create_time: Int64
    creator: str
    origin_name: str | None = None
    type: _Type
    oss_path: str | None = None
    modifier: str
    md5: str | None = None
    oss_endpoint: str | None = None
    oss_bucket: str | None = None
    oss_owner: str | None = None
    tag: str | None = None
    scan_link: str | None = None
    scan_state: str | None = None
    scan_error_message: str | None = None
    scan_ext_biz_no: str | None = None


class GetPackageResponse(ApiResponse):
    """The answer of GetPackage."""

    package: PackageDetails


class PackageSummary(ApiModel):
    """A package in the answer of ListPackage. Times are in milliseconds."""

    modify_time: Int64
    origin_name: str | None = None
    type: _Type
    description: str | None = None
    project_name: str
    package_name: str
    create_time: Int64
    oss_path: str | None = None
    creator: str
    modifier: str
    md5: str | None = None
    oss_endpoint: str | None = None
    oss_bucket: str | None = None
    oss_owner: str | None = None
    tag: str | None = None
    scan_state: str | None = None
    scan_link: str | None = None
    scan_ext_biz_no: str | None = None
    scan_error_message: str | None = None


class Packages(ApiModel):
    """The list of ListPackage."""

    package: list[PackageSummary]


class ListPackageResponse(ApiResponse):
    """The answer of ListPackage."""

    total_count: Int64
    total_page: Int32
    page_size: Int32
    packages: Packages
    page_index: Int32


class PackageJob(ApiModel):
    """A committed job in the answer of GetRefPackageJob. Times are in milliseconds."""

    modify_time: Int64
    description: str | None = None
    engine_version: str
    project_name: str
    cluster_id: str
    plan_json: str | None = None
    create_time: Int64
    job_name: str
    creator: str
    folder_id: Int64
    properties: str | None = None
    code: str | None = None
    job_type: JobType
    packages: str | None = None
    api_type: ApiType
    is_committed: bool
    modifier: str
    queue_name: str
    job_id: str


class PackageJobs(ApiModel):
    """The list of GetRefPackageJob."""

    job: list[PackageJob]


class GetRefPackageJobResponse(ApiResponse):
    """The answer of GetRefPackageJob."""

    total_count: Int64
    total_page: Int32
    page_size: Int32
    jobs: PackageJobs
    page_index: Int32
