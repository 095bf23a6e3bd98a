"""The wire models of packages, members in the order of each operation's documented sample."""

from foas_emulator.gateway.formats import ApiModel, ApiResponse
from foas_emulator.operations.jobs.schemas import JobMembers


class PackageDetails(ApiModel):
    """What GetPackage shows of a package. Times are milliseconds."""

    project_name: str
    package_name: str
    creator: str
    modifier: str
    create_time: int
    modify_time: int
    origin_name: str | None = None
    type: str
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


class GetPackageResponse(ApiResponse):
    """The answer of GetPackage."""

    package: PackageDetails


class PackageSummary(ApiModel):
    """What ListPackage shows of a package. Times are milliseconds."""

    modify_time: int
    origin_name: str | None = None
    type: str
    description: str | None = None
    project_name: str
    package_name: str
    create_time: int
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

    total_count: int
    total_page: int
    page_size: int
    packages: Packages
    page_index: int


class PackageJob(JobMembers):
    """What GetRefPackageJob shows of a job, as it was committed. Times are milliseconds."""


class PackageJobs(ApiModel):
    """The list of GetRefPackageJob."""

    job: list[PackageJob]


class GetRefPackageJobResponse(ApiResponse):
    """The answer of GetRefPackageJob."""

    page_index: int
    page_size: int
    total_count: int
    total_page: int
    jobs: PackageJobs
