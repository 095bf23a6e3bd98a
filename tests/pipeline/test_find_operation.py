from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, Literal

import pytest

from foas_emulator.gateway.errors import ApiError
from foas_emulator.pipeline.find_operation import MAX_PARAMETERS, _read_short_query, read_pairs, read_query
from tests.api import open_api
from tests.wire import INSTANCE, ask, signed_v1

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


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"])
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
        ("a=1&a=2&b=&a=3", {"a": "1", "a[2]": "2", "b": "", "a[3]": "3"}),
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
    pairs = [f"a{number}=1" for number in range(MAX_PARAMETERS + 1)]
    assert len(read_pairs("&".join(pairs[1:]))) == MAX_PARAMETERS
    with pytest.raises(ApiError, match=str(MAX_PARAMETERS)):
        read_pairs("&".join(pairs))
    with pytest.raises(ApiError):
        read_pairs("a=%G0")


def test_head_is_answered_as_get_and_signed_as_head(app: Any) -> None:
    heard = ask(app, method="HEAD")
    assert (heard.status, heard.headers["content-length"]) == (200, ask(app).headers["content-length"])
    with open_api(signature="strict") as strict:
        assert ask(strict.app, method="HEAD", headers=signed_v1(method="HEAD")).status == 200
        assert ask(strict.app, method="HEAD", headers=signed_v1(method="GET")).code == "SignatureDoesNotMatch"


def test_a_head_on_what_has_no_get_is_an_unknown_operation(app: Any) -> None:
    assert ask(app, INSTANCE.replace("instances/412536", "commit"), method="HEAD").status == 404


def test_a_head_on_a_get_that_writes_is_an_unknown_operation_and_changes_nothing(app: Any) -> None:
    path = "/api/v2/projects/demo/jobs/running-stream/planjson"
    refused = ask(app, path, method="HEAD")
    assert (refused.status, "GetRawPlanJson: GET" in refused.headers["x-emulator-hint"]) == (404, True)
    assert ask(app, path).status == 200


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/?Action=StartJob&Version=2018-11-11", {}),
        ("GET", "/?version=2018-11-11&AccessKeyId=test", {}),
        ("HEAD", "/?Action=ListJobs", {}),
        ("POST", "/", {}),
        ("POST", "/?Action=StartJob", {}),
        ("PUT", "/", {}),
        ("GET", "/", {"authorization": "acs test:x"}),
        ("GET", "/", {"x-acs-action": "ListJobs"}),
    ],
)
def test_a_call_in_rpc_style_is_told_that_this_api_has_the_roa_style(
    app: Any, method: str, target: str, headers: dict[str, str]
) -> None:
    heard = ask(app, target, method=method, headers=headers)
    assert (heard.status, heard.code) == (404, "InvalidAction.NotFound")
    assert "ROA style" in heard.hint
    assert ("StartJob is " in heard.hint) == ("StartJob" in target)


def test_an_action_in_a_form_is_told_so_too(app: Any) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    heard = ask(app, "/", method="POST", headers=form, body=b"Action=ListJobs&Version=2018-11-11")
    assert (heard.status, heard.code) == (404, "InvalidAction.NotFound")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_browser_that_asks_for_the_root_is_led_to_the_console(app: Any, method: str) -> None:
    heard = ask(app, "/?utm_source=x", method=method, headers={"host": "localhost", "accept": "text/html"})
    assert (heard.status, heard.headers["location"]) == (307, "/_emulator/console/")


@pytest.mark.parametrize("signature", ["off", "warn"])
def test_a_repeated_name_in_the_query_stands_in_the_journal_as_unread_and_each_answer_warns_of_it(
    signature: Literal["off", "warn"],
) -> None:
    with open_api(signature=signature) as served:
        for _ in range(3):
            heard = ask(served.app, "/api/v2/projects?pageSize=1&pageSize=2")
            assert heard.members["PageSize"] == 1
            assert heard.warning == "pageSize came more than once; only its first value was read."
        for entry in served.request("GET", "/_emulator/worlds/default/journal").json()["entries"]:
            assert (entry["parameters"], entry["unread"]) == ({"pageSize": "1", "pageSize[2]": "2"}, ["pageSize[2]"])
            assert entry["warning"] == heard.warning


def test_a_refused_call_warns_of_a_repeated_name_too(app: Any) -> None:
    heard = ask(app, "/api/v2/projects?pageSize=x&pageSize=2")
    assert (heard.code, heard.warning) == (
        "InvalidpageSize",
        "pageSize came more than once; only its first value was read.",
    )


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("emulator:8018", "emulator"),
        ("emulator", "emulator"),
        ("[::1]:8018", "::1"),
        ("[::1]", "::1"),
        ("::1", "::1"),
        ("127.0.0.1:1", "127.0.0.1"),
        ("", ""),
        ("[::1", "[::1"),
        ("<a>:80", "<a>"),
    ],
)
@pytest.mark.parametrize("format_", ["json", "xml"])
def test_the_host_of_an_error_is_the_one_that_was_asked(app: Any, host: str, shown: str, format_: str) -> None:
    heard = ask(app, f"/nothing?Format={format_}", headers={"host": host})
    assert (heard.members["HostId"] or "") == shown


def test_only_short_queries_are_remembered() -> None:
    _read_short_query.cache_clear()
    for number in range(10):
        read_query(f"short={number}")
        read_query(f"long={number}" + "x" * 1000)
    assert _read_short_query.cache_info().currsize == 10


def test_a_path_of_long_names_is_not_compared_at_length(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []

    def count(word: str, known: Iterable[str], n: int) -> list[str]:
        compared.extend(len(word) * len(each) for each in known)
        return get_close_matches(word, known, n)

    monkeypatch.setattr("difflib.get_close_matches", count)
    heard = ask(app, f"/api/v2/projects/{'ab' * 75}/job/{'ba' * 20}")
    assert "The nearest is GetJob: GET /api/v2/projects/{projectName}/jobs/{jobName}." in heard.hint
    assert 0 < sum(compared) < 100_000, "each pair of characters may take a tenth of a microsecond"
    compared.clear()
    ask(app, "/api/v2/projects/" + "/".join(["e" * 24] * 9))
    assert 0 < sum(compared) < 200_000


@pytest.mark.parametrize(
    ("path", "unset"),
    [
        ("/api/v2/projects/[projectName]/jobs/job1/instances/-1", "projectName"),
        ("/api/v2/projects/project1/jobs/%5BjobName%5D/instances/-1", "jobName"),
        ("/api/v2/projects/project1/jobs/job1/instances/[instanceId]", "instanceId"),
        ("/api/v2/projects/project1/jobs/[projectName]/instances/-1", None),
    ],
)
def test_a_name_that_an_sdk_left_in_the_path_is_reported(app: Any, path: str, unset: str | None) -> None:
    heard = ask(app, path)
    assert heard.status in (400, 404)
    assert ("where a value belongs" in heard.hint) == (unset is not None)
    assert f"the request does not set {unset}" in heard.hint or unset is None
