"""The page of faults: ten common ones as switches, and the rules of the world."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foas_emulator.console.language import mark
from foas_emulator.console.site import View
from foas_emulator.faults.rules import rules_of
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.world.clock import machine_now

MOST_RULES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A common fault in a tester's words, and its rule; `operation` is the operation for which it is mostly used."""

    name: str
    title: str
    text: str
    rule: Mapping[str, Any]
    operation: str = "*"


PRESETS = (
    Preset(
        name="throttle",
        title=mark("Throttle the next 2 calls"),
        text=mark("Throttling.User twice, then all is well: does the client try again?"),
        rule={"effect": {"error": "Throttling.User"}, "times": 2},
    ),
    Preset(
        name="error",
        title=mark("The next call fails with a 500"),
        text=mark("InternalError once, as when the service itself breaks."),
        rule={"effect": {"error": "InternalError"}, "times": 1},
    ),
    Preset(
        name="slow",
        title=mark("Every call takes 2 s"),
        text=mark("Until it is switched off: do spinners and timeouts work?"),
        rule={"effect": {"latency": "2s"}},
    ),
    Preset(
        name="lost",
        title=mark("The answer is lost after the call took effect"),
        text=mark("The connection closes without a byte, yet the change is made. A retry would do it twice."),
        rule={"effect": {"drop": True}, "at": "after_commit", "times": 1},
        operation="StartJob",
    ),
    Preset(
        name="duplicate",
        title=mark("The next call takes effect twice"),
        text=mark("As when a proxy repeats a request; the client gets the second answer."),
        rule={"effect": {"duplicate": True}, "times": 1},
        operation="CreateJob",
    ),
    Preset(
        name="stale",
        title=mark("Reads lag behind by one change"),
        text=mark("A read is answered as before the last change: a replica that is not up to date."),
        rule={"effect": {"stale": True}},
        operation="GetInstance*",
    ),
    Preset(
        name="truncate",
        title=mark("The next answer breaks off in the middle"),
        text=mark("Half of the body, then the connection closes."),
        rule={"effect": {"truncate": 0.5}, "times": 1},
    ),
    Preset(
        name="reset",
        title=mark("The next connection is reset"),
        text=mark("Not a byte comes back; the socket ends with a reset."),
        rule={"effect": {"reset": True}, "times": 1},
    ),
    Preset(
        name="rate",
        title=mark("No more than 5 calls in 10 s"),
        text=mark("Every further call is throttled until the window has passed."),
        rule={"effect": {"rate_limit": {"calls": 5, "per": "10s"}}},
    ),
    Preset(
        name="down",
        title=mark("The service is down"),
        text=mark("Every call is answered 503 ServiceUnavailable until it is switched off."),
        rule={"effect": {"error": "ServiceUnavailable"}},
    ),
)


async def faults_page(view: View) -> dict[str, Any]:
    """Return the context of the page: the switches, and the rules with their hits and remaining time."""
    every = rules_of(view.world)
    rules = [rule.document() for rule in every[:MOST_RULES]]
    now = machine_now()
    for rule in rules:
        rule["left"] = None if rule["expires_at"] is None else max(rule["expires_at"] - now, 0)
        rule["preset"] = preset_of(rule)
    return {
        "presets": PRESETS,
        "switched_on": switched_on(rules),
        "rules": rules,
        "total": len(every),
        "operations": [operation.name for operation in OPERATIONS],
        "wanted": {"operation": view.query.get("operation", "")},
    }


def switched_on(rules: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the last armed rule of each switch, by the switch's name."""
    return {rule["preset"]: rule for rule in rules if rule["preset"] and rule["armed"]}


def preset_of(rule: Mapping[str, Any]) -> str:
    """Return the name of the switch that makes a rule like this, "" if there is none."""
    parts: Mapping[str, Any] = {"at": "before", "skip": 0, "times": None, "probability": 1}
    for preset in PRESETS:
        made = {**parts, **preset.rule}
        if all(rule[name] == made[name] for name in ("effect", *parts)):
            return preset.name
    return ""
