"""`foas-emulator replay`: a failed test's world as it was, served again, and the calls that it got."""

import signal
from pathlib import Path
from threading import Event

import click

from foas_emulator.testing.artifacts import describe_call, load_artifact
from foas_emulator.testing.emulator import Emulator

_LOOK_EVERY = 0.5
"""Seconds between two looks for a signal: Windows hands none over while a thread waits without end."""


def replay(folder: Path) -> None:
    """Show the calls of a failed test, and serve its world on a free port until SIGTERM or SIGINT.

    Raise `ArtifactError` if the folder is none that a failed test left, and `EmulatorError` for a broken snapshot.
    """
    artifact = load_artifact(folder)
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
