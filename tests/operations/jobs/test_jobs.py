"""The rules of jobs: making, showing, listing and changing their drafts."""

from collections.abc import Sequence
from typing import Any

import pytest

from foas_emulator.operations.columns import ACCOUNT
from tests.api import Api, Outcome, dump
from tests.operations import building

J: dict[str, Any] = {"projectName": "p", "jobName": "j"}
NEW: dict[str, Any] = {
    "jobName": "j",
    "jobType": "FLINK_STREAM",
    "apiType": "SQL",
    "code": "create table t (a int) with (type='print');",
}


@pytest.fixture
def p(p: Api) -> Api:
    building.stand_still(p)
    return p


def refuse_new(api: Api, code: str, status: int = 400, *, without: Sequence[str] = (), **given: Any) -> Outcome:
    """CreateJob has a parameter `code`, so `api.refused` cannot call it."""
    before = dump(api.world)
    outcome = api.call(
        "CreateJob", projectName="p", **{name: value for name, value in (NEW | given).items() if name not in without}
    )
    assert (outcome.status, outcome.code) == (status, code), outcome.text
    assert dump(api.world) == before
    return outcome


def show(api: Api, name: str = "j") -> dict[str, Any]:
    found: dict[str, Any] = api.ok("GetJob", projectName="p", jobName=name)["Job"]
    return found


def listed(api: Api, **filters: Any) -> list[Any]:
    return [job["JobName"] for job in api.ok("ListJob", projectName="p", **filters)["Jobs"]["Job"]]


def test_a_new_job_is_shown_with_all_that_was_given(p: Api) -> None:
    folder_id = p.ok("CreateFolder", projectName="p", path="/a")["FolderId"]
    p.ok("CreatePackage", projectName="p", packageName="a.jar", type="JAR", originName="a.jar", ossPath="a/a.jar")
    given = {"planJson": "{a:b}", "properties": "k=v\r\n", "packages": "a.jar", "description": "备注 <&>"}
    p.ok("CreateJob", projectName="p", **NEW, **given, engineVersion="blink_2.2.4", folderId=folder_id)
    job = show(p)
    expected = {
        "JobName": "j",
        "ProjectName": "p",
        "JobType": "FLINK_STREAM",
        "ApiType": "SQL",
        "Code": NEW["code"],
        "PlanJson": "{a:b}",
        "Properties": "k=v\r\n",
        "Packages": "a.jar",
        "IsCommitted": False,
        "Creator": ACCOUNT,
        "Modifier": ACCOUNT,
        "Description": "备注 <&>",
        "EngineVersion": "blink_2.2.4",
        "QueueName": "root.p",
        "FolderId": folder_id,
    }
    assert expected.items() <= job.items()
    assert len(job["JobId"]) == 24
    assert job["CreateTime"] == job["ModifyTime"]
    assert job["CreateTime"] % 1000 == 0


def test_the_members_of_a_job_come_in_the_documented_order(p: Api) -> None:
    p.ok("CreateJob", projectName="p", **NEW)
    order = ["JobName", "ProjectName", "JobType", "ApiType", "Code", "IsCommitted", "Creator", "CreateTime"]
    assert list(show(p))[: len(order)] == order


def test_a_project_needs_a_queue_before_jobs(api: Api) -> None:
    cluster_id = building.project(api, "p")
    outcome = refuse_new(api, "InvalidProject.NoQueue")
    assert "BindQueue" in outcome.hint
    building.queue(api, cluster_id, "root.p")
    api.ok("BindQueue", projectName="p", clusterId=cluster_id, queueName="root.p")
    api.ok("CreateJob", projectName="p", **NEW)


@pytest.mark.parametrize("parameter", ["jobName", "jobType", "apiType", "code"])
def test_a_job_needs_a_name_types_and_code(p: Api, parameter: str) -> None:
    refuse_new(p, f"Missing{parameter}", without=[parameter])


@pytest.mark.parametrize("name", ["", "n" * 129])
def test_a_job_name_has_1_to_128_characters(p: Api, name: str) -> None:
    refuse_new(p, "InvalidjobName", jobName=name)


