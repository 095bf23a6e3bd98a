"""The operations on packages."""

from typing import Annotated, Literal

from fastapi import Form, Path, Query

from foas_emulator.gateway.evidence import documented
from foas_emulator.gateway.formats import ApiResponse
from foas_emulator.gateway.operation import Group
from foas_emulator.gateway.parameters import REFUSED_WITHOUT, one_of
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
)
from foas_emulator.operations.parameters import CurrentWorld, PageIndex, PageSize, ProjectName
from foas_emulator.world.store import assign, equal

group = Group("packages")

_PACKAGES = "/api/v2/projects/{projectName}/packages"
_PACKAGE = "/api/v2/projects/{projectName}/packages/{packageName}"

_PackageName = Annotated[
    str, Path(alias="packageName", description="Name of the package.", examples=["clicks-1.2.jar"])
]
_Type = Annotated[Literal["JAR", "DICTIONARY", "SCRIPT", "PYTHON"], one_of(*TYPES)]
_OriginName = Annotated[
    str | None, Form(alias="originName", description="Name of the file before it became a package.", examples=["a.jar"])
]
_Description = Annotated[str | None, Form(alias="description", description="A remark.", examples=["test"])]
_Md5 = Annotated[
    str | None,
    Form(alias="md5", description="MD5 of the file; kept.", examples=["3F7468C153E529B141C326332DF15D05"]),
]
_OssEndpoint = Annotated[
    str | None,
    Form(alias="ossEndpoint", description="Endpoint of OSS.", examples=["oss-cn-hangzhou-internal.aliyuncs.com"]),
]
_OssBucket = Annotated[str | None, Form(alias="ossBucket", description="Bucket in OSS.", examples=["blinktest2"])]
_OssOwner = Annotated[str | None, Form(alias="ossOwner", description="Owner of the bucket.", examples=["user1"])]
_GivenOssPath = Annotated[
    str | None,
    Form(
        alias="ossPath",
        description="Path of the file in OSS.",
        json_schema_extra=REFUSED_WITHOUT,
        examples=["path1/path2/a.jar"],
    ),
]
_OssPath = Annotated[
    str | None, Form(alias="ossPath", description="Path of the file in OSS.", examples=["path1/path2/a.jar"])
]
_Tag = Annotated[
    str | None, Form(alias="tag", description="A mark to find it by.", examples=['{"function":"group by time"}'])
]


@group.writes("CreatePackage", "POST", _PACKAGES, evidence=documented("help page CreatePackage, 2019-04-02"))
async def create_package(
    world: CurrentWorld,
    project_name: ProjectName,
    *,
    package_name: Annotated[
        str | None,
        Form(
            alias="packageName",
            description="Name of the new package.",
            json_schema_extra=REFUSED_WITHOUT,
            examples=["views-1.0.jar"],
        ),
    ] = None,
    package_type: Annotated[
        _Type | None,
        Form(alias="type", description="A jar, a plain file, a script, or Python.", json_schema_extra=REFUSED_WITHOUT),
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
    """Record a file that lies in OSS as a package of a project on an exclusive cluster.

    The file itself is not looked at. A project has at most 50 packages.
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


@group.reads("GetPackage", "GET", _PACKAGE, evidence=documented("help page GetPackage, 2020-09-16"))
async def get_package(world: CurrentWorld, project_name: ProjectName, package_name: _PackageName) -> GetPackageResponse:
    """All that is known of a package."""
    package = service.get_package(world, project_name, package_name)
    return GetPackageResponse.model_construct(package=PackageDetails.from_row(package))


@group.reads("ListPackage", "GET", _PACKAGES, evidence=documented("help page ListPackage, 2020-09-16"))
async def list_package(
    world: CurrentWorld,
    project_name: ProjectName,
    *,
    package_name: Annotated[
        str | None, Query(alias="packageName", description="Part of the package's name.", examples=["clicks"])
    ] = None,
    package_type: Annotated[_Type | None, Query(alias="type", description="Only packages of this type.")] = None,
    tag: Annotated[
        str | None,
        Query(alias="tag", description="Only packages with this mark.", examples=['{"function":"group by time"}']),
    ] = None,
    page_size: PageSize = 10,
    page_index: PageIndex = 1,
) -> ListPackageResponse:
    """The packages of a project that fulfil all conditions, newest first, a page at a time."""
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


@group.writes("UpdatePackage", "PUT", _PACKAGE, evidence=documented("help page UpdatePackage, 2020-09-16"))
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
    """Change what is known of a package; what is not given stays as it is."""
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


@group.writes("DeletePackage", "DELETE", _PACKAGE, evidence=documented("help page DeletePackage, 2020-09-16"))
async def delete_package(world: CurrentWorld, project_name: ProjectName, package_name: _PackageName) -> ApiResponse:
    """Forget a package that no job which is online refers to."""
    service.delete_package(world, project_name, package_name)
    return ApiResponse.model_construct()


@group.reads(
    "GetRefPackageJob", "GET", f"{_PACKAGE}/jobs", evidence=documented("help page GetRefPackageJob, 2020-09-16")
)
async def get_ref_package_job(
    world: CurrentWorld,
    project_name: ProjectName,
    package_name: _PackageName,
    page_size: PageSize = 10,
    page_index: PageIndex = 1,
) -> GetRefPackageJobResponse:
    """The jobs that use a package, newest first, a page at a time: only those that are online, as committed."""
    found = service.get_ref_package_job(world, project_name, package_name, page_index=page_index, page_size=page_size)
    shown = [PackageJob.from_row({**job.model_dump(), "is_committed": True}) for job in found.items]
    return GetRefPackageJobResponse.model_construct(**found.figures, jobs=PackageJobs.model_construct(job=shown))
