"""Every list that has pages has them in the same way."""

from typing import Any

import pytest

from tests.api import Api
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
