"""The page of the settings of a world and of the server."""

from typing import Any

from foas_emulator.console.language import mark
from foas_emulator.console.site import View
from foas_emulator.world.settings import CHOICES, NAMES, write_setting

MEANINGS = {
    "default_format": mark("Format of the answer if the client requests none."),
    "not_running": mark("GetInstance for a job that is not running: fail as documented, or answer with its state."),
    "sql_check": mark(
        "What detects wrong SQL: only ValidateJob, or also StartJob, whose instance then becomes FAILED."
    ),
    "signature": mark(
        "Signatures: off checks none, warn serves the call and warns, strict refuses as the gateway does."
    ),
    "start_delay": mark("Time from StartJob until the instance is RUNNING."),
    "pause_delay": mark("Time from a pause until the instance is PAUSED."),
    "stop_delay": mark("Time from a stop until the instance is TERMINATED."),
    "plan_delay": mark("Time from GetRawPlanJson until the plan is ready."),
    "cluster_delay": mark("Time from a change of a cluster until it is RUNNING again."),
    "batch_duration": mark(
        "Time from RUNNING until a batch instance is SUCCESS; without it, it runs until a call ends it."
    ),
    "latency": mark("Time before every call takes effect, such as 200ms, or a range such as 100ms-400ms."),
    "error_rate": mark("Share of calls that fail, such as 5%, with throttling and ServiceUnavailable in turn."),
}
"""What the settings of a world mean, as the command line says it."""


async def settings_page(view: View) -> dict[str, Any]:
    """Return the context of the settings: those of the world, to change, and those with which the server started."""
    shown = {name: write_setting(getattr(view.world.settings, name)) for name in NAMES}
    overrides = shown.pop("error_overrides")
    return {
        "own": shown,
        "given": view.world.given_settings,
        "overrides": overrides,
        "choices": CHOICES,
        "meanings": MEANINGS,
        "server": view.site.settings,
        "seed": view.world.seed,
    }
