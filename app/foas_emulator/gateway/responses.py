"""Responses of the gateway: rendered answers, and the error envelope."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from starlette.types import Receive, Send

from foas_emulator.gateway.errors import INTERNAL_ERROR, ApiError, Override, fill
from foas_emulator.gateway.formats import CONTENT_TYPES, ApiModel, Body, Format, render, render_error
from foas_emulator.gateway.large_answers import LARGE

Headers = tuple[tuple[bytes, bytes], ...]

REQUEST_ID = b"x-acs-request-id"
REQUEST_ID_LENGTH = 36

_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
_RECOMMEND = "https://error-center.aliyun.com/status/search?Keyword={code}&source=PopGw"
_NOT_ASCII = re.compile("[^ -~]")
_BRACKETED = re.compile(r"\[([^\]]*)\](?::[0-9]*)?")


@dataclass(frozen=True, kw_only=True, eq=False)
class GatewayResponse:
    """A response whose request id is filled in when it is sent. `code` is the error code, None on success."""

    status_code: int
    content: Body
    content_type: bytes
    extra_headers: Headers = ()
    code: str | None = None
    hint: str | None = None
    """Why a call was refused, as the log and the journal show it: its header has to be in ASCII."""

    def with_header(self, name: str, text: str) -> "GatewayResponse":
        """Return the same response with one more header; its text is escaped as in `header_text`."""
        return replace(self, extra_headers=(*self.extra_headers, (name.encode(), header_text(text))))

    def header(self, name: bytes) -> str | None:
        """Return the text of the extra header with this name, None if there is none."""
        return next((value.decode("latin-1") for each, value in self.extra_headers if each == name), None)

    async def send(self, request_id: bytes, receive: Receive, send: Send) -> None:  # noqa: ARG002 - for those who abort
        """Send the response under this request id."""
        headers = [*self.fixed_headers(len(request_id)), (REQUEST_ID, request_id)]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        content = self.content
        if len(content.tail) > LARGE:  # apart: while a client reads slowly, the whole would be held beside its parts
            await send({"type": "http.response.body", "body": content.head + request_id, "more_body": True})
            await send({"type": "http.response.body", "body": content.tail})
        else:
            await send({"type": "http.response.body", "body": content.with_request_id(request_id)})

    def fixed_headers(self, request_id_length: int = REQUEST_ID_LENGTH) -> Headers:
        """Return all headers except the request id's, which counts for content-length because the body contains it.

        All request ids have the same length; a request that failed before it got one has an id of length 0.
        """
        return _type_and_length(self.content_type, self.content.size + request_id_length) + self.extra_headers


@lru_cache(maxsize=4096)
def _type_and_length(content_type: bytes, length: int) -> Headers:
    return (b"content-type", content_type), (b"content-length", b"%d" % length), _NO_SNIFFING


def success(operation: str, answer: ApiModel, format_: Format) -> GatewayResponse:
    """Return the response of an operation that succeeded."""
    return GatewayResponse(
        status_code=200, content=render(operation, answer, format_), content_type=CONTENT_TYPES[format_]
    )


def failure(error: ApiError, *, format_: Format, host: str, overrides: Mapping[str, Override]) -> GatewayResponse:
    """Return the gateway's error envelope for an error, after applying the user's overrides."""
    code, status, message = _overridden(error, overrides)
    members = {"HostId": host, "Code": code, "Message": message, "Recommend": _RECOMMEND.format(code=code)}
    problem = error.problem
    headers = {**problem.headers, "x-emulator-hint": error.hint, "x-emulator-evidence": problem.evidence.kind}
    return GatewayResponse(
        status_code=status,
        content=render_error(members, format_),
        content_type=CONTENT_TYPES[format_],
        extra_headers=tuple((name.encode(), header_text(text)) for name, text in headers.items()),
        code=code,
        hint=one_line(error.hint),
    )


def internal_error(*, format_: Format, host: str) -> GatewayResponse:
    """Return the response to a crash of the emulator; it reveals no details."""
    error = INTERNAL_ERROR("The emulator failed; its log has the details under this request id. Please report it.")
    return failure(error, format_=format_, host=host, overrides={})


def _overridden(error: ApiError, overrides: Mapping[str, Override]) -> tuple[str, int, str]:
    override = overrides.get(error.code) or overrides.get(error.problem.code)
    if override is None:
        return error.code, error.problem.status, error.message
    message = error.message if override.message is None else fill(override.message, error.arguments)
    in_code = {name: value for name, value in error.arguments.items() if "{" + name + "}" in error.problem.code}
    code = error.code if override.code is None else fill(override.code, in_code)
    return code, override.status or error.problem.status, message


async def until_disconnected(receive: Receive) -> None:
    """Return once the client has left or its connection has ended."""
    while (await receive())["type"] != "http.disconnect":
        pass


_LONGEST_HEADER = 4000


def header_text(text: str) -> bytes:
    """Return a text as the value of a header: one line of printable ASCII, cut if it is long with its escapes."""
    return _cut(_NOT_ASCII.sub(_escaped, _cut(text))).encode()


def one_line(text: str) -> str:
    """Return a text as one line of printable characters of any language, cut if it is long."""
    line = _cut(text)
    return line if line.isprintable() else "".join(each if each.isprintable() else _escape(each) for each in line)


def _cut(text: str) -> str:
    return " ".join((text if len(text) <= _LONGEST_HEADER else f"{text[:_LONGEST_HEADER]}...").split())


def _escaped(found: re.Match[str]) -> str:
    return _escape(found[0])


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def host_name(host: str) -> str:
    """Return the name or address in a Host header: an IPv6 address without its brackets, "" for an empty header.

    Text that is not a host, such as `[::1].example` or `localhost:example`, is returned unchanged.
    """
    host = host.strip()
    if host.startswith("["):
        found = _BRACKETED.fullmatch(host)
        return host if found is None else found[1]
    # More than one colon is an IPv6 address without brackets, which has no port.
    name, _, port = host.partition(":")
    return name if port.isdecimal() or not port else host
