"""The rules of folders."""

from typing import Any

import pytest

from foas_emulator.operations.folders.service import LONGEST_PATH
from foas_emulator.operations.required import LONGEST_NAME
from tests.api import Api
from tests.operations import building


def make(api: Api, *paths: str) -> dict[str, int]:
    return {path: api.ok("CreateFolder", projectName="p", path=path)["FolderId"] for path in paths}


def children(api: Api, path: str = "/") -> dict[str, int]:
    folders = api.ok("ListChildFolder", projectName="p", path=path)["Folders"]["Folder"]
    return {folder["Path"]: folder["FolderId"] for folder in folders}


def test_a_folder_is_found_by_its_path(p: Api) -> None:
    ids = make(p, "/新手任务")
    folder = p.ok("GetFolder", projectName="p", path="/新手任务")["Folder"]
    assert folder == {"Path": "/新手任务", "FolderId": ids["/新手任务"]}


def test_an_absent_folder_is_an_answer_without_a_folder(p: Api) -> None:
    assert p.ok("GetFolder", projectName="p", path="/absent") == {}


def test_every_project_has_a_root(p: Api) -> None:
    root = p.ok("GetFolder", projectName="p", path="/")["Folder"]
    building.job(p, "j")
    assert p.ok("GetJob", projectName="p", jobName="j")["Job"]["FolderId"] == root["FolderId"]


def test_a_path_is_folders_of_one_project(p: Api) -> None:
    building.project(p, "other")
    make(p, "/a")
    assert p.ok("GetFolder", projectName="other", path="/a") == {}


def test_a_job_lies_in_a_folder_of_its_own_project(p: Api) -> None:
    building.project(p, "other")
    folder_id = p.ok("GetFolder", projectName="other", path="/")["Folder"]["FolderId"]
    building.job(p, "j")
    job = {"projectName": "p", "jobName": "j", "folderId": folder_id}
    p.refused("UpdateJob", **job, code="InvalidFolder.NotFound", status=404)


def test_a_folder_of_an_absent_project_is_not_found(api: Api) -> None:
    for operation in ("CreateFolder", "GetFolder", "ListChildFolder", "DeleteFolder"):
        api.refused(operation, projectName="absent", path="/a", code="InvalidProject.NotFound", status=404)
    api.refused(
        "MVFolder", projectName="absent", srcPath="/a", destPath="/b", code="InvalidProject.NotFound", status=404
    )


def test_a_path_stands_once(p: Api) -> None:
    make(p, "/a")
    p.refused("CreateFolder", projectName="p", path="/a", code="InvalidFolder.Duplicate")
    p.refused("CreateFolder", projectName="p", path="/", code="InvalidFolder.Duplicate")


@pytest.mark.parametrize("path", ["", "a", "a/b", "//a", "/a//b", "/a/", "/./a", "/a/..", "/" + "n" * 129])
def test_a_path_is_absolute_and_plain(p: Api, path: str) -> None:
    p.refused("CreateFolder", projectName="p", path=path, code="Invalidpath")
    p.refused("GetFolder", projectName="p", path=path, code="Invalidpath")


def test_a_path_must_be_given(p: Api) -> None:
    for operation in ("CreateFolder", "GetFolder", "ListChildFolder", "DeleteFolder"):
        p.refused(operation, projectName="p", code="Missingpath")
    p.refused("MVFolder", projectName="p", destPath="/b", code="MissingsrcPath")
    p.refused("MVFolder", projectName="p", srcPath="/a", code="MissingdestPath")


def test_missing_folders_above_are_made(p: Api) -> None:
    make(p, "/a/b/c")
    assert list(children(p, "/")) == ["/a"]
    assert list(children(p, "/a")) == ["/a/b"]


def test_only_the_folders_right_below_are_listed_by_path(p: Api) -> None:
    make(p, "/b", "/a/x", "/a/y/z", "/ab")
    assert list(children(p, "/")) == ["/a", "/ab", "/b"]
    assert list(children(p, "/a")) == ["/a/x", "/a/y"]
    assert children(p, "/b") == {}


def test_the_children_of_an_absent_folder_are_not_found(p: Api) -> None:
    p.refused("ListChildFolder", projectName="p", path="/absent", code="InvalidFolder.NotFound", status=404)


def test_folders_lie_on_five_levels_at_most(p: Api) -> None:
    make(p, "/1/2/3/4/5")
    p.refused("CreateFolder", projectName="p", path="/1/2/3/4/5/6", code="InvalidFolder.TooDeep")
    p.refused("CreateFolder", projectName="p", path="/a/b/c/d/e/f", code="InvalidFolder.TooDeep")


def test_a_path_of_very_many_names_is_not_read_to_its_end(p: Api) -> None:
    for operation in ("CreateFolder", "GetFolder", "ListChildFolder", "DeleteFolder"):
        p.refused(operation, projectName="p", path="/a" * 513, code="InvalidFolder.TooDeep")
    p.refused("MVFolder", projectName="p", srcPath="/a" * 513, destPath="/b", code="InvalidFolder.TooDeep")