def test_types_are_read_in_any_case_and_shown_in_capitals(p: Api) -> None:
    p.ok("CreateJob", projectName="p", **NEW | {"jobType": "flink_Batch", "apiType": "Datastream"})
    job = show(p)
    assert (job["JobType"], job["ApiType"]) == ("FLINK_BATCH", "DATASTREAM")


def test_an_unknown_type_is_invalid(p: Api) -> None:
    refuse_new(p, "InvalidjobType", jobType="FLINK")
    refuse_new(p, "InvalidapiType", apiType="PYTHON")


def test_a_job_cannot_have_a_queue_that_is_not_bound_to_its_project(p: Api) -> None:
    hint = refuse_new(p, "InvalidQueue.NotBound", queueName="root.other").hint
    assert "'p' does not have queue 'root.other'; it has 'root.p' of " in hint
    hint = refuse_new(p, "InvalidQueue.NotBound", clusterId="other").hint
    assert "'p' does not have a queue of cluster 'other'; it has 'root.p' of " in hint


def test_a_job_gets_the_queue_of_its_project_and_the_current_engine_version_if_none_is_given(p: Api) -> None:
    p.ok("CreateJob", projectName="p", **NEW)
    job = show(p)
    assert (job["QueueName"], job["EngineVersion"]) == ("root.p", "blink-3.4.4")


def test_a_tag_stands_for_the_engine_version_behind_it(p: Api) -> None:
    p.ok("CreateJob", projectName="p", **NEW, engineVersion="beta")
    assert show(p)["EngineVersion"] == "blink-3.7.8"
    p.ok("UpdateJob", **J, engineVersion="current")
    assert show(p)["EngineVersion"] == "blink-3.4.4"


def test_an_empty_engine_version_is_the_current_one(p: Api) -> None:
    p.ok("CreateJob", projectName="p", **NEW, engineVersion="")
    assert p.ok("GetJob", **J)["Job"]["EngineVersion"] == "blink-3.4.4"
    p.ok("UpdateJob", **J, engineVersion="")
    assert p.ok("GetJob", **J)["Job"]["EngineVersion"] == "blink-3.4.4"


def test_a_job_cannot_name_what_is_not_there(p: Api) -> None:
    refuse_new(p, "InvalidFolder.NotFound", 404, folderId=999)
    refuse_new(p, "InvalidPackage.NotFound", 404, packages="absent.jar")


def test_a_job_name_stands_once_in_a_project(p: Api) -> None:
    building.project_with_queue(p, "q")
    building.job(p, "j")
    refuse_new(p, "InvalidJob.Duplicate")
    building.job(p, "j", project_name="q")


def test_a_project_has_100_jobs_at_most(p: Api) -> None:
    for number in range(100):
        building.job(p, f"j{number}")
    refuse_new(p, "InvalidJob.LimitExceeded")
    building.project_with_queue(p, "other")
    building.job(p, "j", project_name="other")
    p.ok("DeleteJob", projectName="p", jobName="j0")
    building.job(p, "j")


def test_an_absent_job_is_an_answer_without_a_job(p: Api) -> None:
    assert p.ok("GetJob", projectName="p", jobName="absent") == {}


def test_a_job_of_an_absent_project_is_not_found(api: Api) -> None:
    api.refused("GetJob", **J, code="InvalidProject.NotFound", status=404)
    api.refused("ListJob", projectName="p", code="InvalidProject.NotFound", status=404)


def test_an_absent_job_is_not_found(p: Api) -> None:
    for operation in (
        "UpdateJob",
        "DeleteJob",
        "ValidateJob",
        "GetRawPlanJson",
        "CalcPlanJsonResource",
        "CommitJob",
        "StartJob",
        "OfflineJob",
    ):
        p.refused(operation, **J, code="InvalidJob.NotFound", status=404)


def test_an_update_changes_what_is_given_and_nothing_else(p: Api) -> None:
    p.ok("CreateJob", projectName="p", **NEW, description="before", properties="k=v")
    before = show(p)
    p.advance("5s")
    p.ok("UpdateJob", **J, code="-- new", description="")
    after = show(p)
    changed = {"Code": "-- new", "Description": "", "ModifyTime": after["ModifyTime"]}
    assert after == before | changed
    assert after["ModifyTime"] >= before["ModifyTime"] + 5000


