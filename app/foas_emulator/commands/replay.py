"""`foas-emulator replay`: a failed test's world as it was, served again, and the calls that it got."""

import signal
from pathlib import Path
from threading import Event

import click

from foas_emulator.commands.base import refusals_to_start, refuse
from foas_emulator.testing.artifacts import Artifact, ArtifactError, describe_call, load_artifact
from foas_emulator.testing.client import EmulatorError
from foas_emulator.testing.emulator import Emulator

_LOOK_EVERY = 0.5
"""Seconds between two looks for a signal: Windows hands none over while a thread waits without end."""


@click.command("replay")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="DIR")
def command(folder: Path) -> None:
    """Serve the world that a failed test left in DIR (pytest --foas-artifacts), and show its calls."""
    try:
        artifact = load_artifact(folder)
        with refusals_to_start():
            _serve(artifact)
    except (ArtifactError, EmulatorError) as error:
        refuse(str(error))


def _serve(artifact: Artifact) -> None:
    """Show the calls of a failed test, and serve its world on a free port until SIGTERM or SIGINT.

    Raise `EmulatorError` for a broken snapshot.
    """
    stop = Event()
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stop.set())
    with Emulator(seed=["empty"]) as emulator:
        world = emulator.world(artifact.world)
        world.load(artifact.snapshot)
        click.echo(f"{artifact.test} made {len(artifact.calls)} calls in world {world.name}:")
        for call in artifact.calls:
            click.echo(describe_call(call))
        click.echo("its clock stands still where the test failed")
        click.echo(f"access key {world.access_key_id}, secret {world.access_key_secret}")
        click.echo(f"listening on {emulator.url}")
        while not stop.wait(_LOOK_EVERY):
            pass
