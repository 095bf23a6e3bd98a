"""The journal shows requests and answers, bounded and without secrets."""

import json

import pytest

from foas_emulator.difference import Difference
from foas_emulator.journal.calls import MOST_SHOWN
from foas_emulator.journal.contents import MOST_BYTES, NOTHING, masked_header, show_contents
from foas_emulator.masking import masked
from tests.api import Api, open_api
from tests.wire import INSTANCE, signed_v1

JOURNAL = "/_emulator/worlds/default/journal"


def entry_of(api: Api, response: object) -> dict[str, object]:
    found = api.request("GET", f"{JOURNAL}/{response.headers['x-acs-request-id']}")  # type: ignore[attr-defined]
    assert found.status_code == 200
    return dict(found.json())


def test_a_call_is_there_as_it_was_sent_and_answered(api: Api) -> None:
    answer = api.request("POST", "/api/v2/projects/demo/folders", data={"path": "/new"}, headers={"x-extra": "1"})
    entry = entry_of(api, answer)
    assert entry["request"]["body"] == "path=%2Fnew"  # type: ignore[index]
    assert entry["request"]["headers"]["x-extra"] == "1"  # type: ignore[index]
    assert entry["answer"]["body"] == answer.text  # type: ignore[index]
    assert entry["hint"] is None


def test_a_refused_call_keeps_its_hint_and_evidence(api: Api) -> None:
    answer = api.request("GET", "/api/v2/projects/demo/jobs/draft/instances/-1")
    entry = entry_of(api, answer)
    assert entry["hint"] == answer.headers["x-emulator-hint"]
    assert entry["evidence"] == "documented"


def test_a_repeated_answer_shares_its_bytes_and_carries_its_own_request_id(api: Api) -> None:
    first, second = (api.request("GET", INSTANCE) for _ in range(2))
    for answer in (first, second):
        assert entry_of(api, answer)["answer"]["body"] == answer.text  # type: ignore[index]


def test_secrets_and_signatures_are_masked_wherever_they_stand(api: Api) -> None:
    headers = {**signed_v1("/api/v2/projects/demo/jobs", method="POST"), "x-acs-security-token": "tok-secret"}
    code = "CREATE TABLE t (a INT) WITH (type='x', accessId='id', accessKey='key-secret');"
    answer = api.request(
        "POST",
        "/api/v2/projects/demo/jobs?Signature=sig-secret&AccessKeySecret=aks-secret",
        data={"jobName": "j", "jobType": "FLINK_STREAM", "apiType": "SQL", "code": code, "SecurityToken": "tok-secret"},
        headers=headers,
    )
    shown = json.dumps(entry_of(api, answer))
    for secret in ("sig-secret", "aks-secret", "tok-secret", "key-secret", headers["authorization"].rpartition(":")[2]):
        assert secret not in shown, secret
    assert "acs test:***" in shown
    job = api.request("GET", "/api/v2/projects/demo/jobs/j")
    assert "key-secret" in job.text
    assert "key-secret" not in json.dumps(entry_of(api, job))


def test_a_secret_that_comes_twice_is_masked_twice(api: Api) -> None:
    twice = "SecurityToken=a-secret&SecurityToken=b-secret"
    answer = api.request(
        "POST", f"/api/v2/projects/demo/folders?{twice}", data={"path": "/p", "SecurityToken": "c-secret"}
    )
    assert answer.status_code == 200
    entry = entry_of(api, answer)
    assert "SecurityToken[2]" in entry["parameters"]  # type: ignore[operator]
    assert "-secret" not in json.dumps(entry)


def test_a_body_of_json_that_came_as_a_form_is_masked_though_it_is_the_name_of_a_parameter(api: Api) -> None:
    body = '{"accessKeySecret":"a-secret","properties":{"db.password":"b-secret"},"c":"' + "d" * 200 + '"}'
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = api.request("POST", "/api/v2/projects/demo/folders?path=/x", content=body.encode(), headers=form)
    shown = json.dumps(entry_of(api, answer)) + api.request("GET", JOURNAL).text
    shown += api.request("GET", "/_emulator/console/w/default/journal").text
    assert "-secret" not in shown
    assert "accessKeySecret" in shown


def test_the_console_shows_no_secret_of_a_path(api: Api) -> None:
    api.request("GET", "/nowhere&SecurityToken=a-secret")
    api.request("GET", "/api/v2/projects/password%3Da-secret")
    rows = api.request("GET", "/_emulator/console/w/default/journal").text
    assert rows.count("***") >= 2
    assert "a-secret" not in rows


