"""The emulator's own FastAPI application: documentation and control API."""

from functools import cache

from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.responses import RedirectResponse

from foas_emulator.control.answers import Refusal
from foas_emulator.control.clock import clock_router
from foas_emulator.control.coverage import coverage_router
from foas_emulator.control.credentials import credentials_router
from foas_emulator.control.errors import ControlError, answer_errors
from foas_emulator.control.events import event_router
from foas_emulator.control.faults import fault_router
from foas_emulator.control.info import info_router
from foas_emulator.control.instances import instance_router
from foas_emulator.control.interception import interception_router
from foas_emulator.control.journal import journal_router
from foas_emulator.control.pact import pact_router
from foas_emulator.control.pages import add_pages
from foas_emulator.control.queries import refuse_unknown_query
from foas_emulator.control.server_info import ServerInfo
from foas_emulator.control.settings import settings_router
from foas_emulator.control.snapshots import snapshot_router
from foas_emulator.control.worlds import world_router
from foas_emulator.gateway.large_answers import LargeAnswers
from foas_emulator.journal.journal import Journal
from foas_emulator.openapi.control import describe_control, operation_id
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.seeds.states import States
from foas_emulator.world.registry import Registry


def own_app(
    registry: Registry,
    journal: Journal,
    large: LargeAnswers,
    *,
    server: ServerInfo,
    states: States,
    home: str = "/docs",
) -> FastAPI:
    """Return the application with the documentation, and the control API of these worlds and their journals.

    `states` are those that Pact verifiers request; `home` is the path to which `/` redirects.
    """
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_id,
        redirect_slashes=False,  # many clients take a redirect, which does nothing, for a success
    )
    app.include_router(_control_router(registry, journal, large, server, states))
    answer_errors(app, next_request_id=registry.next_request_id)

    async def certificate() -> Response:
        if server.authority is None:
            raise ControlError(404, "This server has made no certificate.", "Start it with --tls or --intercept PORT.")
        return Response(server.authority, media_type="application/x-pem-file")

    app.add_api_route("/_emulator/ca.pem", certificate, include_in_schema=False)
    app.add_api_route("/", lambda: RedirectResponse(home), include_in_schema=False)
    app.openapi = cache(lambda: describe_control(app.routes))  # type: ignore[method-assign]
    add_pages(app, OPERATIONS)
    _match_once(app)
    return app


def _control_router(
    registry: Registry, journal: Journal, large: LargeAnswers, server: ServerInfo, states: States
) -> APIRouter:
    router = APIRouter(prefix="/_emulator", responses={"4XX": {"model": Refusal}, "5XX": {"model": Refusal}})
    router.include_router(info_router(server))
    router.include_router(interception_router(server.interception))
    router.include_router(credentials_router())
    for strict in (
        world_router(registry),
        snapshot_router(registry, large),
        pact_router(registry, states),
        settings_router(registry),
        clock_router(registry, large),
        instance_router(registry),
        fault_router(registry),
        journal_router(registry, journal, large),
        event_router(registry, journal),
        coverage_router(journal),
    ):
        router.include_router(strict, dependencies=[Depends(refuse_unknown_query)])
    return router


def _match_once(app: FastAPI) -> None:
    """Let FastAPI build the included routes, which it does when a request is first matched against them."""
    for route in app.routes:
        route.matches({"type": "http", "method": "GET", "path": "/_emulator/", "headers": []})
