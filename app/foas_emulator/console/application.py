"""The console as an application: the routes of its pages, behind its gate."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from foas_emulator.console import actions, downloads, scenarios, uploads
from foas_emulator.console.access import BASE, LONGEST_FIELD, base_url_of, page_of_ours
from foas_emulator.console.events import event_stream
from foas_emulator.console.gate import ConsoleGate
from foas_emulator.console.language import mark
from foas_emulator.console.pages import PAGES, Page
from foas_emulator.console.preferences import chosen_by, remember
from foas_emulator.console.shown import shown_foreign_form, shown_page, shown_plain
from foas_emulator.console.site import Site, View
from foas_emulator.control.errors import AnswerUnexpected
from foas_emulator.control.off_loop import LARGE
from foas_emulator.world.advance import settle
from foas_emulator.world.file_errors import UnreadableRowError, WorldFileError, file_error
from foas_emulator.world.loop_lock import LoopLock
from foas_emulator.world.names import DEFAULT, WorldLimitError, WorldNameError
from foas_emulator.world.store import StoreClosedError
from foas_emulator.world.world import World

Handler = Callable[[Request], Awaitable[Response]]

_turns = LoopLock(2)
"""Pages that are made at once: as many as can be rendered."""
_large_turns = LoopLock(2)
"""Turns of those that may wait until large images are no longer worked on, so that no other page waits with them."""


def console_app(site: Site) -> ASGIApp:
    """Return the pages of a site as an application that is mounted at `BASE`."""
    routes = [
        Route("/", _to_default),
        Route("/sign-in", _sign_in(site), methods=["GET", "POST"]),
        Route("/sign-out", _sign_out(site), methods=["POST"]),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
        Route("/w/{world}/create", _create_world(site), methods=["POST"]),
        Route("/w/{world}/call", _in_world(site, actions.perform_form), methods=["POST"]),
        Route("/w/{world}/scenario", _in_world(site, scenarios.begin), methods=["POST"]),
        Route("/w/{world}/events", _in_world(site, event_stream)),
        Route("/w/{world}/snapshot", _in_world(site, downloads.download_snapshot)),
        Route("/w/{world}/compare", _in_world(site, uploads.compare_files), methods=["POST"]),
        *(Route(f"/w/{{world}}/{page.path}", _in_world(site, _page(page))) for page in PAGES),
    ]
    missing: dict[Any, Any] = dict.fromkeys((HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED), _no_page)
    answering = Middleware(AnswerUnexpected, next_request_id=site.registry.next_request_id)
    pages = Starlette(routes=[Mount(BASE, routes=routes)], exception_handlers=missing, middleware=[answering])
    return ConsoleGate(pages, site)


async def _no_page(request: Request, error: HTTPException) -> Response:
    response = await shown_plain(request, status=error.status_code, title=mark("There is no such page."))
    response.headers.update(error.headers or {})
    return response


async def _to_default(_: Request) -> Response:
    return RedirectResponse(f"{BASE}/w/{DEFAULT}/", HTTPStatus.SEE_OTHER)


def _sign_in(site: Site) -> Handler:
    async def sign_in(request: Request) -> Response:
        failed, back = False, request.query_params.get("back", "")
        if request.method == "POST":
            async with request.form(max_files=0, max_fields=4, max_part_size=LONGEST_FIELD) as form:
                given, back = str(form.get("control_token", "")), str(form.get("back", ""))
            response = RedirectResponse(page_of_ours(back), HTTPStatus.SEE_OTHER)
            if site.access.sign_in(given, request, response):  # no token of forms: everybody may see this page
                return response
            failed = True
        return await shown_plain(
            request,
            status=HTTPStatus.UNAUTHORIZED if failed else HTTPStatus.OK,
            template="sign-in.html",
            failed=failed,
            back=back,
        )

    return sign_in


def _sign_out(site: Site) -> Handler:
    async def sign_out(request: Request) -> Response:
        if not site.access.allows_form(request, await _token_of(request)):
            return await shown_foreign_form(request)
        response = RedirectResponse(f"{BASE}/sign-in", HTTPStatus.SEE_OTHER)
        site.access.sign_out(request, response)
        return response

    return sign_out


async def _token_of(request: Request) -> str:
    """Return the token in a form that has little else."""
    async with request.form(max_files=0, max_fields=4, max_part_size=LONGEST_FIELD) as form:
        return str(form.get("token", ""))


def _in_world(site: Site, handler: Callable[[Site, World, Request], Awaitable[Response]]) -> Handler:
    """Return a handler for an existing world; for one that does not exist, it shows a page that offers to create it."""

    async def handle(request: Request) -> Response:
        name = request.path_params["world"]
        chosen = chosen_by(request)
        if chosen:
            return remember(request, chosen)
        await site.journal.sort()
        try:
            world = site.registry.open_existing(name)
        except (WorldNameError, WorldFileError, WorldLimitError) as error:
            return await _unavailable(request, error)
        if world is None:
            return await shown_plain(
                request, status=404, template="no-world.html", missing=name, form_token=site.access.form_token
            )
        try:
            return await handler(site, world, request)
        except (WorldFileError, UnreadableRowError, sqlite3.DatabaseError, DBAPIError, StoreClosedError) as error:
            return await _unavailable(request, file_error(error, world.store.path) or error)

    return handle


def _create_world(site: Site) -> Handler:
    """Return a handler that creates a world; one that exists meanwhile stays as it is."""

    async def create(request: Request) -> Response:
        name = request.path_params["world"]
        if not site.access.allows_form(request, await _token_of(request)):
            return await shown_foreign_form(request)
        try:
            site.registry.open_or_create(name)
        except (WorldNameError, WorldFileError, WorldLimitError) as error:
            return await _unavailable(request, error)
        return RedirectResponse(f"{BASE}/w/{name}/", HTTPStatus.SEE_OTHER)

    return create


async def _unavailable(request: Request, error: Exception) -> Response:
    """Return the page for a world that cannot be: by its name or its file, as one too many, or since it has ended."""
    if isinstance(error, WorldNameError):
        return await shown_plain(request, status=404, title=mark("No world can have this name."), text=str(error))
    text = error.hint if isinstance(error, WorldFileError) else str(error)
    return await shown_plain(
        request, status=HTTPStatus.SERVICE_UNAVAILABLE, title=mark("This world cannot be opened."), text=text
    )


def _turn(page: Page, world: World) -> AbstractAsyncContextManager[None]:
    """Return the turn that a page of a world waits for.

    Each page holds the texts that it shows until it is rendered, and works on the event loop between others' requests.
    """
    if page.turn == "its own":
        return nullcontext()
    return _large_turns if page.turn == "image" and world.store.size > LARGE else _turns


def _page(page: Page) -> Callable[[Site, World, Request], Awaitable[Response]]:
    async def handle(site: Site, world: World, request: Request) -> Response:
        query = {**request.query_params, **{name: str(value) for name, value in request.path_params.items()}}
        view = View(site=site, world=world, query=query, base_url=base_url_of(request))
        async with _turn(page, world):
            await settle(world)
            context: dict[str, Any] = await page.make(view)
            status = context.pop("status", HTTPStatus.OK)
            return await shown_page(site, world, request, page.template, {"page": page.name, **context}, status=status)

    return handle