def test_an_update_is_held_to_the_same_rules(p: Api) -> None:
    building.job(p)
    p.refused("UpdateJob", **J, folderId=999, code="InvalidFolder.NotFound", status=404)
    p.refused("UpdateJob", **J, packages="absent.jar", code="InvalidPackage.NotFound", status=404)
    p.refused("UpdateJob", **J, queueName="root.other", code="InvalidQueue.NotBound")


def test_an_update_can_move_a_job_to_another_queue(p: Api) -> None:
    building.job(p)
    cluster_id = show(p)["ClusterId"]
    p.ok("UpdateJob", **J, clusterId=cluster_id, queueName="root.p")
    assert show(p)["QueueName"] == "root.p"


def test_a_list_shows_newest_jobs_first(p: Api) -> None:
    for name in ("a", "b", "c"):
        building.job(p, name)
        p.advance("1s")
    assert listed(p) == ["c", "b", "a"]


def test_a_list_is_narrowed_by_every_filter(p: Api) -> None:
    folder_id = p.ok("CreateFolder", projectName="p", path="/a")["FolderId"]
    building.job(p, "stream_sql", apiType="SQL", folderId=folder_id)
    building.job(p, "batch_data", jobType="FLINK_BATCH", engineVersion="blink-2.0")
    assert listed(p, jobName="stream") == ["stream_sql"]
    assert listed(p, jobType="flink_batch") == ["batch_data"]
    assert listed(p, apiType="SQL") == ["stream_sql"]
    assert listed(p, engineVersion="blink-2.0") == ["batch_data"]
    assert listed(p, folderId=folder_id) == ["stream_sql"]
    assert sorted(listed(p, queueName="root.p", clusterId=show(p, "stream_sql")["ClusterId"])) == [
        "batch_data",
        "stream_sql",
    ]
    assert listed(p, queueName="root.other") == listed(p, clusterId="other") == []


def test_a_list_comes_in_pages(p: Api) -> None:
    for name in "abc":
        building.job(p, name)
    page = p.ok("ListJob", projectName="p", pageSize=2, pageIndex=2)
    assert [job["JobName"] for job in page.pop("Jobs")["Job"]] == ["c"]
    assert page == {"PageIndex": 2, "TotalPage": 2, "PageSize": 2, "TotalCount": 3}


def test_a_list_leaves_long_fields_out_only_if_told_to(p: Api) -> None:
    p.ok("CreateJob", projectName="p", **NEW, planJson="{a:b}", properties="k=v")
    long_fields = {"Code", "PlanJson", "Properties"}
    for full in ({}, {"isShowFullField": True}):
        (job,) = p.ok("ListJob", projectName="p", **full)["Jobs"]["Job"]
        assert long_fields <= set(job)
    (job,) = p.ok("ListJob", projectName="p", isShowFullField=False)["Jobs"]["Job"]
    assert not long_fields & set(job)


def test_a_list_tells_which_jobs_are_online(p: Api) -> None:
    building.online_job(p, "on")
    building.job(p, "off")
    jobs = p.ok("ListJob", projectName="p")["Jobs"]["Job"]
    assert {job["JobName"]: job["IsCommitted"] for job in jobs} == {"on": True, "off": False}


def test_every_job_has_a_file_id_seeded_ones_too(seeded_api: Api) -> None:
    building.job(seeded_api, "fresh", project_name="project1")
    jobs = seeded_api.ok("ListJob", projectName="project1", pageSize=100)["Jobs"]["Job"]
    ids = [job["FileId"] for job in jobs]
    assert all(isinstance(file_id, str) and file_id for file_id in ids)
    assert len(set(ids)) == len(ids) > 1
    for job in jobs:
        shown = seeded_api.ok("GetJob", projectName="project1", jobName=job["JobName"])["Job"]
        assert shown["FileId"] == job["FileId"]
