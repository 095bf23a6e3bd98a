"""`foas-emulator scenario`: replace a world from a seed document."""

from pathlib import Path

import click

from foas_emulator.commands.base import refuse, refuse_each
from foas_emulator.commands.remote import Remote, remote
from foas_emulator.completion import SEEDS
from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.loading import load
from foas_emulator.seeds.names import BUILT_IN
from foas_emulator.seeds.reading import parse_seed, text_in
from foas_emulator.testing.shapes import WORLD

_HELP = f"""Replace a world from a seed document or a built-in seed.

Built-in seeds are {", ".join(BUILT_IN)}. The world is created if it does not exist; `reset` returns it to this seed.
"""


@click.command("scenario", help=_HELP)
@click.argument("seed", metavar="FILE|NAME", shell_complete=SEEDS)
@remote
def command(emulator: Remote, *, seed: str) -> None:
    """Replace a world."""
    beginning = {"seed": seed if seed in BUILT_IN else _document(seed)}
    is_new = not emulator.server.has_world(emulator.world_name)
    answer = emulator.server.control.request("PUT", emulator.path, beginning, shape=WORLD)
    emulator.report(f"World {emulator.world_name} {'was created' if is_new else 'was replaced'} from {seed}.", answer)


def _document(file: str) -> object:
    """Return the document in a file, after checking it here, so that faults are reported with their lines."""
    if Path(file).is_dir():
        refuse(f"{file}: it is a directory, and a scenario is one document; foas-emulator serve --seed takes both.")
    try:
        text = text_in(file)
        parse_seed(text, file)
    except SeedError as error:
        refuse_each(error.faults)
    value: object = load(text).value
    return value
