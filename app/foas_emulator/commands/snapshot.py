"""`foas-emulator snapshot`: save worlds of a running server to files and load them."""

from pathlib import Path

import click

from foas_emulator.commands.remote import Remote, remote


@click.group("snapshot")
def command() -> None:
    """Save worlds of a server to files, and load them again."""


@command.command("save")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@remote
def save(emulator: Remote, *, file: Path) -> None:
    """Write a world into FILE. That is sorted JSON, with every row on a line of its own."""
    emulator.existing_world().save(file)
    emulator.report(
        f"World {emulator.world_name} is saved in {file}.", {"world": emulator.world_name, "file": str(file)}
    )


@command.command("load")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@remote
def load(emulator: Remote, *, file: Path) -> None:
    """Replace a world by the snapshot in FILE. It is created if there is none."""
    is_new = not emulator.server.has_world(emulator.world_name)
    emulator.world.load(file)
    became = f"is created from {file}" if is_new else f"is what {file} says"
    emulator.report(f"World {emulator.world_name} {became}.", {"world": emulator.world_name, "file": str(file)})
