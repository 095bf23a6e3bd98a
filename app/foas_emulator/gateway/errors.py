"""The error catalogue.

Codes, statuses and texts are the gateway's where its documents or captured answers show them. The error codes of the
service itself are documented nowhere; the operations add theirs to the same catalogue, marked as inferred.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from foas_emulator.gateway.evidence import DOCUMENTED, INFERRED, SAMPLE, Evidence


class Override(Protocol):
    """A user's changes to one entry of the catalogue; None keeps the entry's own value."""

    @property
    def code(self) -> str | None: ...
    @property
    def status(self) -> int | None: ...
    @property
    def message(self) -> str | None: ...


class ApiError(Exception):
    """An error of the API. `hint` is one sentence that says why it happened and what to do about it."""

    def __init__(self, problem: "Problem", *, hint: str, arguments: Mapping[str, str]) -> None:
        super().__init__(f"{problem.code}: {hint}")
        self.problem = problem
        self.hint = hint
        self.arguments = arguments

    @property
    def code(self) -> str:
        return fill(self.problem.code, self.arguments)

    @property
    def message(self) -> str:
        return fill(self.problem.message, self.arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One entry of the catalogue; code and message may have `{name}` placeholders. Call it to make the exception."""

    code: str
    status: int
    message: str
    evidence: Evidence = INFERRED
    headers: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, hint: str, **arguments: str) -> ApiError:
        return ApiError(self, hint=hint, arguments=arguments)


MOST_TIMES = 10
"""The most times that one placeholder is replaced: what a client signed may have a hundred kilobytes."""


def fill(template: str, arguments: Mapping[str, str]) -> str:
    """Return a template with its `{name}` placeholders replaced; values are inserted as they are."""
    for name, value in arguments.items():
        template = template.replace("{" + name + "}", value, MOST_TIMES)
    return template


_catalogue: dict[str, Problem] = {}


def problem(code: str, status: int, message: str, evidence: Evidence = INFERRED, **headers: str) -> Problem:
    """Add a problem to the catalogue, at import time. Raise ValueError if the code is already there."""
    if code in _catalogue:
        raise ValueError(f"{code} is in the catalogue already")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    _catalogue[code] = Problem(code=code, status=status, message=message, evidence=evidence, headers=named)
    return _catalogue[code]


def catalogue() -> Mapping[str, Problem]:
    """Return every problem that the emulator can answer with, by code."""
    return _catalogue


MISSING = problem("Missing{parameter}", 400, "{parameter} is mandatory for this action.", DOCUMENTED)
INVALID = problem("Invalid{parameter}", 400, "Specified parameter {parameter} is not valid.", SAMPLE)
UNKNOWN_OPERATION = problem(
    "InvalidAction.NotFound", 404, "Specified api is not found, please check your url and method.", SAMPLE
)
INVALID_VERSION = problem("InvalidVersion", 400, "Specified parameter Version is not valid.", SAMPLE)
INVALID_ACCEPT = problem("InvalidParameter.Accept", 400, "Specified parameter accept is not valid.", DOCUMENTED)
INVALID_FORMAT = problem("InvalidParameter.Format", 400, "Specified parameter format is not valid.", DOCUMENTED)
INVALID_WORLD = problem("InvalidParameter.World", 400, "Specified parameter x-emulator-world is not valid.")
MALFORMED = problem(
    "RequestParameterMalformed", 400, "Request parameters has malformed encoded characters.", DOCUMENTED
)
BODY_TOO_LARGE = problem("RequestEntityTooLarge", 413, "The request body exceeds the allowed size.")
UNREADABLE_REQUEST = problem("BadRequest", 400, "The request is not valid HTTP.")
REQUEST_TIMEOUT = problem("RequestTimeout", 408, "The request was not received in time.")
URI_TOO_LONG = problem("RequestURITooLong", 414, "The request URI exceeds the allowed size.")
HEADERS_TOO_LARGE = problem("RequestHeaderTooLarge", 431, "The request headers exceed the allowed size.")
THROTTLED_USER = problem(
    "Throttling.User", 400, "Request was denied due to user flow control.", DOCUMENTED, x_acs_retry_after="1000"
)
FORBIDDEN = problem("Forbidden", 403, "User not authorized to operate on the specified resource.", DOCUMENTED)
INTERNAL_ERROR = problem(
    "InternalError", 500, "The request processing has failed due to some unknown error.", DOCUMENTED
)
UNAVAILABLE = problem(
    "ServiceUnavailable", 503, "The request has failed due to a temporary failure of the server.", SAMPLE
)
# Problems that are looked up by code only: those of signatures, and those that only fault rules name.
problem("IncompleteBody", 400, "The request body ended before it was complete.")
problem("MissingDate", 400, "Date is mandatory for this action.", SAMPLE)
problem("MissingAccessKeyId", 400, "AccessKeyId is mandatory for this action.", SAMPLE)
problem("InvalidTimeStamp.Expired", 400, "Specified time stamp or date value is expired.", SAMPLE)
problem("SignatureNonceUsed", 400, "Specified signature nonce was used already.", SAMPLE)
problem("SignatureDoesNotMatch", 400, "{explanation}", SAMPLE)
problem("InvalidBearerToken", 400, "Specified bearer token is not valid.")
for code, status, message in (
    ("MissingSecurityToken", 400, "SecurityToken is mandatory for this action."),
    ("InvalidTimeStamp.Format", 400, "Specified time stamp or date value is not well formatted."),
    ("InvalidAccessKeyId.NotFound", 404, "Specified access key is not found."),
    ("InvalidAccessKeyId.Inactive", 400, "Specified access key is disabled."),
    ("IncompleteSignature", 400, "The request signature does not conform to Aliyun standards."),
    ("InvalidSignatureMethod", 400, "Specified signature method is not valid."),
    ("ContentMD5NotMatched", 400, "Specified content md5 is not matched with your request body."),
    ("ContentLengthDoesNotMatch", 400, "Specified content length is not matched with your request body."),
    ("InvalidSecurityToken.Expired", 400, "Specified SecurityToken is expired."),
    ("InvalidSecurityToken.Malformed", 400, "Specified SecurityToken is malformed."),
    ("InvalidSecurityToken.MismatchWithAccessKey", 400, "Specified SecurityToken mismatch with the AccessKey."),
    ("NoPermission", 403, "You are not authorized to do this action."),
    ("Forbidden.AccessKeyDisabled", 403, "The AccessKey is disabled."),
    ("InvalidProduct.NotFound", 404, "Cannot find product according to your specified domain."),
    ("InvalidProtocol.NeedSsl", 400, "Your request is denied as lack of ssl protect."),
    ("UnsupportedHTTPMethod", 400, "This http method is not supported."),
):
    problem(code, status, message, DOCUMENTED)
_NO_RAM = "User not authorized to operate on the specified resource, or this API doesn't support RAM."
problem("Forbidden.RAM", 403, _NO_RAM, DOCUMENTED)
problem("Throttling.Api", 400, "Request was denied due to api flow control.", DOCUMENTED, x_acs_retry_after="1000")
problem("Throttling", 400, "Request was denied due to request throttling.", DOCUMENTED, x_acs_retry_after="1000")


def missing(parameter: str) -> ApiError:
    """Return `Missing{parameter}`, in the parameter's own spelling."""
    return MISSING(f"Give the parameter {parameter}.", parameter=parameter)


def invalid(parameter: str, why: str) -> ApiError:
    """Return `Invalid{parameter}`, in the parameter's own spelling."""
    return INVALID(f"{parameter}: {why}", parameter=parameter)
