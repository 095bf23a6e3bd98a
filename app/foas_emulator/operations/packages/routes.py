"""The operations on packages."""

from typing import Annotated

from foas_emulator.gateway.formats import ApiResponse
from foas_emulator.gateway.operation import Group
from foas_emulator.gateway.parameters import one_of
from foas_emulator.operations.packages import service
from foas_emulator.operations.packages.rows import Package
from foas_emulator.operations.packages.schemas import (
    TYPES,
    GetPackageResponse,
    GetRefPackageJobResponse,
    ListPackageResponse,
    PackageDetails,
    PackageJob,
    PackageJobs,
    Packages,
    PackageSummary,
    PackageType,
)
from foas_emulator.operations.parameters import (
    CurrentWorld,
    Filter,
    PageIndex,
    PageSize,
    ProjectName,
    form,
    path,
    query,
)
from foas_emulator.world.tables import assign, equal

group = Group("packages")

_PACKAGES = "/api/v2/projects/{projectName}/packages"
_PACKAGE = "/api/v2/projects/{projectName}/packages/{packageName}"

_PackageName = Annotated[str, path("packageName", "Name of the package.", "clicks-1.2.jar")]
_Type = Annotated[PackageType, one_of(*TYPES)]
_OriginName = Annotated[str | None, form("originName", "Name of the file before it became a package.", "a.jar")]
_Description = Annotated[str | None, form("description", "A remark.", "test")]
_Md5 = Annotated[str | None, form("md5", "MD5 of the file; kept.", "3F7468C153E529B141C326332DF15D05")]
_OssEndpoint = Annotated[str | None, form("ossEndpoint", "Endpoint of OSS.", "oss-cn-hangzhou-internal.aliyuncs.com")]
_OssBucket = Annotated[str | None, form("ossBucket", "Bucket in OSS.", "blinktest2")]
_OssOwner = Annotated[str | None, form("ossOwner", "Owner of the bucket.", "user1")]
_GivenOssPath = Annotated[str | None, form("ossPath", "Path of the file in OSS.", "path1/path2/a.jar", required=True)]
_OssPath = Annotated[str | None, form("ossPath", "Path of the file in OSS.", "path1/path2/a.jar")]
_Tag = Annotated[str | None, form("tag", "A mark to find it by.", '{"function":"group by time"}')]


@group.writes("CreatePackage", "POST", _PACKAGES, evidence="2019-04-02")
async def create_package(
    world: CurrentWorld,
    project_name: ProjectName,
    *,
    package_name: Annotated[
        str | None, form("packageName", "Name of the new package.", "views-1.0.jar", required=True)
    ] = None,
    package_type: Annotated[
        _Type | None, form("type", "A jar, a plain file, a script, or Python.", required=True)
    ] = None,
    origin_name: _OriginName = None,
    description: _Description = None,
    md5: _Md5 = None,
    oss_endpoint: _OssEndpoint = None,
    oss_bucket: _OssBucket = None,
    oss_owner: _OssOwner = None,
    oss_path: _GivenOssPath = None,
    tag: _Tag = None,
) -> ApiResponse:
    """Register a file in OSS as a package of a project on an exclusive cluster.

    The file itself is not read. A project has at most 50 packages.
    """
    service.create_package(
        world,
        project_name,
        assign(Package.origin_name, origin_name),
        assign(Package.description, description),
        assign(Package.md5, md5),
        assign(Package.oss_endpoint, oss_endpoint),
        assign(Package.oss_bucket, oss_bucket),
        assign(Package.oss_owner, oss_owner),
        assign(Package.tag, tag),
        package_name=package_name,
        package_type=package_type,
        oss_path=oss_path,
    )
    return ApiResponse.model_construct()


@group.reads("GetPackage", "GET", _PACKAGE, evidence="2020-09-16")
async def get_package(world: CurrentWorld, project_name: ProjectName, package_name: _PackageName) -> GetPackageResponse:
    """Return the details of a package."""
    package = service.get_package(world, project_name, package_name)
    return GetPackageResponse.model_construct(package=PackageDetails.from_row(package))


@group.reads("ListPackage", "GET", _PACKAGES, evidence="2020-09-16")
async def list_package(
    world: CurrentWorld,
    project_name: ProjectName,
    *,
    package_name: Annotated[Filter, query("packageName", "Part of the package's name.", "clicks")] = None,
    package_type: Annotated[_Type | None, query("type", "Only packages of this type.")] = None,
    tag: Annotated[Filter, query("tag", "Only packages with this mark.", '{"function":"group by time"}')] = None,
    page_size: PageSize = 10,
    page_index: PageIndex = 1,
) -> ListPackageResponse:
    """Return a page of a project's packages that meet all conditions, newest first."""
    found = service.list_package(
        world,
        project_name,
        equal(Package.type, package_type),
        equal(Package.tag, tag),
        package_name=package_name,
        page_index=page_index,
        page_size=page_size,
    )
    shown = [PackageSummary.from_row(package) for package in found.items]
    return ListPackageResponse.model_construct(**found.figures, packages=Packages.model_construct(package=shown))


@group.writes("UpdatePackage", "PUT", _PACKAGE, evidence="2020-09-16")
async def update_package(
    world: CurrentWorld,
    project_name: ProjectName,
    package_name: _PackageName,
    *,
    origin_name: _OriginName = None,
    description: _Description = None,
    md5: _Md5 = None,
    oss_endpoint: _OssEndpoint = None,
    oss_bucket: _OssBucket = None,
    oss_owner: _OssOwner = None,
    oss_path: _OssPath = None,
    tag: _Tag = None,
) -> ApiResponse:
    """Change the given members of a package."""
    service.update_package(
        world,
        project_name,
        package_name,
        assign(Package.origin_name, origin_name),
        assign(Package.description, description),
        assign(Package.md5, md5),
        assign(Package.oss_endpoint, oss_endpoint),
        assign(Package.oss_bucket, oss_bucket),
        assign(Package.oss_owner, oss_owner),
        assign(Package.oss_path, oss_path),
        assign(Package.tag, tag),
    )
    return ApiResponse.model_construct()


@group.writes("DeletePackage", "DELETE", _PACKAGE, evidence="2020-09-16")
async def delete_package(world: CurrentWorld, project_name: ProjectName, package_name: _PackageName) -> ApiResponse:
    """Delete a package to which no online job refers."""
    service.delete_package(world, project_name, package_name)
    return ApiResponse.model_construct()


@group.reads("GetRefPackageJob", "GET", f"{_PACKAGE}/jobs", evidence="2020-09-16")
async def get_ref_package_job(
    world: CurrentWorld,
    project_name: ProjectName,
    package_name: _PackageName,
    page_size: PageSize = 10,
    page_index: PageIndex = 1,
) -> GetRefPackageJobResponse:
    """Return a page of the jobs that use a package, newest first: only online ones, as they were committed."""
    found = await service.get_ref_package_job(
        world, project_name, package_name, page_index=page_index, page_size=page_size
    )
    shown = [PackageJob.from_row({**job.model_dump(), "is_committed": True}) for job in found.items]
    return GetRefPackageJobResponse.model_construct(**found.figures, jobs=PackageJobs.model_construct(job=shown))
