"""Every list that has pages has them in the same way."""

from typing import Any

import pytest

from foas_emulator.gateway.parameters import declared_parameters
from tests.api import BY_NAME, Api
from tests.operations import building


@pytest.fixture
def three(api: Api) -> Api:
    building.stand_still(api)
    cluster_id = building.cluster(api)
    for name in ("a", "b", "c"):
        building.project(api, name, cluster_id=cluster_id)
    return api


def names(members: dict[str, Any]) -> list[str]:
    return [project["Name"] for project in members["Projects"]["Project"]]


def test_a_list_begins_with_page_one_of_ten(three: Api) -> None:
    members = three.ok("ListProject")
    assert names(members) == ["a", "b", "c"]
    figures = ("PageIndex", "PageSize", "TotalPage", "TotalCount")
    assert [members[figure] for figure in figures] == [1, 10, 1, 3]


def test_the_last_page_holds_the_rest(three: Api) -> None:
    members = three.ok("ListProject", pageIndex=2, pageSize=2)
    assert names(members) == ["c"]
    assert (members["TotalPage"], members["TotalCount"]) == (2, 3)


@pytest.mark.parametrize("page_index", [3, 2**31 - 1])
def test_a_page_past_the_end_is_empty(three: Api, page_index: int) -> None:
    members = three.ok("ListProject", pageIndex=page_index, pageSize=2)
    assert names(members) == []
    assert (members["PageIndex"], members["TotalPage"], members["TotalCount"]) == (page_index, 2, 3)


def test_an_empty_list_has_no_page(api: Api) -> None:
    members = api.ok("ListProject")
    assert (members["TotalPage"], members["TotalCount"], names(members)) == (0, 0, [])


@pytest.mark.parametrize("page_index", [0, -1, "x", 2**31])
def test_pages_count_from_one(api: Api, page_index: int) -> None:
    api.refused("ListProject", pageIndex=page_index, code="InvalidpageIndex")


@pytest.mark.parametrize("page_size", [0, -1, 101, ""])
def test_a_page_holds_one_to_a_hundred_items(api: Api, page_size: int) -> None:
    api.refused("ListProject", pageSize=page_size, code="InvalidpageSize")
    assert api.ok("ListProject", pageSize=100)["PageSize"] == 100


@pytest.fixture
def long_jobs(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """Three jobs, a page of which may hold the code of two."""
    monkeypatch.setattr("foas_emulator.operations.paging.MOST_WEIGHT", 5000)
    building.stand_still(api)
    building.project_with_queue(api)
    for name in ("c", "a", "b"):
        building.job(api, name, code=name * 2000)
    return api


def jobs(members: dict[str, Any]) -> list[str]:
    return [f"{job['JobName']}{len(job.get('Code', ''))}" for job in members["Jobs"]["Job"]]


def test_a_page_of_long_items_is_refused_before_they_are_read(long_jobs: Api) -> None:
    hint = long_jobs.refused("ListJob", projectName="p", pageSize=3, code="InvalidpageSize").hint
    assert hint.startswith("pageSize: 3 of its items have over 5000 characters, in which one that is escaped counts 4")
    assert jobs(long_jobs.ok("ListJob", projectName="p", pageSize=2)) == ["a2000", "b2000"]
    assert jobs(long_jobs.ok("ListJob", projectName="p", pageSize=2, pageIndex=2)) == ["c2000"]


def test_long_items_are_listed_without_what_makes_them_long(long_jobs: Api) -> None:
    assert jobs(long_jobs.ok("ListJob", projectName="p", pageSize=3, isShowFullField=False)) == ["a0", "b0", "c0"]


def test_a_page_of_one_item_may_be_of_any_length(long_jobs: Api) -> None:
    building.job(long_jobs, "long", code="x" * 9000)
    assert jobs(long_jobs.ok("ListJob", projectName="p", jobName="long")) == ["long9000"]


def test_long_jobs_that_use_a_package_are_listed_in_order(long_jobs: Api) -> None:
    long_jobs.ok("CreatePackage", projectName="p", packageName="a.jar", type="jar", ossPath="a.jar")
    for name in ("c", "a"):
        long_jobs.ok("UpdateJob", projectName="p", jobName=name, packages="a.jar")
        long_jobs.ok("CommitJob", projectName="p", jobName=name)
    assert jobs(long_jobs.ok("GetRefPackageJob", projectName="p", packageName="a.jar")) == ["a2000", "c2000"]


def test_a_page_of_escaped_texts_is_refused_in_a_world_that_is_smaller_than_they_weigh(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    building.project_with_queue(api)
    for name in ("a", "b", "c"):
        building.job(api, name, description="&" * 20_000)
    monkeypatch.setattr("foas_emulator.operations.paging.MOST_WEIGHT", api.world.store.size + 1)
    api.refused("ListJob", projectName="p", code="InvalidpageSize")


EMPTY = [
    ("ListJob", ("jobName", "engineVersion", "clusterId", "queueName")),
    ("ListInstance", ("jobName",)),
    ("ListPackage", ("packageName", "tag")),
    ("ListProject", ("name", "clusterId", "region")),
    ("ListProjectBindQueue", ("clusterId", "queueName")),
    ("ListProjectBindQueueResource", ("clusterId", "queueName")),
    ("ListCluster", ("clusterId", "displayName", "region")),
    ("ListTagResources", ("ResourceIds", "Tags", "ResourceType", "NextToken")),
]


@pytest.mark.parametrize(("operation", "names"), EMPTY, ids=[operation for operation, _ in EMPTY])
def test_an_empty_text_lets_everything_pass(api: Api, operation: str, names: tuple[str, ...]) -> None:
    cluster_id = building.project_with_queue(api)
    building.online_job(api)
    api.ok("StartJob", projectName="p", jobName="j")
    api.ok("CreatePackage", projectName="p", packageName="a.jar", type="JAR", ossPath="a.jar")
    api.ok("TagResources", ResourceIds=cluster_id, Tags="stage:test")
    needed = {"projectName": "p", "jobType": "FLINK_STREAM"}
    declared = declared_parameters(BY_NAME[operation].endpoint)
    given = {each.name: needed[each.name] for each in declared if each.required}
    everything = api.ok(operation, **given)
    for name in names:
        assert api.ok(operation, **given, **{name: ""}) == everything
        if name != "NextToken":
            assert api.ok(operation, **given, **{name: "none"}) != everything
