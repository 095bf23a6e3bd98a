"""The rules of tags."""

from typing import Any

import pytest

from foas_emulator.operations.tags.rows import Tag
from tests.api import Api
from tests.operations import building
from tests.row_counting import models_read

DONE: dict[str, Any] = {"Success": True, "HttpStatusCode": 200, "Code": "200", "Message": "success", "Data": True}


def tags(api: Api, **conditions: Any) -> dict[tuple[str, str], str]:
    found = api.ok("ListTagResources", **conditions)["Data"]["TagResources"]
    return {(tag["ResourceId"], tag["TagKey"]): tag["TagValue"] for tag in found}


def tag(api: Api, cluster_id: str, text: str) -> None:
    api.ok("TagResources", ResourceIds=cluster_id, Tags=text)


def test_a_tag_is_shown_with_its_cluster_in_a_list_without_a_wrapper(api: Api) -> None:
    cluster_id = building.cluster(api)
    given = {"ResourceType": "cluster", "ResourceIds": cluster_id, "Tags": '[{"Key":"stage","Value":"测试"}]'}
    assert api.ok("TagResources", **given) == DONE
    listed = api.ok("ListTagResources")
    shown = {"ResourceType": "cluster", "TagKey": "stage", "TagValue": "测试", "ResourceId": cluster_id}
    assert listed == DONE | {"Data": {"TagResources": [shown]}}


def test_tags_may_be_given_in_the_query(api: Api) -> None:
    cluster_id = building.cluster(api)
    api.request("POST", f"/api/v2/cluster/tags?ResourceIds={cluster_id}&Tags=a:1")
    assert tags(api) == {(cluster_id, "a"): "1"}


@pytest.mark.parametrize(
    "text",
    [
        '[{"Key":"a","Value":"1"},{"Key":"b","Value":""}]',
        '[{"TagKey":"a","TagValue":"1"},{"TagKey":"b"}]',
        '{"a":"1","b":""}',
        '{"a":"1","b":null}',
        ' {"a":"1","b":""}',
        "a:1,b",
        "a=1, b=",
    ],
)
def test_tags_are_understood_in_every_usual_form(api: Api, text: str) -> None:
    cluster_id = building.cluster(api)
    tag(api, cluster_id, text)
    assert tags(api) == {(cluster_id, "a"): "1", (cluster_id, "b"): ""}


def test_a_single_tag_may_be_one_json_object(api: Api) -> None:
    cluster_id = building.cluster(api)
    tag(api, cluster_id, '{"Key":"a","Value":"x=1"}')
    assert tags(api) == {(cluster_id, "a"): "x=1"}


@pytest.mark.parametrize("text", ["", ",", "[]", "[1]", '["a"]', '{"a":1}', '{"a"', ":1", '[{"Value":"1"}]'])
def test_a_text_that_is_not_a_tag_is_refused(api: Api, text: str) -> None:
    api.refused("TagResources", ResourceIds=building.cluster(api), Tags=text, code="InvalidTags")


@pytest.mark.parametrize("ids", ["", ",", "[]", "[1]", '{"a":1}', '["a"'])
def test_a_text_that_is_not_a_list_of_ids_is_refused(api: Api, ids: str) -> None:
    api.refused("TagResources", ResourceIds=ids, Tags="a:1", code="InvalidResourceIds")
    api.refused("UntagResources", ResourceIds=ids, All=True, code="InvalidResourceIds")


def test_clusters_and_tags_must_be_given(api: Api) -> None:
    api.refused("TagResources", Tags="a:1", code="MissingResourceIds")
    api.refused("TagResources", ResourceIds=building.cluster(api), code="MissingTags")
    api.refused("UntagResources", All=True, code="MissingResourceIds")


def test_a_cluster_must_be_there_to_be_tagged(api: Api) -> None:
    cluster_id = building.cluster(api)
    ids = f'["{cluster_id}","absent"]'
    api.refused("TagResources", ResourceIds=ids, Tags="a:1", code="InvalidCluster.NotFound", status=404)


def test_a_key_that_a_cluster_has_takes_the_new_value(api: Api) -> None:
    first, second = building.cluster(api), building.cluster(api)
    tag(api, f"{first},{second}", "a:1,b:1")
    tag(api, first, "a:2")
    assert tags(api) == {(first, "a"): "2", (first, "b"): "1", (second, "a"): "1", (second, "b"): "1"}


