"""The settings of a world; flags and variables only define their defaults."""

from itertools import islice
from typing import Any

from fastapi import APIRouter

from foas_emulator.control.answers import WorldSettingsShown, answers
from foas_emulator.control.documents import DocumentRoute
from foas_emulator.control.errors import ControlError, require_world
from foas_emulator.control.paths import WorldName
from foas_emulator.seeds.parts import Problem
from foas_emulator.seeds.validation import setting_problems
from foas_emulator.world.advance import settle
from foas_emulator.world.registry import Registry
from foas_emulator.world.settings import NAMES, write_setting
from foas_emulator.world.world import World

_SHOWN_PROBLEMS = 20
"""The most problems to look for: each code that the catalogue does not have is compared with all that it has."""


def settings_router(registry: Registry) -> APIRouter:
    """Return the routes of each world's settings under `/worlds/{world}/settings`."""
    router = APIRouter(prefix="/worlds/{world}/settings", route_class=DocumentRoute, tags=["settings"])

    @router.get("", **answers(WorldSettingsShown))
    async def get_settings(name: WorldName) -> dict[str, Any]:
        """Return all settings in force in a world. Delays are durations; a batch_duration of null has no end."""
        return _show(require_world(registry, name))

    @router.put("", **answers(WorldSettingsShown))
    async def put_settings(name: WorldName, settings: dict[str, Any]) -> dict[str, Any]:
        """Change the given settings, all or none; the others stay. Delays are durations, or seconds."""
        problems = [_named(problem) for problem in islice(setting_problems(settings), _SHOWN_PROBLEMS)]
        if problems:
            raise ControlError(400, "The settings cannot be used.", f"{'; '.join(problems)}.")
        world = registry.open_or_create(name)
        await settle(world)
        world.set(settings)
        return _show(world)

    return router


def _named(problem: Problem) -> str:
    """Return the message of a problem, with the name of the setting unless it says what it is about."""
    (name, *code), message = problem
    return message if code or name not in NAMES or name in message else f"{name}: {message}"


def _show(world: World) -> dict[str, Any]:
    return {name: write_setting(getattr(world.settings, name)) for name in NAMES}
