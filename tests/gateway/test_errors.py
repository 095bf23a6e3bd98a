"""The gateway's error table, row by row, as a client meets it in both formats."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from foas_emulator.gateway.errors import MOST_TIMES, Problem, catalogue, fill, invalid, missing, problem
from foas_emulator.world.settings import read_setting
from tests.api import Api, open_api
from tests.wire import INSTANCE, Heard, ask, signed_v1, signed_v3

LIST_INSTANCE = "/api/v2/projects/project1/instances"
FOLDERS = "/api/v2/projects/project1/folders"
RECOMMEND = "https://error-center.aliyun.com/status/search?Keyword={}&source=PopGw"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module", params=["json", "xml"])
def strict(request: pytest.FixtureRequest) -> Iterator[Api]:
    keys = ("sts:secret:token",)
    with open_api(wire_format=request.param, signature="strict", access_keys=keys, max_body=2000) as opened:
        yield opened


@pytest.fixture(scope="module", params=["json", "xml"])
def open_to_all(request: pytest.FixtureRequest) -> Iterator[Api]:
    with open_api(wire_format=request.param, max_body=2000) as opened:
        yield opened


def assert_refused(api: Api, heard: Heard, *, code: str, message: str, status: int = 400) -> None:
    members = heard.members
    assert (heard.status, heard.format) == (status, api.wire_format)
    assert (members.pop("Code"), members.pop("Message")) == (code, message)
    assert members.pop("RequestId") == heard.headers["x-acs-request-id"]
    assert members == {"HostId": "emulator", "Recommend": RECOMMEND.format(code)}
    assert heard.hint
    assert heard.hint.isascii()
    assert heard.headers["x-emulator-evidence"] in ("documented", "sample", "sdk", "inferred")


def call(api: Api, target: str = INSTANCE, *, headers: Mapping[str, str] | None = None, **more: Any) -> Heard:
    return ask(api.app, target, headers={"accept": f"application/{api.wire_format}", **(headers or {})}, **more)


@pytest.mark.parametrize(
    ("method", "target"), [("GET", "/api/v2/nothing"), ("PATCH", INSTANCE), ("GET", f"{INSTANCE}/"), ("GET", "/api")]
)
def test_unknown_path_or_method_is_not_found(open_to_all: Api, method: str, target: str) -> None:
    assert_refused(
        open_to_all,
        call(open_to_all, target, method=method),
        code="InvalidAction.NotFound",
        message="Specified api is not found, please check your url and method.",
        status=404,
    )


def test_hint_of_an_unknown_path_names_the_nearest_operation(open_to_all: Api) -> None:
    assert "The nearest is GetInstance: GET" in call(open_to_all, f"{INSTANCE}/").hint


@pytest.mark.parametrize(
    ("code", "message", "headers", "target", "body"),
    [
        (
            "InvalidVersion",
            "Specified parameter Version is not valid.",
            {"x-acs-version": "2017-01-01"},
            INSTANCE,
            None,
        ),
        (
            "InvalidParameter.Accept",
            "Specified parameter accept is not valid.",
            {"accept": "text/html"},
            INSTANCE,
            None,
        ),
        ("InvalidParameter.Format", "Specified parameter format is not valid.", {}, f"{INSTANCE}?Format=YAML", None),
        (
            "InvalidParameter.World",
            "Specified parameter x-emulator-world is not valid.",
            {"x-emulator-world": "No Such"},
            INSTANCE,
            None,
        ),
        ("MissingjobType", "jobType is mandatory for this action.", {}, LIST_INSTANCE, None),
        (
            "InvalidinstanceId",
            "Specified parameter instanceId is not valid.",
            {},
            INSTANCE.replace("412536", "x"),
            None,
        ),
        (
            "RequestParameterMalformed",
            "Request parameters has malformed encoded characters.",
            {},
            INSTANCE.replace("job1", "%zz"),
            None,
        ),
        (
            "RequestParameterMalformed",
            "Request parameters has malformed encoded characters.",
            {"content-type": "application/json"},
            INSTANCE,
            b"{",
        ),
    ],
)
def test_refused_request_is_reported_as_the_gateway_tells_it(
    code: str, message: str, headers: dict[str, str], target: str, body: bytes | None
) -> None:
    for format_ in ("json", "xml"):
        with open_api(wire_format=format_, default_format=format_) as api:
            assert_refused(api, call(api, target, headers=headers, body=body), code=code, message=message)


def test_body_over_the_limit_is_too_large(open_to_all: Api) -> None:
    heard = call(open_to_all, FOLDERS, method="POST", headers=FORM, body=b"path=" + b"x" * 2000)
    message = "The request body exceeds the allowed size."
    assert_refused(open_to_all, heard, code="RequestEntityTooLarge", message=message, status=413)
    assert "max_body" in heard.hint


def without(headers: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in names}


STRICT_ROWS: list[tuple[str, int, str, Callable[[], dict[str, str]]]] = [
    ("MissingDate", 400, "Date is mandatory for this action.", dict),
    ("MissingDate", 400, "Date is mandatory for this action.", lambda: without(signed_v1(), "date")),
    (
        "MissingAccessKeyId",
        400,
        "AccessKeyId is mandatory for this action.",
        lambda: without(signed_v1(), "authorization"),
    ),
    (
        "InvalidTimeStamp.Format",
        400,
        "Specified time stamp or date value is not well formatted.",
        lambda: signed_v1(headers={"date": "yesterday"}),
    ),
    (
        "InvalidTimeStamp.Expired",
        400,
        "Specified time stamp or date value is expired.",
        lambda: signed_v1(headers={"date": "Thu, 01 Aug 2019 12:00:00 GMT"}),
    ),
    (
        "InvalidTimeStamp.Expired",
        400,
        "Specified time stamp or date value is expired.",
        lambda: signed_v3(headers={"x-acs-date": "2019-08-01T12:00:00Z"}),
    ),
    ("InvalidAccessKeyId.NotFound", 404, "Specified access key is not found.", lambda: signed_v1(key="nobody")),
    (
        "MissingSecurityToken",
        400,
        "SecurityToken is mandatory for this action.",
        lambda: signed_v1(key="sts", secret="secret"),
    ),
    (
        "InvalidSecurityToken.MismatchWithAccessKey",
        400,
        "Specified SecurityToken mismatch with the AccessKey.",
        lambda: signed_v1(key="sts", secret="secret", headers={"x-acs-security-token": "other"}),
    ),
    (
        "IncompleteSignature",
        400,
        "The request signature does not conform to Aliyun standards.",
        lambda: signed_v1() | {"authorization": "Basic dGVzdDp0ZXN0"},
    ),
    (
        "InvalidSignatureMethod",
        400,
        "Specified signature method is not valid.",
        lambda: signed_v1(headers={"x-acs-signature-method": "HMAC-MD5"}),
    ),
    (
        "ContentMD5NotMatched",
        400,
        "Specified content md5 is not matched with your request body.",
        lambda: signed_v1(headers={"content-md5": "nonsense"}),
    ),
]


@pytest.mark.parametrize(("code", "status", "message", "headers"), STRICT_ROWS)
def test_strict_mode_refuses_as_the_gateway_does(
    strict: Api, code: str, status: int, message: str, headers: Callable[[], dict[str, str]]
) -> None:
    given = {"accept": f"application/{strict.wire_format}"} | headers()
    if "content-md5" in given:  # a signature covers Accept, and this check comes after the signature's
        given = signed_v1(headers={"accept": given["accept"], "content-md5": "nonsense"})
    assert_refused(strict, call(strict, headers=given), code=code, message=message, status=status)


def test_wrong_v1_secret_is_reported_with_the_string_to_sign(strict: Api) -> None:
    accept = f"application/{strict.wire_format}"
    headers = signed_v1(secret="wrong", headers={"accept": accept})
    string_to_sign = (
        f"GET\n{accept}\n\n\n{headers['date']}\nx-acs-signature-method:HMAC-SHA1\nx-acs-version:2018-11-11\n{INSTANCE}"
    )
    text = "Specified signature is not matched with our calculation. server string to sign is:" + string_to_sign
    heard = call(strict, headers=headers)
    assert_refused(strict, heard, code="SignatureDoesNotMatch", message=text)
    assert "secret" in heard.hint


def test_wrong_v3_secret_is_reported_with_the_string_to_sign_and_the_canonical_request(strict: Api) -> None:
    accept = f"application/{strict.wire_format}"
    heard = call(strict, headers=signed_v3(secret="wrong", headers={"accept": accept}))
    message = heard.members["Message"]
    assert (heard.status, heard.code) == (400, "SignatureDoesNotMatch")
    assert message.startswith(
        "Specified signature does not match our calculation. server StringToSign is [ACS3-HMAC-SHA256\n"
    )
    assert f"] server CanonicalRequest is [GET\n{INSTANCE}\n\naccept:{accept}\n" in message


def test_nonce_is_used_once_by_each_key(strict: Api) -> None:
    nonce = {"accept": f"application/{strict.wire_format}", "x-acs-signature-nonce": f"n-{strict.wire_format}"}
    assert call(strict, headers=signed_v1(headers=nonce)).status == 200
    assert call(strict, headers=signed_v1(key="world-other", headers=nonce)).status == 200
    again = call(strict, headers=signed_v1(headers=nonce))
    message = "Specified signature nonce was used already."
    assert_refused(strict, again, code="SignatureNonceUsed", message=message)


ON_DEMAND = [
    ("Throttling", 400, "Request was denied due to request throttling."),
    ("Throttling.User", 400, "Request was denied due to user flow control."),
    ("Throttling.Api", 400, "Request was denied due to api flow control."),
    (
        "Forbidden.RAM",
        403,
        "User not authorized to operate on the specified resource, or this API doesn't support RAM.",
    ),
    ("Forbidden", 403, "User not authorized to operate on the specified resource."),
    ("NoPermission", 403, "You are not authorized to do this action."),
    ("Forbidden.AccessKeyDisabled", 403, "The AccessKey is disabled."),
    ("InvalidAccessKeyId.Inactive", 400, "Specified access key is disabled."),
    ("InvalidSecurityToken.Expired", 400, "Specified SecurityToken is expired."),
    ("InvalidSecurityToken.Malformed", 400, "Specified SecurityToken is malformed."),
    ("InvalidProduct.NotFound", 404, "Cannot find product according to your specified domain."),
    ("InvalidProtocol.NeedSsl", 400, "Your request is denied as lack of ssl protect."),
    ("UnsupportedHTTPMethod", 400, "This http method is not supported."),
    ("ContentLengthDoesNotMatch", 400, "Specified content length is not matched with your request body."),
    ("InternalError", 500, "The request processing has failed due to some unknown error."),
    ("ServiceUnavailable", 503, "The request has failed due to a temporary failure of the server."),
]


@pytest.mark.parametrize(("code", "status", "message"), ON_DEMAND)
def test_fault_rule_answers_with_any_entry_of_the_table(open_to_all: Api, code: str, status: int, message: str) -> None:
    world = code.lower().replace(".", "-") + f"-{open_to_all.wire_format}"
    rule = {"effect": {"error": code}, "times": 1}
    armed = open_to_all.request("POST", f"/_emulator/worlds/{world}/faults", json=rule)
    assert armed.status_code == 201, armed.text
    heard = call(open_to_all, headers={"x-emulator-world": world})
    assert_refused(open_to_all, heard, code=code, message=message, status=status)
    assert ("x-acs-retry-after" in heard.headers) == code.startswith("Throttling")
    assert call(open_to_all, headers={"x-emulator-world": world}).status == 200


def test_every_entry_of_the_catalogue_has_a_code_once_and_a_status_of_an_error() -> None:
    for code, entry in catalogue().items():
        assert entry.code == code
        assert 400 <= entry.status < 600
        assert entry.message
    with pytest.raises(ValueError, match="InvalidVersion is in the catalogue already"):
        problem("InvalidVersion", 400, "Again.")


def test_codes_of_parameters_are_in_the_parameters_own_spelling() -> None:
    assert missing("jobName").code == "MissingjobName"
    assert invalid("ResourceIds", "it is empty.").hint == "ResourceIds: it is empty."


def test_values_are_filled_in_as_they_are() -> None:
    assert fill("{a} and {b}", {"a": "{b}", "c": "x"}) == "{b} and {b}"
    refusal = Problem(code="C{a}", status=400, message="{a}{x}")("why", a="1")
    assert (refusal.code, refusal.message, str(refusal)) == ("C1", "1{x}", "C{a}: why")


def test_user_teaches_another_code_status_and_message(wire_format: str) -> None:
    with open_api(wire_format=wire_format) as api:
        taught = {"InvalidInstance.NotFound": {"code": "InstanceNotExist", "status": 410, "message": "实例不存在"}}
        api.world.set({"error_overrides": taught})
        heard = call(api, INSTANCE.replace("412536", "1"))
        assert_refused(api, heard, code="InstanceNotExist", message="实例不存在", status=410)


def test_override_of_a_parameters_code_goes_before_that_of_all_parameters(wire_format: str) -> None:
    with open_api(wire_format=wire_format) as api:
        taught = {
            "Missing{parameter}": {"message": "Give {parameter}!"},
            "MissingjobType": {"code": "MissingJobType"},
        }
        api.world.set({"error_overrides": taught})
        assert call(api, LIST_INSTANCE).members["Code"] == "MissingJobType"
        heard = call(api, FOLDERS)
        assert (heard.code, heard.members["Message"]) == ("Missingpath", "Give path!")


def test_the_code_of_an_override_names_the_parameter_as_its_message_does() -> None:
    override = {"code": "Illegal{parameter}.{explanation}", "message": "{parameter}?"}
    with open_api() as api:
        api.world.set({"error_overrides": {"Invalid{parameter}": override}})
        refused = api.call("ListProject", pageSize="x")
        assert (refused.code, refused.members["Message"]) == ("IllegalpageSize.{explanation}", "pageSize?")


@pytest.mark.parametrize(
    "override",
    [{}, {"status": 200}, {"status": "400"}, {"code": 1}, {"code": ""}, {"hint": "x"}, "text", {"status": 600}],
)
def test_override_that_makes_no_sense_is_refused(override: Any) -> None:
    with pytest.raises(ValueError, match="the override of Throttling"):
        read_setting("error_overrides", json.loads(json.dumps({"Throttling": override})))


def test_a_placeholder_is_not_replaced_without_end() -> None:
    """A message of ten thousand characters that repeated what a client had signed was an answer of 46 megabytes."""
    filled = fill("{explanation} and " * 700, {"explanation": "#" * 100})
    assert filled.count("#") == 100 * MOST_TIMES
    assert filled.endswith("{explanation} and ")
