"""A page as a response: its contents in the frame, in the reader's language."""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from foas_emulator import __version__
from foas_emulator.console import messages
from foas_emulator.console.access import BASE, base_url_of, is_from_ours
from foas_emulator.console.calls import json_call
from foas_emulator.console.frame import frame
from foas_emulator.console.language import mark, translator
from foas_emulator.console.preferences import preferred
from foas_emulator.console.rendering import render
from foas_emulator.console.site import Site, advance_target
from foas_emulator.world.advance import settle
from foas_emulator.world.world import World


def _common(request: Request) -> dict[str, Any]:
    preferences = preferred(request)
    path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    query = request.scope["query_string"].decode("latin-1")
    return {
        "_": translator(preferences.language),
        "language": preferences.language,
        "theme": preferences.theme,
        "base": BASE,
        "here": path + (f"?{query}" if query else ""),
        "here_query": dict(request.query_params),
        "version": __version__,
        "base_url": base_url_of(request),
        "message": messages.read(request),
    }


async def shown_page(
    site: Site, world: World, request: Request, template: str, context: Mapping[str, Any], *, status: int = 200
) -> Response:
    """Return a page of a world."""
    await settle(world)
    common = {
        **_common(request),
        **frame(site, world),
        "home": f"{BASE}/w/{world.name}",
        "api": f"/_emulator/worlds/{world.name}",
        "advance": partial(json_call, "POST", advance_target(world.name)),
        "control": json_call,
        "form_token": site.access.form_token,
        "has_sign_in": site.access.control_token is not None,
        "page": "",
    }
    response = HTMLResponse(await render(template, {**common, **context}), status)
    messages.forget(request, response)
    return response


async def shown_foreign_form(request: Request) -> Response:
    """Return the response to a form that does not come from a page of this server."""
    title = mark("This form is not one of this server's pages.")
    text = mark("Nothing was done. The server may have been restarted since the page was loaded; load it again.")
    if not is_from_ours(request):
        text = mark(
            "Nothing was done. The address of its page is not the Host of the request. A proxy must pass on the Host "
            "that the browser sends, with its port; in nginx: proxy_set_header Host $http_host."
        )
    return await shown_plain(request, status=HTTPStatus.FORBIDDEN, title=title, text=text, way=page_behind(request))


def page_behind(request: Request) -> str:
    """Return the address of the console's page from which a request comes, "" if it comes from elsewhere."""
    address, base_url = request.headers.get("referer", ""), base_url_of(request)
    path = address.removeprefix(base_url)
    return path if address.startswith(f"{base_url}{BASE}/") and path.isascii() else ""


async def shown_plain(
    request: Request,
    *,
    status: int = HTTPStatus.OK,
    template: str = "plain.html",
    title: str = "",
    text: str = "",
    has_way: bool = True,
    way: str = "",
    **context: Any,
) -> Response:
    """Return a page without a world: an error, with a way to the console, or the form for the control token."""
    shown = {**_common(request), "title": title, "text": text, "has_way": has_way, "way": way, **context}
    return HTMLResponse(await render(template, shown), status)
