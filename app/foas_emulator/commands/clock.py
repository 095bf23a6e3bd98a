"""`foas-emulator clock`: show and move the clock of a world."""

from typing import Any
from urllib.parse import urlencode

import click

from foas_emulator.commands.remote import Remote, change_lines, remote
from foas_emulator.settings import IntegerRange
from foas_emulator.showing import counted
from foas_emulator.testing.shapes import CLOCK, MOVED_CLOCK
from foas_emulator.world.instants import instant_text

_LIMIT = click.option("--limit", type=IntegerRange(1, 1000), help="List at most this many changes, the first ones.")


@click.group("clock")
def command() -> None:
    """Show, freeze, run or advance the clock of a world."""


@command.command("show")
@_LIMIT
@remote
def show(emulator: Remote, *, limit: int | None) -> None:
    """Show the time of a world, and its pending changes."""
    clock = _existing_clock(emulator, limit)
    stands = "is frozen" if clock["mode"] == "frozen" else "runs"
    sentence = (
        f"It is {instant_text(clock['now'])} in world {emulator.world_name}, whose clock {stands}; "
        f"{counted(clock['pending_total'], 'change')} pending.{_listed(clock, 'pending')}"
    )
    emulator.report(sentence, clock)


@command.command("freeze")
@click.argument("instant", required=False)
@remote
def freeze(emulator: Remote, *, instant: str | None) -> None:
    """Freeze the clock where it is, or at INSTANT. That is one such as 2026-01-01T00:00:00Z."""
    _put(emulator, "frozen", instant)


@command.command("run")
@click.argument("instant", required=False)
@remote
def run(emulator: Remote, *, instant: str | None) -> None:
    """Let the clock run, from INSTANT or from where it is."""
    _put(emulator, "real", instant)


@command.command("advance")
@click.argument("duration", required=False)
@click.option("--to", "instant", help="Advance to this instant.")
@click.option("--next", "until_next", is_flag=True, help="Advance to the next pending change.")
@click.option("--idle", "until_idle", is_flag=True, help="Advance until no change is pending.")
@click.option("--dry-run", is_flag=True, help="Only show what would happen, and change nothing.")
@_LIMIT
@remote
def advance(
    emulator: Remote,
    *,
    duration: str | None,
    instant: str | None,
    until_next: bool,
    until_idle: bool,
    dry_run: bool,
    limit: int | None,
) -> None:
    """Advance the clock by DURATION, such as 30s, or as an option says."""
    given = {"by": duration, "to": instant, "until": "next" if until_next else "idle" if until_idle else None}
    how = {name: value for name, value in given.items() if value is not None}
    if len(how) != 1 or (until_next and until_idle):
        raise click.UsageError("Give one of DURATION, --to, --next and --idle.")
    _move(emulator, "POST", "clock/advance", how, dry_run=dry_run, limit=limit)


def _put(emulator: Remote, mode: str, instant: str | None) -> None:
    setting = {"mode": mode} if instant is None else {"mode": mode, "now": instant}
    _move(emulator, "PUT", "clock", setting)


def _move(
    emulator: Remote, method: str, path: str, how: dict[str, Any], *, dry_run: bool = False, limit: int | None = None
) -> None:
    _existing_clock(emulator, limit=1)  # a server of 0.1.0 would move its clock for --dry-run, too
    query = _query(dry_run="true" if dry_run else None, limit=limit)
    clock = emulator.server.control.request(method, f"{emulator.path}/{path}{query}", how, shape=MOVED_CLOCK)
    stands, came = "is frozen at" if clock["mode"] == "frozen" else "runs from", "happened"
    if dry_run:
        stands, came = "would be frozen at" if clock["mode"] == "frozen" else "would run from", "would happen"
    sentence = (
        f"The clock of world {emulator.world_name} {stands} {instant_text(clock['now'])}; "
        f"{counted(clock['changes_total'], 'change')} {came}, {clock['pending_total']} pending."
        f"{_listed(clock, 'changes')}"
    )
    emulator.report(sentence, clock)


def _existing_clock(emulator: Remote, limit: int | None) -> Any:
    emulator.existing_world()
    return emulator.server.control.request("GET", f"{emulator.path}/clock{_query(limit=limit)}", shape=CLOCK)


def _query(**given: Any) -> str:
    pairs = {name: value for name, value in given.items() if value is not None}
    return f"?{urlencode(pairs)}" if pairs else ""


def _listed(clock: dict[str, Any], member: str) -> str:
    """Return a line for each change that an answer lists, and one for those that it does not."""
    more = clock[f"{member}_total"] - len(clock[member])
    return change_lines(clock[member]) + (f"\n  and {more} more" if more else "")
