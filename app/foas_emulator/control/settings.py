"""The settings of a world; flags and variables only give their defaults."""

from typing import Any

from fastapi import APIRouter

from foas_emulator.control.answers import WorldSettingsShown, answers
from foas_emulator.control.documents import DocumentRoute
from foas_emulator.control.errors import ControlError, require_world
from foas_emulator.world.registry import Registry
from foas_emulator.world.settings import NAMES, write_setting
from foas_emulator.world.world import World


def settings_router(registry: Registry) -> APIRouter:
    """The settings of each world under `/worlds/{name}/settings`."""
    router = APIRouter(prefix="/worlds/{name}/settings", route_class=DocumentRoute)

    @router.get("", **answers(WorldSettingsShown))
    async def get_settings(name: str) -> dict[str, Any]:
        """Every setting in force in a world. Delays are durations; a batch_duration of null has no end."""
        return _show(require_world(registry, name))

    @router.put("", **answers(WorldSettingsShown))
    async def put_settings(name: str, settings: dict[str, Any]) -> dict[str, Any]:
        """Change the settings that are named, all or none; the others stay. Delays are durations, or seconds."""
        world = registry.open_or_create(name)
        try:
            world.set(settings)
        except ValueError as error:
            raise ControlError(400, "The settings cannot be used.", f"{error}.") from None
        return _show(world)

    return router


def _show(world: World) -> dict[str, Any]:
    return {name: write_setting(getattr(world.settings, name)) for name in NAMES}
