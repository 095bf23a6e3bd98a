"""`foas-emulator journal`: the calls of a world and their responses."""

import json
from typing import Any

import click

from foas_emulator.commands.remote import Remote, remote


@click.command("journal")
@click.option("--operation", help="Only calls of this operation; a glob such as 'Get*'.")
@click.option("--status", type=int, help="Only calls that were answered with this status.")
@click.option("--code", help="Only calls that were answered with this error.")
@click.option("--last", type=click.IntRange(min=1), default=20, show_default=True, help="Show the last so many.")
@click.option("--clear", is_flag=True, help="Clear the journal instead of showing it.")
@remote
def command(emulator: Remote, *, last: int, clear: bool, **wanted: Any) -> None:
    """Show the last calls of a world, the oldest first."""
    journal = emulator.existing_world().journal
    if clear:
        journal.clear()
        emulator.report(f"The journal of world {emulator.world_name} starts over.", {"world": emulator.world_name})
        return
    entries = journal.entries(**{name: value for name, value in wanted.items() if value is not None})[-last:]
    lines = [_line(entry) for entry in entries] or [f"World {emulator.world_name} was asked nothing of the kind."]
    emulator.report("\n".join(lines), {"entries": entries})


def _line(entry: dict[str, Any]) -> str:
    asked = entry["operation"] or f"{entry['method']} {entry['path']}"
    answered = f"{entry['status'] or 'no answer'} {entry['code'] or ''}".strip()
    return f"#{entry['number']} {asked} {json.dumps(entry['parameters'], ensure_ascii=False)} -> {answered}"
