"""`foas-emulator snapshot`: save worlds of a running server to files and load them."""

from pathlib import Path

import click

from foas_emulator.commands.remote import Remote, remote


@click.group("snapshot")
def command() -> None:
    """Save a world to a file, or load it from one."""


@command.command("save")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@remote
def save(emulator: Remote, *, file: Path) -> None:
    """Write a world into FILE. That is sorted JSON, with every row on a line of its own."""
    emulator.existing_world().save(file)
    emulator.report(
        f"World {emulator.world_name} was saved to {file}.", {"world": emulator.world_name, "file": str(file)}
    )


@command.command("load")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@remote
def load(emulator: Remote, *, file: Path) -> None:
    """Replace a world with the snapshot in FILE, or create the world. A FILE that is named *.yaml may be YAML."""
    is_new = not emulator.server.has_world(emulator.world_name)
    emulator.world.load(file)
    became = f"was created from {file}" if is_new else f"was restored from {file}"
    emulator.report(f"World {emulator.world_name} {became}.", {"world": emulator.world_name, "file": str(file)})
