"""`foas-emulator scenario`: a world begun anew from a seed document."""

from pathlib import Path

import click

from foas_emulator.commands.base import refuse_each
from foas_emulator.commands.remote import Remote, remote
from foas_emulator.seeds.loading import load
from foas_emulator.seeds.reading import BUILT_IN, SeedError, read_seed


@click.command("scenario")
@click.argument("seed", metavar="FILE|NAME")
@remote
def command(emulator: Remote, *, seed: str) -> None:
    """Begin a world anew from a seed document, or from one of the server's own.

    Those are default, empty, everything-running, all-failed, night-shift and five-thousand. The world is created if
    there is none; `reset` returns it to this beginning.
    """
    if seed in BUILT_IN:
        answer = emulator.server.control.request("PUT", emulator.path, {"seed": seed})
    else:
        answer = emulator.server.control.request("PUT", emulator.path, {"seed": _document(seed)})
    emulator.report(f"World {emulator.world_name} begins anew from {seed}.", answer)


def _document(file: str) -> object:
    """What a file holds, checked here, where its faults can be named with their lines."""
    try:
        read_seed(file)
    except SeedError as error:
        refuse_each(error.faults)
    value: object = load(Path(file).read_text("utf-8")).value
    return value
