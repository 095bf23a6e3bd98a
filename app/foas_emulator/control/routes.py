"""The routes of the control API."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from foas_emulator.control.clock import clock_router
from foas_emulator.control.coverage import coverage_router
from foas_emulator.control.errors import Refusal
from foas_emulator.control.events import event_router
from foas_emulator.control.faults import fault_router
from foas_emulator.control.info import info_router
from foas_emulator.control.instances import instance_router
from foas_emulator.control.journal import journal_router
from foas_emulator.control.settings import settings_router
from foas_emulator.control.snapshots import snapshot_router
from foas_emulator.control.worlds import world_router
from foas_emulator.journal.journal import Journal
from foas_emulator.world.registry import Registry


def control_router(registry: Registry, journal: Journal, *, settings: Mapping[str, Any]) -> APIRouter:
    """The control API over a registry of worlds and what is remembered of their calls; `settings` are shown."""
    router = APIRouter(prefix="/_emulator", tags=["emulator"], responses={"4XX": {"model": Refusal}})
    router.include_router(info_router(settings))
    router.include_router(world_router(registry))
    router.include_router(snapshot_router(registry))
    router.include_router(settings_router(registry))
    router.include_router(clock_router(registry))
    router.include_router(instance_router(registry))
    router.include_router(fault_router(registry))
    router.include_router(journal_router(registry, journal))
    router.include_router(event_router(registry, journal))
    router.include_router(coverage_router(journal))
    return router
