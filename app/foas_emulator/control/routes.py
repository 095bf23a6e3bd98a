"""The routes of the control API."""

from fastapi import APIRouter, Depends

from foas_emulator.control.clock import clock_router
from foas_emulator.control.coverage import coverage_router
from foas_emulator.control.credentials import credentials_router
from foas_emulator.control.errors import Refusal
from foas_emulator.control.events import event_router
from foas_emulator.control.faults import fault_router
from foas_emulator.control.info import info_router
from foas_emulator.control.instances import instance_router
from foas_emulator.control.interception import interception_router
from foas_emulator.control.journal import journal_router
from foas_emulator.control.pact import pact_router
from foas_emulator.control.queries import refuse_unknown_query
from foas_emulator.control.server_info import ServerInfo
from foas_emulator.control.settings import settings_router
from foas_emulator.control.snapshots import snapshot_router
from foas_emulator.control.worlds import world_router
from foas_emulator.gateway.large_answers import LargeAnswers
from foas_emulator.journal.journal import Journal
from foas_emulator.seeds.states import States
from foas_emulator.world.connections import Connections
from foas_emulator.world.registry import Registry


def control_router(
    registry: Registry, journal: Journal, large: LargeAnswers, *, server: ServerInfo, states: States
) -> APIRouter:
    """Return the routes of the control API; `states` are those that Pact verifiers request."""
    router = APIRouter(prefix="/_emulator", responses={"4XX": {"model": Refusal}})
    router.include_router(info_router(server))
    router.include_router(interception_router(server.interception))
    router.include_router(credentials_router())
    scratch = Connections()
    for strict in (
        world_router(registry, scratch),
        snapshot_router(registry, scratch, large),
        pact_router(registry, scratch, states),
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