def test_the_deepest_folder_of_a_seed_can_be_moved_and_deleted(p: Api) -> None:
    deepest = "/a" * (LONGEST_PATH // 2)
    seed = {"projects": [{"Name": "p", "folders": [{"Path": deepest}]}]}
    assert p.request("POST", "/_emulator/worlds/default/seed", json=seed).is_success
    assert p.ok("GetFolder", projectName="p", path=deepest)["Folder"]["Path"] == deepest
    p.ok("MVFolder", projectName="p", srcPath=deepest, destPath="/moved")
    p.ok("DeleteFolder", projectName="p", path="/moved")
    p.ok("DeleteFolder", projectName="p", path=deepest.removesuffix("/a"))


def test_a_folder_is_not_moved_to_where_a_path_would_be_longer_than_a_snapshot_can_hold(p: Api) -> None:
    seed = {"projects": [{"Name": "p", "folders": [{"Path": "/a/" + "b" * 1000}]}]}
    assert p.request("POST", "/_emulator/worlds/default/seed", json=seed).is_success
    p.refused("MVFolder", projectName="p", srcPath="/a", destPath="/" + "c" * 23, code="InvaliddestPath")
    p.ok("MVFolder", projectName="p", srcPath="/a", destPath="/" + "c" * 22)
    snapshot = p.request("GET", "/_emulator/worlds/default/snapshot")
    assert p.request("PUT", "/_emulator/worlds/default/snapshot", json=snapshot.json()).is_success


def test_a_project_has_fifty_folders_at_most(p: Api) -> None:
    make(p, *(f"/{number}" for number in range(49)))
    p.refused("CreateFolder", projectName="p", path="/x/y", code="InvalidFolder.LimitExceeded")
    make(p, "/x")
    p.refused("CreateFolder", projectName="p", path="/y", code="InvalidFolder.LimitExceeded")
    building.project(p, "other")
    p.ok("CreateFolder", projectName="other", path="/y")
    p.ok("DeleteFolder", projectName="p", path="/x")
    make(p, "/y")


def test_a_moved_folder_takes_its_folders_and_jobs_along(p: Api) -> None:
    ids = make(p, "/a", "/a/b", "/ab")
    building.job(p, "j", folderId=ids["/a/b"])
    p.ok("MVFolder", projectName="p", srcPath="/a", destPath="/z/y")
    assert list(children(p, "/")) == ["/ab", "/z"]
    assert children(p, "/z/y") == {"/z/y/b": ids["/a/b"]}
    listed = p.ok("ListJob", projectName="p", folderId=ids["/a/b"])["Jobs"]["Job"]
    assert [job["JobName"] for job in listed] == ["j"]


def test_a_folder_is_not_moved_onto_another_nor_below_itself(p: Api) -> None:
    make(p, "/a", "/b")

    def refused(source: str, destination: str, **expected: Any) -> Any:
        p.refused("MVFolder", projectName="p", srcPath=source, destPath=destination, **expected)

    refused("/a", "/b", code="InvalidFolder.Duplicate")
    refused("/a", "/a", code="InvalidFolder.Duplicate")
    refused("/a", "/a/c", code="InvaliddestPath")
    refused("/", "/c", code="InvalidsrcPath")
    refused("/absent", "/c", code="InvalidFolder.NotFound", status=404)
    refused("a", "/c", code="InvalidsrcPath")
    refused("/a", "c", code="InvaliddestPath")


def test_a_folder_is_not_moved_deeper_than_its_own_folders_may_lie(p: Api) -> None:
    make(p, "/a/b/c", "/1/2/3")
    p.refused("MVFolder", projectName="p", srcPath="/a", destPath="/1/2/3/a", code="InvalidFolder.TooDeep")
    p.ok("MVFolder", projectName="p", srcPath="/a", destPath="/1/2/a")
    assert list(children(p, "/1/2/a/b")) == ["/1/2/a/b/c"]


def test_an_empty_folder_is_deleted(p: Api) -> None:
    make(p, "/a")
    p.ok("DeleteFolder", projectName="p", path="/a")
    assert children(p) == {}
    p.refused("DeleteFolder", projectName="p", path="/a", code="InvalidFolder.NotFound", status=404)


def test_a_folder_that_holds_a_folder_is_not_deleted(p: Api) -> None:
    make(p, "/a/b")
    refusal = p.refused("DeleteFolder", projectName="p", path="/a", code="InvalidFolder.NotEmpty")
    assert "'/a/b'" in refusal.hint


def test_a_folder_that_holds_a_job_is_not_deleted(p: Api) -> None:
    ids = make(p, "/a")
    building.job(p, "j", folderId=ids["/a"])
    refusal = p.refused("DeleteFolder", projectName="p", path="/a", code="InvalidFolder.NotEmpty")
    assert "holds 1 job, 'j' among them" in refusal.hint
    p.ok("DeleteJob", projectName="p", jobName="j")
    p.ok("DeleteFolder", projectName="p", path="/a")


def test_the_root_is_not_deleted(p: Api) -> None:
    p.refused("DeleteFolder", projectName="p", path="/", code="Invalidpath")


def test_a_refusal_tells_the_project_and_the_path(p: Api) -> None:
    make(p, "/a", "/b")
    for name, given, path, code, status in (
        ("CreateFolder", {"path": "/a"}, "/a", "InvalidFolder.Duplicate", 400),
        ("MVFolder", {"srcPath": "/a", "destPath": "/b"}, "/b", "InvalidFolder.Duplicate", 400),
        ("MVFolder", {"srcPath": "/c", "destPath": "/d"}, "/c", "InvalidFolder.NotFound", 404),
        ("DeleteFolder", {"path": "/c"}, "/c", "InvalidFolder.NotFound", 404),
    ):
        refusal = p.refused(name, projectName="p", **given, code=code, status=status)
        assert f"Project 'p' has {'a' if status == 400 else 'no'} folder '{path}'" in refusal.hint


def test_the_longest_name_of_a_folder_is_taken(p: Api) -> None:
    make(p, "/" + "x" * LONGEST_NAME)
    p.refused("CreateFolder", projectName="p", path="/" + "x" * (LONGEST_NAME + 1), code="Invalidpath")