@pytest.mark.parametrize(
    ("target", "members"),
    [
        ("/api/v2/projects/demo/jobs", {"jobName": "j", "properties": {"blink.db.password": "pw-secret"}}),
        ("/api/v2/projects/demo/jobs", {"jobName": "j", "code": [{"accessKeySecret": "pw-secret"}]}),
        ("/api/v2/projects%3FSecurityToken%3Dpw-secret", {}),
        ("/api/v2/projects&SecurityToken=pw-secret", {}),
    ],
)
def test_what_says_why_a_call_was_refused_names_no_secret_of_it(
    api: Api, caplog: pytest.LogCaptureFixture, target: str, members: dict[str, object]
) -> None:
    answer = api.request("POST", target, json=members)
    assert answer.status_code in (400, 404)
    assert "***" in answer.headers["x-emulator-hint"]
    assert "pw-secret" not in json.dumps(entry_of(api, answer))
    assert "pw-secret" not in caplog.text
    assert answer.headers["x-acs-request-id"] in caplog.text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a=1&Signature=abc%2Bdef&b=2", "a=1&Signature=***&b=2"),
        ('{"accessKeySecret": "s", "accessKeyId": "i"}', '{"accessKeySecret": "***", "accessKeyId": "i"}'),
        (r"{\"accessKey\":\"s\"}", r"{\"accessKey\":\"***\"}"),
        ("accessKey%3D%27s%27", "accessKey%3D%27***%27"),
        ("<SecurityToken>s</SecurityToken>", "<SecurityToken>***</SecurityToken>"),
        ("access-key-secret: s", "access-key-secret: ***"),
        ("accessId='i'", "accessId='i'"),
        ("password = 'a,b; c&d<e%', user = 'u'", "password = '***', user = 'u'"),
        ("""{"password": "it's \\"a, b\\"", "user": "u"}""", """{"password": "***", "user": "u"}"""),
        (r"""{"code": "password = \"a, 'b\", user = \"u\""}""", r"""{"code": "password = \"***\", user = \"u\""}"""),
        ("code=password%3D%27a%2C%3B%22+b%27%2C+user%3D%27u%27", "code=password%3D%27***%27%2C+user%3D%27u%27"),
        ("password='', user='u'", "password='', user='u'"),
        ("password='a''b', user='u'", "password='***', user='u'"),
        ("password='''b', user='u'", "password='***', user='u'"),
        ("code=password%3D%27a%27%27b%27%2C+user%3D%27u%27", "code=password%3D%27***%27%2C+user%3D%27u%27"),
        ("password='a\nuser='u'", "password='***\nuser='u'"),
    ],
)
def test_a_secret_is_known_by_the_name_before_it(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("acs test:abc=", "acs test:***"),
        (
            "ACS3-HMAC-SHA256 Credential=k,SignedHeaders=a;b,Signature=ff",
            "ACS3-HMAC-SHA256 Credential=k,SignedHeaders=a;b,Signature=***",
        ),
        ("Bearer secret", "***"),
    ],
)
def test_an_authorization_shows_who_and_not_the_signature(value: str, shown: str) -> None:
    assert masked_header("authorization", value) == shown


def test_a_long_body_is_cut_and_says_so(api: Api) -> None:
    answer = api.request("POST", "/api/v2/projects/demo/jobs", data={"jobName": "j", "code": "x" * (2 * MOST_BYTES)})
    request = entry_of(api, answer)["request"]
    assert request["is_cut"]  # type: ignore[index]
    assert len(request["body"]) == MOST_BYTES < request["size"]  # type: ignore[index]


def test_a_wrong_signature_keeps_what_the_server_signs_and_where_the_client_differs(api: Api) -> None:
    answer = api.request(
        "GET", INSTANCE, headers={**signed_v1(headers={"accept": "application/json"}), "x-acs-extra": "late"}
    )
    check = entry_of(api, answer)["signature_check"]
    assert "x-acs-extra:late" in check["string_to_sign"]  # type: ignore[index]
    assert check["differences"][0]["field"] == "x-acs-extra"  # type: ignore[index]


def test_what_was_signed_shows_no_token() -> None:
    contents = NOTHING._replace(
        string_to_sign="GET\nx-acs-security-token:tok-secret\nx-acs-version:2018-11-11",
        differences=(Difference("x-acs-security-token", "tok-secret", "tok-other"),),
    )
    shown = json.dumps(show_contents(contents, "id")["signature_check"])
    assert "tok-" not in shown
    assert "x-acs-version:2018-11-11" in shown


def test_lists_and_snapshots_hold_none_of_it(api: Api) -> None:
    api.request("GET", INSTANCE, headers={"x-extra": "needle"})
    assert "needle" not in api.request("GET", JOURNAL).text
    assert "needle" not in api.request("GET", "/_emulator/worlds/default/snapshot").text


def test_the_budget_counts_the_bytes() -> None:
    with open_api(journal_bytes=200_000) as api:
        for number in range(12):
            api.request("POST", "/api/v2/projects/demo/jobs", data={"jobName": f"j{number}", "code": "x" * 50_000})
        assert api.request("GET", JOURNAL).json()["lost"] >= 8


@pytest.mark.parametrize("name", ["AccessKeySecret", "access_key", "SecurityToken", "Signature", "PASSWORD"])
def test_a_text_that_names_a_secret_in_any_case_is_masked_and_no_other_is_searched(name: str) -> None:
    assert masked(f"a=1&{name}=secret") == f"a=1&{name}=***"
    plain = "SELECT 1;" * 1000
    assert masked(plain) is plain


def test_a_long_parameter_is_cut_where_it_is_shown(api: Api) -> None:
    api.request("POST", "/api/v2/projects/demo/folders", data={"path": "/" + "x" * MOST_BYTES})
    shown = api.request("GET", JOURNAL).json()["entries"][0]["parameters"]["path"]
    assert shown == "/" + "x" * (MOST_BYTES - 1) + f"... of {MOST_BYTES + 1} characters"


def test_only_so_much_of_all_long_parameters_is_shown(api: Api) -> None:
    """Looking for secrets in four megabytes of them held all others for 0.3 seconds whenever the entry was shown."""
    texts = {f"p{number}": "PRIMARY KEY " * 5000 for number in range(50)}
    api.request("POST", "/api/v2/projects/demo/folders", json={"path": "/a", **texts, "list": [texts["p0"]] * 2})
    shown = api.request("GET", JOURNAL).json()["entries"][0]["parameters"]
    assert shown["path"] == "/a"
    assert shown["p0"] == shown["p1"] == texts["p0"]
    assert shown["p49"] == texts["p49"][:40] + "... of 60000 characters"
    assert shown["projectName"] == "demo"
    assert shown.pop("list") == ["... of 60000 characters"] * 2
    assert MOST_SHOWN < sum(map(len, shown.values())) < MOST_SHOWN + 50 * 100
