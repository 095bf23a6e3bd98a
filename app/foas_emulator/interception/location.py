"""The emulator under the service's host names, and the location service, at which SDKs look up those names."""

import re
from urllib.parse import parse_qsl

from pydantic import Field
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from foas_emulator.gateway.errors import UNKNOWN_OPERATION, ApiError, Problem
from foas_emulator.gateway.evidence import from_sdk
from foas_emulator.gateway.formats import CONTENT_TYPES, ApiModel, ApiResponse, Body, Format, negotiate, render
from foas_emulator.gateway.responses import REQUEST_ID, failure, host_name
from foas_emulator.interception.hosts import is_foas, is_location, normalized
from foas_emulator.interception.refusals import made_request_id

_REGION = re.compile(r"[a-z0-9-]{1,40}")
_MOST_FORM = 8192
_MISDIRECTED = 421
_NO_SNIFFING = {"x-content-type-options": "nosniff"}

# These are not in the catalogue: the service itself never answers with them.
_EVIDENCE = from_sdk("location_service_endpoint_resolver.py of aliyun-python-sdk-core 2.16")
UNKNOWN_REGION = Problem(
    code="InvalidRegionId", status=404, message="The specified region does not exist.", evidence=_EVIDENCE
)
UNKNOWN_SERVICE = Problem(
    code="Illegal Parameter", status=400, message="Please check the parameters", evidence=_EVIDENCE
)


class _Protocols(ApiModel):
    protocols: list[str]


class _Endpoint(ApiModel):
    """One endpoint of a region. Clients read `SerivceCode`, which is the service's spelling."""

    protocols: _Protocols
    type: str
    id: str
    serivce_code: str
    endpoint: str


class _Endpoints(ApiModel):
    endpoint: list[_Endpoint]


class _DescribeEndpoints(ApiResponse):
    endpoints: _Endpoints
    success: bool = Field(default=True)


class UnderServiceNames:
    """An ASGI application for intercepted requests: `app` under foas's names, the location service under its names.

    A request for any other host is refused: it came over a connection that was meant for the service.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host = normalized(host_name(Headers(scope=scope).get("host", "")))
        if is_foas(host):
            await self._app(scope, receive, send)
        elif is_location(host):
            await (await _locate(Request(scope, receive), host))(scope, receive, send)
        else:
            refusal = f"This connection leads to foas-emulator, which does not answer for {host[:100]}.\n"
            await PlainTextResponse(refusal, _MISDIRECTED, headers=_NO_SNIFFING)(scope, receive, send)


async def _locate(request: Request, host: str) -> Response:
    given = {name.lower(): value for name, value in request.query_params.items()}
    given |= {name.lower(): value for name, value in await _form(request)}
    format_: Format = "json"
    try:
        format_ = negotiate(given.get("format"), request.headers.get("accept"), "json")
        answer = describe_endpoints(given)
    except ApiError as error:
        reply = failure(error, format_=format_, host=host, overrides={})
        return _response(reply.content, format_, status=reply.status_code, hint=error.hint)
    return _response(render("DescribeEndpoints", answer, format_), format_)


async def _form(request: Request) -> list[tuple[str, str]]:
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_FORM:
                return []
    except ClientDisconnect:
        return []
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def describe_endpoints(given: dict[str, str]) -> ApiResponse:
    """Return the endpoint of foas in the requested region, which is one more name of this emulator.

    Raise `ApiError` for an unknown operation, service or region, with the codes that the SDKs know.
    """
    if given.get("action", "DescribeEndpoints") != "DescribeEndpoints":
        raise UNKNOWN_OPERATION(
            "DescribeEndpoints is the only operation of the location service that the emulator has."
        )
    if given.get("servicecode", "").lower() != "foas":
        raise UNKNOWN_SERVICE("The emulator is the service foas, and knows the endpoints of no other.")
    region = given.get("id", "")
    if _REGION.fullmatch(region) is None:
        raise UNKNOWN_REGION("Id must be a region such as cn-hangzhou; any name of that form is served.")
    endpoint = _Endpoint.model_construct(
        protocols=_Protocols.model_construct(protocols=["HTTP", "HTTPS"]),
        type=given.get("type", "openAPI"),
        id=region,
        serivce_code="foas",
        endpoint=f"foas.{region}.aliyuncs.com",
    )
    return _DescribeEndpoints.model_construct(endpoints=_Endpoints.model_construct(endpoint=[endpoint]), success=True)


def _response(content: Body, format_: Format, *, status: int = 200, hint: str | None = None) -> Response:
    request_id = made_request_id(content)
    headers = {
        **_NO_SNIFFING,
        REQUEST_ID.decode(): request_id.decode(),
        **({} if hint is None else {"x-emulator-hint": hint}),
    }
    return Response(
        content.with_request_id(request_id), status, headers=headers, media_type=CONTENT_TYPES[format_].decode()
    )
