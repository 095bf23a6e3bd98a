"""Build the ASGI application from the settings. The pipeline is the list in `create_app`."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp

from foas_emulator.control.browsers import HostCheck
from foas_emulator.control.errors import AnswerUnexpected
from foas_emulator.control.guard import ControlGate
from foas_emulator.control.on_demand import OnDemand
from foas_emulator.control.server_info import ServerInfo
from foas_emulator.faults.wire import abort
from foas_emulator.gateway.large_answers import LargeAnswers, PiecewiseMiddleware
from foas_emulator.gateway.operation import OperationIndex
from foas_emulator.gateway.responses import GatewayResponse
from foas_emulator.journal.journal import Journal
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.pipeline.authenticate import Authenticate
from foas_emulator.pipeline.cache_reads import CacheReads, ReadCache
from foas_emulator.pipeline.context import RequestContext
from foas_emulator.pipeline.cors import Cors
from foas_emulator.pipeline.dispatcher import CallOperation, Dispatcher, asks_for_start_page
from foas_emulator.pipeline.find_operation import FindOperation
from foas_emulator.pipeline.held_calls import HeldCalls
from foas_emulator.pipeline.impair import Impair
from foas_emulator.pipeline.inject_faults import InjectFaults
from foas_emulator.pipeline.read_body import ReadBody
from foas_emulator.pipeline.record import Record
from foas_emulator.pipeline.response_cache import ResponseCacheMiddleware
from foas_emulator.pipeline.select_world import SelectWorld
from foas_emulator.pipeline.settle_world import SettleWorld
from foas_emulator.seeds.states import States
from foas_emulator.setting_files import access_keys, pact_states
from foas_emulator.settings import Settings, from_environment, show_settings
from foas_emulator.world.registry import Registry
from foas_emulator.worlds import open_registry

if TYPE_CHECKING:
    from foas_emulator.serving.intercepting import Interception

EXPOSED = (
    "x-acs-request-id",
    "x-acs-retry-after",
    "x-emulator-evidence",
    "x-emulator-hint",
    "x-emulator-warning",
)
OWN_PATHS = ("/docs", "/favicon.ico", "/openapi.json", "/static-offline-docs")
"""Prefixes of the emulator's own paths, which bypass the pipeline, as the control API does.

A browser that shows an answer of the service asks for an icon beside it; there is none, and it called no operation.
"""


def create_app(
    settings: Settings,
    *,
    registry: Registry | None = None,
    authority: bytes | None = None,
    addresses: Sequence[str] = (),
    interception: "Interception | None" = None,
) -> ASGIApp:
    """Return the whole emulator as one ASGI application, with these worlds or those that the settings define.

    `authority` is the certificate that clients must trust for https, as PEM; `addresses` are the URLs at which the
    application is served, as far as they are known; `interception` is the proxy beside it, with its own authority.
    Raise `SeedError`, `SettingError` or `ValueError` if the settings cannot be used.
    """
    registry = registry or open_registry(settings)
    large = LargeAnswers()
    call_operation = CallOperation(large)
    select_world = SelectWorld(registry)
    held = HeldCalls()
    journal = Journal(budget=settings.journal_bytes)
    registry.watch(journal.forget)
    record = Record(journal, log_access=settings.access_log, log_refused=settings.log_refused)
    cache = ReadCache(limit=settings.read_cache)
    authenticate = Authenticate(select_world, keys=access_keys(settings), max_skew_ms=settings.signature_max_skew)
    server = ServerInfo(
        settings=show_settings(settings),
        budgets={"read_cache": cache, "journal_bytes": journal, **registry.budgets},
        addresses=addresses,
        authority=authority if interception is None else interception.authority,
        interception=None if interception is None else interception.document(),
    )
    control = _control(settings, registry, journal, large, server)
    host_check = HostCheck(token=settings.control_token, hosts=settings.control_hosts)
    service = Dispatcher(
        control,
        stages=[
            select_world,
            record,
            FindOperation(OperationIndex(OPERATIONS), origins=settings.cors_origins),
            ReadBody(limit=settings.max_body),
            authenticate,
            Impair(registry, held),
            SettleWorld(registry, select_world),
            InjectFaults(registry, call_operation, held=held),
            CacheReads(cache, call_operation, large=large, template=record.template),
            call_operation,
        ],
        log=record.log,
        close=record.close,
        own_paths=OWN_PATHS,
    )
    api = Cors(service, origins=settings.cors_origins, exposed=EXPOSED, with_credentials=settings.cors_credentials)
    console = _console(settings, registry, journal, control=control, service=service, host_check=host_check)
    gate = PiecewiseMiddleware(
        _control_gate(settings, api, control=control, host_check=host_check, console=console), large=large, end=abort
    )
    if settings.access_log or "*" not in settings.cors_origins:
        return gate  # a line in the log, or a Vary in the answer, is made where every request goes
    return ResponseCacheMiddleware(gate, cache=cache, journal=journal, verify=authenticate.verify)


def _control_gate(
    settings: Settings, api: ASGIApp, *, control: ASGIApp, host_check: HostCheck, console: ASGIApp | None
) -> ControlGate:
    return ControlGate(
        api,
        control=control,
        token=settings.control_token,
        origins=settings.control_origins,
        host_check=host_check,
        max_body=settings.max_body,
        max_document=settings.max_document,
        console=console,
        pages=OWN_PATHS,
        is_start_page=asks_for_start_page,
    )


def refuse_workers(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Raise ValueError if several workers are requested: each would have worlds of its own."""
    asked = environment.get("WEB_CONCURRENCY") or "1"
    for position, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name in ("--workers", "-w"):
            asked = value or "".join(arguments[position + 1 : position + 2])
    if asked != "1":
        raise ValueError(
            f"{asked} workers were asked for, but every process has worlds of its own: a client would "
            "reach a different one each time. Run one worker (unset WEB_CONCURRENCY)."
        )


