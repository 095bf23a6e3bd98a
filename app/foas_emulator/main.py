"""Wiring: settings in, ASGI application out. The pipeline is the one list in `create_app`."""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from fastapi import FastAPI
from starlette.types import ASGIApp

from foas_emulator.control.guard import ControlGate
from foas_emulator.control.on_demand import OnDemand
from foas_emulator.gateway.access_keys import AccessKeys
from foas_emulator.gateway.operation import OperationIndex
from foas_emulator.journal.journal import Journal
from foas_emulator.operations.catalogue import HANDLERS, OPERATIONS
from foas_emulator.pipeline.authenticate import Authenticate
from foas_emulator.pipeline.cache_reads import CacheReads, ReadCache
from foas_emulator.pipeline.context import RequestContext
from foas_emulator.pipeline.cors import Cors
from foas_emulator.pipeline.dispatcher import CallOperation, Dispatcher
from foas_emulator.pipeline.find_operation import FindOperation
from foas_emulator.pipeline.inject_faults import InjectFaults
from foas_emulator.pipeline.read_body import ReadBody
from foas_emulator.pipeline.record import Record
from foas_emulator.pipeline.response_cache import ResponseCacheMiddleware
from foas_emulator.pipeline.select_world import SelectWorld
from foas_emulator.seeds.image import image_of
from foas_emulator.seeds.reading import read_seed
from foas_emulator.settings import Settings, from_environment, show_settings
from foas_emulator.world.registry import DEFAULT, Registry
from foas_emulator.world.settings import WorldSettings, read_overrides
from foas_emulator.world.store import Connections

EXPOSED_HEADERS = (
    "x-acs-request-id",
    "x-acs-retry-after",
    "x-emulator-evidence",
    "x-emulator-hint",
    "x-emulator-warning",
)
OWN_PATHS = ("/docs", "/openapi.json", "/static-offline-docs")
"""What begins with these is the emulator's own and never passes through the pipeline, as the control API does not."""


def create_app(settings: Settings, *, registry: Registry | None = None, authority: bytes | None = None) -> ASGIApp:
    """The whole emulator as one ASGI application, over these worlds or over those that the settings ask for.

    `authority` is the certificate that clients of its https have to trust, as PEM.

    Raises `SeedError`, `DirectoryInUseError`, `NewerStoreError` or `ValueError` if the settings cannot be met.
    """
    registry = registry or open_registry(settings)
    call_operation = CallOperation()
    select_world = SelectWorld(registry)
    journal = Journal(budget=settings.journal_bytes)
    registry.watch(journal.forget)
    record = Record(journal, log_access=settings.access_log)
    cache = ReadCache(limit=settings.read_cache)
    authenticate = Authenticate(select_world, keys=_access_keys(settings), max_skew_ms=settings.signature_max_skew)
    make_own_app = partial(_own_app, settings, registry, journal, authority)
    own = OnDemand(make_own_app, close=registry.close)
    front = Dispatcher(
        own,
        stages=[
            select_world,
            record,
            FindOperation(OperationIndex(OPERATIONS)),
            ReadBody(limit=settings.max_body),
            authenticate,
            InjectFaults(registry, call_operation),
            CacheReads(cache, call_operation, template=record.template),
            call_operation,
        ],
        close=record.close,
        own_paths=OWN_PATHS,
    )
    quiet = Dispatcher(
        own,
        stages=[
            partial(_take_foreign_id, registry),
            select_world,
            FindOperation(OperationIndex(OPERATIONS)),
            ReadBody(limit=settings.max_body),
            call_operation,
        ],
        close=lambda _context, _reply: None,
        own_paths=OWN_PATHS,
    )
    make_console = partial(_console_app, settings, registry, journal, control=own, service=front, quiet=quiet)
    api = Cors(front, origins=settings.cors_origins, exposed=EXPOSED_HEADERS)
    gate = ControlGate(
        api,
        control=own,
        token=settings.control_token,
        origins=settings.control_origins,
        console=OnDemand(make_console, close=lambda: None) if settings.console else None,
    )
    if settings.access_log or "*" not in settings.cors_origins:
        return gate  # a line in the log, or a Vary in the answer, is made where every request goes
    return ResponseCacheMiddleware(gate, cache=cache, journal=journal, verify=authenticate.verify)


