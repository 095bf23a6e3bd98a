"""`foas-emulator journal`: the calls of a world and their responses."""

from typing import Any

import click
from click.core import ParameterSource

from foas_emulator.commands.remote import Remote, remote
from foas_emulator.completion import OPERATIONS
from foas_emulator.settings import IntegerRange
from foas_emulator.showing import in_one_line
from foas_emulator.testing.calls import faults_of, number_and_call, reasons_of


@click.command("journal")
@click.option(
    "--operation", shell_complete=OPERATIONS, help="Only calls of this operation, or of a glob such as 'Get*'."
)
@click.option("--status", type=IntegerRange(100, 599), help="Only calls that were answered with this status.")
@click.option("--code", help="Only calls that were answered with this error code.")
@click.option("--failed", is_flag=True, help="Only calls that failed: with an error, or with no answer.")
@click.option("--last", type=IntegerRange(min=1), default=20, show_default=True, help="Show at most this many calls.")
@click.option("--clear", is_flag=True, help="Clear the journal instead of showing it.")
@remote
def command(emulator: Remote, *, failed: bool, last: int, clear: bool, **wanted: Any) -> None:
    """Show the last calls of a world, the oldest first."""
    journal = emulator.existing_world().journal
    if clear:
        is_last_given = click.get_current_context().get_parameter_source("last") is not ParameterSource.DEFAULT
        if failed or is_last_given or any(value is not None for value in wanted.values()):
            raise click.UsageError("--clear clears the whole journal; leave out what narrows it.")
        journal.clear()
        emulator.report(f"The journal of world {emulator.world_name} was cleared.", {"world": emulator.world_name})
        return
    conditions = {name: value for name, value in wanted.items() if value is not None}
    if failed:
        conditions["failed"] = True
    entries = journal.entries(**conditions, last=last)
    which = "no such call" if conditions else "no call"
    lines = [_lines(entry) for entry in entries] or [f"The journal of world {emulator.world_name} has {which}."]
    emulator.report("\n".join(lines), {"entries": entries})


def _lines(entry: dict[str, Any]) -> str:
    """Return what was asked and answered and, below it, when, the id, and what of the emulator had a part in it."""
    when = "; ".join([f"{entry['time']} request {entry['request_id']}", *faults_of(entry)])
    return "\n   ".join(map(in_one_line, [number_and_call(entry), when, *reasons_of(entry)]))
