"""Security headers of everything that the emulator serves to browsers, and the hosts under which it serves them."""

import re
from collections.abc import Collection
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Scope, Send

from foas_emulator.control.errors import ControlError
from foas_emulator.gateway.responses import host_name

_LOOPBACK_HOST = re.compile(r"localhost|::1|(::ffff:)?127\.[0-9]+\.[0-9]+\.[0-9]+")
_DOCS = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
_NOT_FRAMED = "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def is_loopback(host: str) -> bool:
    """Whether a host name or an address is a loopback one."""
    return _LOOPBACK_HOST.fullmatch(host) is not None


def is_embedded(scope: Scope) -> bool:
    """Whether a page of another site loads this as a part of itself, such as an image, or sends it a form.

    A link that is followed is not such a request, because the browser leaves that page; a prefetched link is. For a
    prefetch, Chromium may name no site, whichever page asked for it.
    """
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site")
    if site != "cross-site":
        return "sec-purpose" in headers and site != "same-origin"
    is_followed = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return scope["method"] != "GET" or not is_followed or "sec-purpose" in headers


class HostCheck:
    """A check that refuses requests whose Host may be another site's name, rebound to this machine's address.

    With a token the name does not matter, since a page of another site does not know the token. A request without a
    Host does not come from a browser.
    """

    def __init__(self, *, token: str | None, hosts: Collection[str]) -> None:
        self._is_needed = token is None
        self._hosts = frozenset(host_name(host).lower() for host in hosts)

    def refusal(self, scope: Scope) -> ControlError | None:
        """Return the error for a request, None if its Host is loopback, the address it came to, or a known one."""
        host = Headers(scope=scope).get("host")
        if not self._is_needed or host is None:
            return None
        name, server = host_name(host).lower(), scope.get("server")
        if is_loopback(name) or name in self._hosts or (server is not None and name == server[0]):
            return None
        return ControlError(
            HTTPStatus.FORBIDDEN,
            f"The control API and the pages are not served under the host {host}.",
            "Ask localhost, or name the host in the setting control_hosts.",
        )


def drop_escapes(scope: Scope) -> None:
    """Take the backslashes out of a request's cookies.

    None of ours has any, and `http.cookies` of Python before 3.11.10 and 3.12.6 takes seconds to read many of them.
    """
    if any(name == b"cookie" and b"\\" in value for name, value in scope["headers"]):
        scope["headers"] = [
            (name, value.replace(b"\\", b"") if name == b"cookie" else value) for name, value in scope["headers"]
        ]


def confined(scope: Scope, send: Send) -> Send:
    """Return a `send` that asks browsers to guess no types, to frame no answer and to load nothing foreign.

    An answer that has its own policy keeps it.
    """
    policy = (_DOCS if scope["path"].startswith("/docs") else "default-src 'none'") + _NOT_FRAMED

    async def send_confined(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("content-security-policy", policy)
            headers["x-content-type-options"] = "nosniff"
        await send(message)

    return send_confined
