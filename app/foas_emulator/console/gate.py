"""The security of the console's pages: who may reach them, what they accept, and the headers of all answers."""

import asyncio
import re
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote, urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foas_emulator.console.access import BASE, is_from_ours
from foas_emulator.console.language import mark
from foas_emulator.console.shown import page_behind, shown_foreign_form, shown_plain
from foas_emulator.console.site import Site
from foas_emulator.control.bodies import with_body
from foas_emulator.control.browsers import is_embedded
from foas_emulator.control.errors import ControlError
from foas_emulator.control.guard import is_local, passed_on_from
from foas_emulator.gateway.bodies import Room, Taken

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

_LARGEST_SIGN_IN = 64 * 1024
"""The most bytes of a form whose sender has not shown the token yet."""

_LONGEST_BACK = 2000
"""The most characters of a page's address to which a sign-in leads back."""

_LONGEST_TYPE = 512
"""The most characters of a form's type; to read its parameters takes the square of their number."""

_READING = ("GET", "HEAD", "OPTIONS")
_CHARSET = re.compile(r"(?i)charset")
_UTF_8 = re.compile(r"(?i)charset=(?:utf-8|\"utf-8\")[ \t]*(?=;|$)")


class ConsoleGate:
    """Middleware that refuses unauthorized requests for pages, and adds security headers to every answer."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site
        self._room = Room(2 * site.max_document)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        send = _guarded(scope, send)
        refused = await self._refused(Request(scope))
        if refused is None:
            with Taken(self._room) as taken:
                await self._serve(scope, receive, send, taken)
        else:
            await refused(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, taken: Taken) -> None:
        try:
            limit = _LARGEST_SIGN_IN if self._is_open(Request(scope)) else self._site.max_document
            receive = await with_body(scope, receive, limit=limit, taken=taken)
        except ControlError as error:
            title, text = mark("The form is too large."), mark("The setting max_document says how large it may be.")
            response = await shown_plain(Request(scope), status=error.status, title=title, text=text)
            await response(scope, receive, send)
        except ClientDisconnect:
            return
        else:
            await self._app(scope, _giving_way(receive), send)

    async def _refused(self, request: Request) -> Response | None:
        """Return the answer to a request that may not reach a page, None if it may."""
        refusal = self._refusal(request)
        if refusal is not None:
            status, title, text = refusal
            return await shown_plain(request, status=status, title=title, text=text, has_way=False)
        if not self._is_open(request) and not self._site.access.is_signed_in(request):
            return RedirectResponse(_to_sign_in(request), HTTPStatus.SEE_OTHER)
        if request.method not in _READING and not is_from_ours(request):  # before its form costs anything
            return await shown_foreign_form(request)
        content_type = request.headers.get("content-type", "")
        is_long = len(content_type) > _LONGEST_TYPE
        if is_long or not _is_in_utf_8(content_type):
            title = mark("This form is not one of this server's pages.")
            text = "" if is_long else mark("A form must be in UTF-8.")
            return await shown_plain(request, status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE, title=title, text=text)
        return None

    def _refusal(self, request: Request) -> tuple[int, str, str] | None:
        if request.method in _READING and is_embedded(request.scope):
            return HTTPStatus.FORBIDDEN, mark("Other sites may not load this page."), ""
        if self._site.access.control_token is None and not is_local(request.scope):
            text = mark("Start the emulator with the setting control_token to use it from elsewhere.")
            if passed_on_from(request.scope) is not None:
                text = mark(
                    "A proxy names another machine in X-Forwarded-For. Start the emulator with the setting "
                    "control_token to use it from there."
                )
            return HTTPStatus.FORBIDDEN, mark("The console can only be used from this machine."), text
        if self._site.host_check.refusal(request.scope) is not None:
            return (
                HTTPStatus.FORBIDDEN,
                mark("The console is not served under this name."),
                mark("Open it by the emulator's address or as localhost, or name it in the setting control_hosts."),
            )
        return None

    def _is_open(self, request: Request) -> bool:
        """Whether a page needs no sign-in, by the path that is routed.

        Older releases of Starlette make `request.url` of the Host as it was sent, whose path would then be the page's.
        """
        path: str = request.scope["path"]
        return path == f"{BASE}/sign-in" or path.startswith(f"{BASE}/static/")


def _guarded(scope: Scope, send: Send) -> Send:
    """Return a `send` that adds the headers of security and of caching to an answer."""

    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(SECURITY_HEADERS)
            # A page that "back" shows is loaded again, but for one that answers a form, which cannot be.
            is_page = scope["method"] == "GET" and headers.get("content-type", "").startswith("text/html")
            headers.setdefault("cache-control", "no-store" if is_page else "no-cache")
        await send(message)

    return send_guarded


def _is_in_utf_8(content_type: str) -> bool:
    """Whether a form names no charset but UTF-8: codecs of Python take any time, and make texts that are none."""
    return len(_CHARSET.findall(content_type)) == len(_UTF_8.findall(content_type))


def _giving_way(receive: Receive) -> Receive:
    """Return a `receive` that serves other requests between the pieces of a large form, such as a whole world."""

    async def receive_piece() -> Message:
        await asyncio.sleep(0)
        return await receive()

    return receive_piece


def _to_sign_in(request: Request) -> str:
    """Return the address of the sign-in, which leads back: to the page that was asked for, or that has the form."""
    if request.method == "GET":
        query = request.scope["query_string"].decode("latin-1")
        page = quote(request.scope["raw_path"], safe="/%") + (f"?{query}" if query else "")
    else:
        page = page_behind(request)
    is_led_back = 0 < len(page) <= _LONGEST_BACK
    return f"{BASE}/sign-in" + (f"?{urlencode({'back': page})}" if is_led_back else "")
