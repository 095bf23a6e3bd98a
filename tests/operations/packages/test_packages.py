"""The rules of packages."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from foas_emulator.operations.columns import ACCOUNT
from foas_emulator.operations.jobs import rows
from foas_emulator.world.world import World
from tests.api import Api
from tests.operations import building


@pytest.fixture
def p(p: Api) -> Api:
    building.stand_still(p)
    return p


def make(api: Api, *names: str, **more: Any) -> None:
    for name in names:
        given = {"type": "JAR", "ossPath": f"path/{name}"} | more
        api.ok("CreatePackage", projectName="p", packageName=name, **given)


@pytest.mark.parametrize(
    "text", ["a.jar,  b.jar", "b.jar \t,a.jar", "a.jar,\nb.jar", "b.jar", " b.jar", "a.jar,b.jar,b.jar"]
)
def test_a_package_is_in_use_however_the_names_are_spaced(p: Api, text: str) -> None:
    make(p, "a.jar", "b.jar", "xb.jar")
    building.job(p, "one", packages=text)
    building.job(p, "two", packages="xb.jar")
    for name in ("one", "two"):
        p.ok("CommitJob", projectName="p", jobName=name)
    assert users(p, "b.jar") == ["one"]
    p.refused("DeletePackage", projectName="p", packageName="b.jar", code="InvalidPackage.InUse")


def listed(api: Api, **conditions: Any) -> list[Any]:
    packages = api.ok("ListPackage", projectName="p", **conditions)["Packages"]["Package"]
    return [package["PackageName"] for package in packages]


def users(api: Api, name: str, **more: Any) -> list[str]:
    jobs = api.ok("GetRefPackageJob", projectName="p", packageName=name, **more)["Jobs"]["Job"]
    return [job["JobName"] for job in jobs]


def test_a_package_is_shown_with_all_that_was_given(p: Api) -> None:
    given = {
        "originName": "package2",
        "md5": "3F7468C153E529B141C326332DF15D05",
        "description": "test",
        "ossEndpoint": "oss-cn-hangzhou-internal.aliyuncs.com",
        "ossBucket": "blinktest2",
        "ossOwner": "user1",
        "ossPath": "path1/path2/a.jar",
        "tag": '{"function":"group by time"}',
    }
    p.ok("CreatePackage", projectName="p", packageName="a.jar", type="jar", **given)
    package = p.ok("GetPackage", projectName="p", packageName="a.jar")["Package"]
    created = package.pop("CreateTime")
    assert package == {
        "ProjectName": "p",
        "PackageName": "a.jar",
        "Creator": ACCOUNT,
        "Modifier": ACCOUNT,
        "ModifyTime": created,
        "Type": "JAR",
        **{name[0].upper() + name[1:]: value for name, value in given.items()},
    }


def test_a_list_shows_what_is_known_of_a_package_and_leaves_out_what_is_not(p: Api) -> None:
    make(p, "a.jar")
    (package,) = p.ok("ListPackage", projectName="p")["Packages"]["Package"]
    expected = ["ModifyTime", "Type", "ProjectName", "PackageName", "CreateTime", "OssPath", "Creator", "Modifier"]
    assert list(package) == expected


def test_of_a_package_on_an_exclusive_cluster_name_type_and_path_are_needed(p: Api) -> None:
    p.refused("CreatePackage", projectName="p", type="JAR", ossPath="x", code="MissingpackageName")
    p.refused("CreatePackage", projectName="p", packageName="", type="JAR", ossPath="x", code="InvalidpackageName")
    p.refused("CreatePackage", projectName="p", packageName="a", ossPath="x", code="Missingtype")
    p.refused("CreatePackage", projectName="p", packageName="a", type="EXE", ossPath="x", code="Invalidtype")
    p.refused("CreatePackage", projectName="p", packageName="a", type="JAR", code="MissingossPath")


def test_a_project_on_the_shared_cluster_has_no_packages_of_its_own(api: Api) -> None:
    api.ok("CreateProject", name="p", deployType="public", orderId="stream-abcd")
    parameters: dict[str, Any] = {"projectName": "p", "packageName": "a", "type": "JAR", "ossPath": "x"}
    api.refused("CreatePackage", **parameters, code="InvalidProject.NotExclusive")


def test_a_package_name_stands_once_in_a_project(p: Api) -> None:
    make(p, "a.jar")
    parameters: dict[str, Any] = {"packageName": "a.jar", "type": "JAR", "ossPath": "x"}
    p.refused("CreatePackage", projectName="p", **parameters, code="InvalidPackage.Duplicate")
    building.project(p, "other")
    p.ok("CreatePackage", projectName="other", **parameters)


def test_a_project_has_fifty_packages_at_most(p: Api) -> None:
    make(p, *(f"{number}.jar" for number in range(50)))
    parameters: dict[str, Any] = {"packageName": "one-more.jar", "type": "JAR", "ossPath": "x"}
    p.refused("CreatePackage", projectName="p", **parameters, code="InvalidPackage.LimitExceeded")
    building.project(p, "other")
    p.ok("CreatePackage", projectName="other", **parameters)
    p.ok("DeletePackage", projectName="p", packageName="0.jar")
    p.ok("CreatePackage", projectName="p", **parameters)


@pytest.mark.parametrize("operation", ["GetPackage", "UpdatePackage", "DeletePackage", "GetRefPackageJob"])
def test_an_absent_package_is_not_found(p: Api, operation: str) -> None:
    p.refused(operation, projectName="p", packageName="absent", code="InvalidPackage.NotFound", status=404)
    p.refused(operation, projectName="absent", packageName="a", code="InvalidProject.NotFound", status=404)


def test_packages_are_listed_newest_first(p: Api) -> None:
    make(p, "a.jar")
    p.advance("1s")
    make(p, "b.jar")
    assert listed(p) == ["b.jar", "a.jar"]


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        ("packageName", "udx", ["my-udx.jar", "udx.py"]),
        ("packageName", "%", []),
        ("type", "python", ["udx.py"]),
        ("tag", "group", ["udx.py"]),
        ("tag", "gro", []),
    ],
)
def test_a_list_of_packages_is_narrowed_by_each_condition(p: Api, condition: str, value: Any, expected: Any) -> None:
    make(p, "my-udx.jar")
    make(p, "udx.py", type="PYTHON", tag="group")
    assert listed(p, **{condition: value}) == expected


def test_the_packages_of_an_absent_project_are_not_found(api: Api) -> None:
    api.refused("ListPackage", projectName="absent", code="InvalidProject.NotFound", status=404)


def test_an_update_changes_what_is_given_and_keeps_the_rest(p: Api) -> None:
    make(p, "a.jar", description="old", md5="1")
    before = p.ok("GetPackage", projectName="p", packageName="a.jar")["Package"]
    p.advance("5s")
    p.ok("UpdatePackage", projectName="p", packageName="a.jar", description="new", ossPath="elsewhere")
    after = p.ok("GetPackage", projectName="p", packageName="a.jar")["Package"]
    assert after.pop("ModifyTime") > before.pop("ModifyTime")
    assert after == before | {"Description": "new", "OssPath": "elsewhere"}


def test_a_package_is_deleted(p: Api) -> None:
    make(p, "a.jar", "b.jar")
    p.ok("DeletePackage", projectName="p", packageName="a.jar")
    assert listed(p) == ["b.jar"]


def test_a_package_of_an_online_job_is_not_deleted(p: Api) -> None:
    make(p, "a.jar", "b.jar")
    building.online_job(p, "j", packages="b.jar,a.jar")
    refusal = p.refused("DeletePackage", projectName="p", packageName="a.jar", code="InvalidPackage.InUse")
    assert "'j'" in refusal.hint
    p.ok("OfflineJob", projectName="p", jobName="j")
    p.ok("DeletePackage", projectName="p", packageName="a.jar")


def test_a_package_that_only_a_draft_uses_is_deleted(p: Api) -> None:
    make(p, "a.jar")
    building.job(p, "draft", packages="a.jar")
    p.ok("DeletePackage", projectName="p", packageName="a.jar")


def test_the_jobs_of_a_package_are_those_that_are_online(p: Api) -> None:
    make(p, "a.jar", "aa.jar")
    building.job(p, "draft", packages="a.jar")
    building.online_job(p, "alone", packages="a.jar")
    building.online_job(p, "second", packages="aa.jar, a.jar")
    building.online_job(p, "other", packages="aa.jar")
    assert users(p, "a.jar") == ["alone", "second"]
    assert users(p, "aa.jar") == ["other", "second"]


def test_the_jobs_of_a_package_are_shown_as_committed(p: Api) -> None:
    make(p, "a.jar")
    building.online_job(p, "j", packages="a.jar", code="blink.main.class=Committed")
    p.ok("UpdateJob", projectName="p", jobName="j", code="blink.main.class=Draft", description="edited")
    (job,) = p.ok("GetRefPackageJob", projectName="p", packageName="a.jar")["Jobs"]["Job"]
    assert (job["Code"], job["IsCommitted"]) == ("blink.main.class=Committed", True)
    assert (job["ProjectName"], job["Packages"], job["QueueName"]) == ("p", "a.jar", "root.p")


def test_the_jobs_of_a_package_have_pages(p: Api) -> None:
    make(p, "a.jar")
    for name in ("x", "y", "z"):
        building.online_job(p, name, packages="a.jar")
    assert users(p, "a.jar", pageSize=2) == ["x", "y"]
    members = p.ok("GetRefPackageJob", projectName="p", packageName="a.jar", pageSize=2, pageIndex=2)
    assert [job["JobName"] for job in members["Jobs"]["Job"]] == ["z"]
    assert [members[name] for name in ("PageIndex", "PageSize", "TotalCount", "TotalPage")] == [2, 2, 3, 2]


def test_a_package_may_have_more_users_than_a_statement_has_parameters(p: Api) -> None:
    make(p, "a.jar")
    for name in "abcdefghi":
        building.online_job(p, name, packages="a.jar")
    before = p.world.store._raw.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 8)
    try:
        assert users(p, "a.jar", pageSize=4) == ["a", "b", "c", "d"]
        assert users(p, "a.jar", pageSize=4, pageIndex=3) == ["i"]
    finally:
        p.world.store._raw.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, before)


def test_the_packages_of_a_few_jobs_are_read_at_a_time(p: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_COPIES", 2)
    for package in ("a.jar", "b.jar", "a.jar2"):
        make(p, package)
    for name, packages in (("v", "a.jar"), ("w", "a.jar2"), ("x", "b.jar, a.jar"), ("y", "b.jar"), ("z", " a.jar ")):
        building.online_job(p, name, packages=packages)
    asked: list[str] = []
    p.world.store._raw.set_trace_callback(asked.append)
    assert users(p, "a.jar") == ["v", "x", "z"]
    p.world.store._raw.set_trace_callback(None)
    assert sum("instr" in statement for statement in asked) == 3, "two, two and one"
    refused = p.refused("DeletePackage", projectName="p", packageName="a.jar", code="InvalidPackage.InUse")
    assert "is used by 3 jobs, 'v' among them" in refused.hint
    p.refused("DeletePackage", projectName="p", packageName="a.jar2", code="InvalidPackage.InUse")


def test_a_world_that_is_replaced_while_the_users_of_a_package_are_read_ends_the_call(
    p: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(p, "a.jar")
    building.online_job(p, "j", packages="a.jar")
    read = rows.packages_of_copies

    def replaced(world: World, *given: str) -> Iterator[tuple[str, str]]:
        world.load(world.store.image())
        yield from read(world, *given)

    monkeypatch.setattr(rows, "packages_of_copies", replaced)
    answer = p.request("GET", "/api/v2/projects/p/packages/a.jar/jobs")
    assert answer.status_code == 503
