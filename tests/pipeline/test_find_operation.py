from collections.abc import Iterator
from typing import Any

import pytest

from foas_emulator.gateway.errors import ApiError
from foas_emulator.pipeline.find_operation import read_pairs
from tests.api import open_api
from tests.wire import INSTANCE, ask

CHINESE = "/api/v2/projects/demo/jobs/中文作业/instances/-1"


@pytest.fixture(scope="module")
def app() -> Iterator[Any]:
    with open_api() as opened:
        yield opened.app


def test_path_is_found_percent_encoded_or_as_raw_utf8(app: Any) -> None:
    encoded = "/api/v2/projects/demo/jobs/%E4%B8%AD%E6%96%87%E4%BD%9C%E4%B8%9A/instances/-1"
    for target in (encoded, CHINESE.encode().decode("latin-1")):
        assert ask(app, target).members["Instance"]["JobName"] == "中文作业"


def test_slash_in_a_name_is_written_as_an_escape(app: Any) -> None:
    heard = ask(app, INSTANCE.replace("job1", "a%2Fb"))
    assert heard.code == "InvalidJob.NotFound"
    assert "'a/b'" in heard.hint


@pytest.mark.parametrize("target", [f"{INSTANCE}/", f"/{INSTANCE}", INSTANCE.upper(), "/api/v2/projects//jobs/j"])
def test_path_is_taken_as_it_is_and_never_redirected(app: Any, target: str) -> None:
    heard = ask(app, target)
    assert (heard.status, heard.code) == (404, "InvalidAction.NotFound")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD", "TRACE", "BREW"])
def test_wrong_method_is_an_unknown_operation(app: Any, method: str) -> None:
    assert ask(app, method=method).status == 404


def test_routing_is_checked_before_version_format_query_body_and_signature() -> None:
    with open_api(signature="strict") as served:
        headers = {"x-acs-version": "1", "accept": "nonsense", "content-type": "application/json"}
        heard = ask(served.app, "/nothing?a=%zz&Format=YAML", method="POST", headers=headers, body=b"{")
        assert heard.code == "InvalidAction.NotFound"


def test_other_version_is_refused_and_no_version_is_not(app: Any) -> None:
    heard = ask(app, headers={"x-acs-version": "2017-11-11"})
    assert (heard.status, heard.code) == (400, "InvalidVersion")
    assert "2018-11-11" in heard.hint
    for headers in ({}, {"x-acs-version": "2018-11-11"}):
        assert ask(app, headers=headers).status == 200


def test_action_that_contradicts_the_path_is_served_as_the_path_says(app: Any) -> None:
    assert "Instance" in ask(app, headers={"x-acs-action": "GetProject"}).members


@pytest.mark.parametrize("query", ["RegionId=cn-hangzhou", "Version=2018-11-11", "whatever=1", "a", "&&", "=", "a=%41"])
def test_parameters_that_nobody_reads_do_no_harm(app: Any, query: str) -> None:
    assert ask(app, f"{INSTANCE}?{query}").status == 200


@pytest.mark.parametrize("query", ["a=%", "a=%zz", "a=%E4%B8", "a=%ED%A0%80", "%FF=1", "a=\xff"])
def test_query_that_cannot_be_decoded_is_malformed_in_the_format_that_accept_asks_for(app: Any, query: str) -> None:
    heard = ask(app, f"{INSTANCE}?{query}", headers={"accept": "text/xml"})
    assert (heard.status, heard.code, heard.format) == (400, "RequestParameterMalformed", "xml")


def test_query_is_read_percent_encoded_or_as_raw_utf8(app: Any) -> None:
    encoded = "jobName=%E4%B8%AD%E6%96%87%E4%BD%9C%E4%B8%9A"
    for query in (encoded, "jobName=中文作业".encode().decode("latin-1")):
        heard = ask(app, f"/api/v2/projects/demo/instances?jobType=FLINK_STREAM&{query}")
        assert [each["JobName"] for each in heard.members["Instances"]["Instance"]] == ["中文作业"]


def test_parameter_of_the_path_is_not_overridden_by_the_query(app: Any) -> None:
    assert ask(app, f"{INSTANCE}?instanceId=123").members["Instance"]["Id"] == 412536


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", {}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=1&a=2", {"a": "1"}),
        ("a=&b", {"a": "", "b": ""}),
        ("a=x+y%2Bz", {"a": "x y+z"}),
        ("%E4%B8%AD=%E6%96%87", {"中": "文"}),
        ("a=1;b=2", {"a": "1;b=2"}),
        ("a=b=c", {"a": "b=c"}),
    ],
)
def test_pairs_are_read_as_a_form_is_written(text: str, pairs: dict[str, str]) -> None:
    assert read_pairs(text) == pairs


def test_pairs_that_are_too_many_are_malformed_or_read_but_never_a_crash() -> None:
    text = "&".join(f"a{number}=1" for number in range(20_000))
    assert len(read_pairs(text)) == 20_000
    with pytest.raises(ApiError):
        read_pairs("a=%G0")