def test_a_list_of_tags_is_narrowed_by_clusters_keys_values_and_type(api: Api) -> None:
    first, second = building.cluster(api), building.cluster(api)
    tag(api, f"{first},{second}", "a:1,b:1")
    tag(api, first, "a:2")
    api.ok("TagResources", ResourceType="other", ResourceIds=first, Tags="c:1")
    assert tags(api, ResourceIds=second) == {(second, "a"): "1", (second, "b"): "1"}
    assert tags(api, Tags="a") == {(first, "a"): "2", (second, "a"): "1"}
    assert tags(api, Tags="a:2") == {(first, "a"): "2"}
    assert tags(api, Tags="a:2,b") == {(first, "a"): "2", (first, "b"): "1", (second, "b"): "1"}
    assert tags(api, Tags="a:2,b", ResourceIds=f"{second},absent") == {(second, "b"): "1"}
    assert tags(api, Tags='{"a":"' + "'" + '","b":""}') == tags(api, Tags="[]") == tags(api, ResourceIds="[]") == {}
    assert tags(api, ResourceType="other") == {(first, "c"): "1"}
    assert tags(api, ResourceIds="absent") == {}


def test_tags_are_listed_fifty_at_a_time(api: Api) -> None:
    cluster_id = building.cluster(api)
    tag(api, cluster_id, ",".join(f"key{number:03}:v" for number in range(101)))
    page = api.ok("ListTagResources")["Data"]
    keys = [tag["TagKey"] for tag in page["TagResources"]]
    while "NextToken" in page:
        page = api.ok("ListTagResources", NextToken=page["NextToken"])["Data"]
        keys += [tag["TagKey"] for tag in page["TagResources"]]
    assert keys == [f"key{number:03}" for number in range(101)]


@pytest.mark.parametrize("token", ["x", "-1", "0", "51", "100", "050", " 50", "٥٠", "9" * 16 + "50", "1" + "0" * 5000])
def test_a_token_is_one_that_was_handed_out(api: Api, token: Any) -> None:
    tag(api, building.cluster(api), ",".join(f"key{number}" for number in range(60)))
    api.refused("ListTagResources", NextToken=token, code="InvalidNextToken")


def test_a_list_of_tags_reads_one_page_of_them(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster_id = building.cluster(api)
    tag(api, cluster_id, ",".join(f"key{number}:v" for number in range(200)))
    read = models_read(monkeypatch)
    assert len(tags(api, NextToken="100")) == 50
    assert read.count(Tag) == 51


@pytest.mark.parametrize("text", ["k" * 129, f"k:{'v' * 129}", '{"k":"' + "v" * 129 + '"}'])
def test_keys_and_values_have_at_most_128_characters(api: Api, text: str) -> None:
    cluster_id = building.cluster(api)
    api.refused("TagResources", ResourceIds=cluster_id, Tags=text, code="InvalidTags")
    tag(api, cluster_id, f"{'k' * 128}:{'v' * 128}")
    assert tags(api) == {(cluster_id, "k" * 128): "v" * 128}


def test_tags_are_taken_off_by_key_or_all(api: Api) -> None:
    first, second = building.cluster(api), building.cluster(api)
    tag(api, f"{first},{second}", "a:1,b:1,c:1")
    assert api.ok("UntagResources", ResourceIds=first, TagKeys='["a","b"]') == DONE
    assert set(tags(api, ResourceIds=first)) == {(first, "c")}
    api.ok("UntagResources", ResourceIds=second, All="True")
    assert tags(api) == {(first, "c"): "1"}
    api.ok("UntagResources", ResourceIds=first, TagKeys="absent")
    assert tags(api) == {(first, "c"): "1"}


def test_it_must_be_said_which_tags_to_take_off(api: Api) -> None:
    cluster_id = building.cluster(api)
    tag(api, cluster_id, "a:1")
    api.refused("UntagResources", ResourceIds=cluster_id, code="MissingTagKeys")
    api.refused("UntagResources", ResourceIds=cluster_id, All=False, code="MissingTagKeys")


def test_a_page_that_is_just_full_is_the_last(api: Api) -> None:
    tag(api, building.cluster(api), ",".join(f"key{number}" for number in range(50)))
    assert "NextToken" not in api.ok("ListTagResources")["Data"]


def test_a_refusal_names_the_parameter_that_cannot_be_read(api: Api) -> None:
    cluster_id = building.cluster(api)
    many = ",".join(f"k{number}" for number in range(1001))
    for text in ("[1]", many):
        api.refused("ListTagResources", ResourceIds=text, code="InvalidResourceIds")
        api.refused("UntagResources", ResourceIds=cluster_id, TagKeys=text, code="InvalidTagKeys")
    for text in ("[1]", many):
        api.refused("ListTagResources", Tags=text, code="InvalidTags")