def describe_api() -> dict[str, Any]:
    """Return the OpenAPI document of the service."""
    from foas_emulator.openapi.service import describe_service  # noqa: PLC0415 - most servers are never asked for it

    return describe_service(OPERATIONS)


def describe_control_api() -> dict[str, Any]:
    """Return the OpenAPI document of the control API, without serving anything."""
    from foas_emulator.control.application import own_app  # noqa: PLC0415 - as in `_control`

    registry = open_registry(Settings(seed=("empty",)))
    server = ServerInfo(settings={}, budgets={})
    try:
        return own_app(registry, Journal(budget=0), LargeAnswers(), server=server, states=States()).openapi()
    finally:
        registry.close()


def _control(
    settings: Settings, registry: Registry, journal: Journal, large: LargeAnswers, server: ServerInfo
) -> ASGIApp:
    """Return the control API and the documentation, which are built at the first request for one of them."""
    states = pact_states(settings.pact_states)

    def make() -> ASGIApp:
        # Its models and routes take a tenth of the start, and most servers never use it.
        from foas_emulator.control.application import own_app  # noqa: PLC0415

        home = "/_emulator/console/" if settings.console else "/docs"
        return own_app(registry, journal, large, server=server, states=states, home=home)

    return AnswerUnexpected(OnDemand(make, close=registry.close), next_request_id=registry.next_request_id)


def _ignore(_context: RequestContext, _response: GatewayResponse) -> None:
    """Ignore a request."""


def _quiet(settings: Settings, registry: Registry, control: ASGIApp) -> ASGIApp:
    """Return the service without journal, faults and cache, for the console, whose calls are not the user's."""
    select_world = SelectWorld(registry)

    def take_foreign_id(context: RequestContext) -> None:
        context.request_id = registry.next_request_id()  # the ids of the world are for the user's calls

    return Dispatcher(
        control,
        stages=[
            take_foreign_id,
            select_world,
            FindOperation(OperationIndex(OPERATIONS)),
            ReadBody(limit=settings.max_body),
            SettleWorld(registry, select_world),
            CallOperation(),
        ],
        log=_ignore,
        close=_ignore,
        own_paths=OWN_PATHS,
    )


def _console(
    settings: Settings,
    registry: Registry,
    journal: Journal,
    *,
    control: ASGIApp,
    service: ASGIApp,
    host_check: HostCheck,
) -> ASGIApp | None:
    """Return the console, which is built when its first page is requested; None if the settings exclude it."""
    if not settings.console:
        return None
    quiet = _quiet(settings, registry, control)

    def make() -> ASGIApp:
        # Templates and pages are imported when the first page is opened.
        from foas_emulator.console.access import Access  # noqa: PLC0415
        from foas_emulator.console.application import console_app  # noqa: PLC0415
        from foas_emulator.console.site import Site  # noqa: PLC0415

        return console_app(
            Site(
                registry=registry,
                journal=journal,
                control=control,
                service=service,
                quiet=quiet,
                settings=show_settings(settings),
                access=Access.fresh(settings.control_token),
                host_check=host_check,
                max_document=settings.max_document,
            )
        )

    return AnswerUnexpected(OnDemand(make, close=lambda: None), next_request_id=registry.next_request_id)


def __getattr__(name: str) -> Any:
    """Return `app`, built from the environment on first access: `uvicorn app.main:app`."""
    if name == "app":
        refuse_workers(sys.argv, os.environ)
        return create_app(from_environment(os.environ))
    raise AttributeError(name)
