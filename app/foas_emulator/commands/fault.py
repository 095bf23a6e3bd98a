"""`foas-emulator fault`: the fault rules of a world."""

import json
from typing import Any

import click

from foas_emulator.commands.remote import Remote, remote
from foas_emulator.completion import EFFECTS, OPERATIONS
from foas_emulator.json_bounds import integer
from foas_emulator.settings import RATE, IntegerRange
from foas_emulator.showing import in_one_line
from foas_emulator.testing.shapes import FAULT_RULE


@click.group("fault")
def command() -> None:
    """Arm, list and disarm fault rules of a world."""


@command.command("list")
@remote
def list_rules(emulator: Remote) -> None:
    """List all rules, with the numbers of matched and affected calls."""
    rules = emulator.existing_world().faults.rules()
    sentence = "\n".join(map(_line, rules)) or f"World {emulator.world_name} has no fault rule."
    emulator.report(sentence, {"faults": rules})


@command.command("arm")
@click.argument("effect", shell_complete=EFFECTS)
@click.option(
    "--operation",
    default="*",
    show_default=True,
    shell_complete=OPERATIONS,
    help="Only calls of this operation or glob ('Get*').",
)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Only calls with it. Repeatable.")
@click.option("--times", type=IntegerRange(min=1), help="Apply at most this many times.")
@click.option("--skip", type=IntegerRange(min=0), default=0, show_default=True, help="Let this many calls pass first.")
@click.option("--probability", type=RATE, default="1", show_default=True)
@click.option("--ttl", help="Apply until this duration is over, such as 60s.")
@click.option("--after-commit", is_flag=True, help="Apply only to calls that have succeeded.")
@remote
def arm(emulator: Remote, *, effect: str, params: tuple[str, ...], **rule: Any) -> None:
    """Apply EFFECT to calls.

    It is error=Throttling.User, latency=2s, drop, reset, truncate=0.5, duplicate, stale, or a JSON object.
    """
    faults = emulator.existing_world().faults
    number = faults.arm(read_effect(effect), params=dict(map(_parameter, params)), **rule)
    armed = emulator.server.control.request("GET", f"{emulator.path}/faults/{number}", shape=FAULT_RULE)
    emulator.report(f"World {emulator.world_name} has the fault rule {_line(armed)}", armed)


@command.command("disarm")
@click.argument("rule_id", type=IntegerRange(min=1), required=False)
@remote
def disarm(emulator: Remote, *, rule_id: int | None) -> None:
    """Disarm the rule with this id, or all rules."""
    emulator.existing_world().faults.disarm(rule_id)
    what = "No fault rule is" if rule_id is None else f"Fault rule {rule_id} is no longer"
    emulator.report(f"{what} armed in world {emulator.world_name}.", {"id": rule_id})


def read_effect(text: str) -> dict[str, Any]:
    """Parse an effect: `name=value`, a bare name, or a JSON object. Raise `click.UsageError`."""
    if text.startswith("{"):
        try:
            effect: dict[str, Any] = json.loads(text, parse_int=integer)
        except (ValueError, RecursionError) as error:
            raise click.UsageError(f"EFFECT cannot be read as JSON: {error}") from None
        return effect
    name, equals, value = text.partition("=")
    try:
        return {name: json.loads(value) if equals else True}
    except (ValueError, RecursionError):
        return {name: value}


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--param {text!r} is not NAME=VALUE.")
    return name, value


def _line(rule: dict[str, Any]) -> str:
    match = rule["match"]
    where = match["operation"] + "".join(f" {name}={value}" for name, value in match["params"].items())
    armed = "" if rule["armed"] else ", no longer armed"
    counts = f"seen {rule['seen']}, applied to {rule['hits']}"
    return in_one_line(f"{rule['id']}: {json.dumps(rule['effect'])} for {where}; {counts}{armed}.")