def open_registry(settings: Settings) -> Registry:
    """The worlds of a server, with the default one open, so that a seed or a file that does not do is told at once."""
    connections = Connections()
    defaults = _world_defaults(settings)
    documents = [read_seed(source) for source in settings.seed]
    registry = Registry(
        image=image_of(documents, connections=connections, handlers=HANDLERS, defaults=defaults),
        handlers=HANDLERS,
        connections=connections,
        defaults=defaults,
        directory=settings.data_dir,
        max_worlds=settings.max_worlds,
        idle=settings.world_idle,
    )
    registry.open(DEFAULT)
    return registry


def refuse_workers(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Raise ValueError if a server was asked for several workers: each would have worlds of its own."""
    asked = environment.get("WEB_CONCURRENCY", "1")
    for position, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name in ("--workers", "-w"):
            asked = value or "".join(arguments[position + 1 : position + 2])
    if asked != "1":
        raise ValueError(
            f"{asked} workers were asked for, but every process has worlds of its own: a client would meet now one, "
            "now another. Run one worker (unset WEB_CONCURRENCY)."
        )


def describe_api() -> dict[str, Any]:
    """The OpenAPI document, without serving anything."""
    registry = open_registry(Settings(seed=("empty",)))
    try:
        return _own_app(Settings(), registry, Journal(budget=0)).openapi()
    finally:
        registry.close()


def _world_defaults(settings: Settings) -> WorldSettings:
    overrides = {}
    if settings.error_overrides is not None:
        try:
            overrides = yaml.safe_load(settings.error_overrides.read_text("utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise ValueError(f"error_overrides: {settings.error_overrides} cannot be read: {error}") from None
    names = WorldSettings.__dataclass_fields__.keys() & Settings.__dataclass_fields__.keys()
    given: dict[str, Any] = {name: getattr(settings, name) for name in names - {"error_overrides"}}
    return WorldSettings(**given, error_overrides=read_overrides(overrides))


def _access_keys(settings: Settings) -> AccessKeys:
    entries: list[str] = []
    for given in settings.access_keys:
        try:
            entries += [given] if ":" in given else Path(given).read_text("utf-8").split()
        except (OSError, ValueError):
            raise ValueError("access_keys: an entry is neither ID:SECRET[:TOKEN] nor a file that can be read") from None
    try:
        return AccessKeys.parse(entries)
    except ValueError as error:
        raise ValueError(f"access_keys: {error}") from None


def _own_app(
    settings: Settings,
    registry: Registry,
    journal: Journal,
    authority: bytes | None = None,
) -> FastAPI:
    # With its models and routes it takes a tenth of a start, and most servers are never asked for it.
    from foas_emulator.control.application import own_app  # noqa: PLC0415

    return own_app(
        registry,
        journal,
        settings=show_settings(settings),
        operations=OPERATIONS,
        authority=authority,
        home="/_emulator/console/" if settings.console else "/docs",
    )


def _take_foreign_id(registry: Registry, context: RequestContext) -> None:
    """Give a request that only shows something an id that is none of its world's: those count the user's calls."""
    context.request_id = registry.next_request_id()


def _console_app(
    settings: Settings, registry: Registry, journal: Journal, *, control: ASGIApp, service: ASGIApp, quiet: ASGIApp
) -> ASGIApp:
    # Templates and pages are imported when somebody opens the first page.
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
        )
    )


def __getattr__(name: str) -> Any:
    """`app`, made from the environment when it is first asked for: `uvicorn app.main:app`."""
    if name == "app":
        refuse_workers(sys.argv, os.environ)
        return create_app(from_environment(os.environ))
    raise AttributeError(name)
