"""`foas-emulator replay`: serve a failed test's world as it was, and show its calls."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import click

from foas_emulator.commands.base import refusals_to_start, refuse
from foas_emulator.journal.lines import describe_call
from foas_emulator.settings import from_environment, options
from foas_emulator.showing import counted, in_one_line
from foas_emulator.testing.artifacts import SNAPSHOT, Artifact, ArtifactError, load_artifact
from foas_emulator.testing.client import EmulatorError
from foas_emulator.testing.server import Server

_TAKEN = ("port", "access_keys", "intercept", "intercept_allow")
"""The settings that concern access to the server; the contents and settings of the world come from the snapshot."""

_LOOK_EVERY = 0.5
"""Seconds between two checks for a signal: Windows delivers none while a thread waits without a timeout."""


def _replay(folder: Path, **given: Any) -> None:
    """Serve the world of a failed test, and show its calls.

    DIR is the folder of the test, as pytest --foas-artifacts writes it.
    """
    try:
        artifact = load_artifact(folder)
        with refusals_to_start():
            _serve(artifact, given)
    except ArtifactError as error:
        refuse(str(error))
    except EmulatorError as error:
        refuse(f"{folder / SNAPSHOT}: {error}")


def _serve(artifact: Artifact, given: dict[str, Any]) -> None:
    """Show the calls of a failed test, and serve its world until a signal stops it, as it does `serve`.

    Raise `EmulatorError` for a broken snapshot.
    """
    # Imported here because it loads the whole emulator, which takes a while.
    from foas_emulator.serving.uvicorn_servers import stop_signals  # noqa: PLC0415
    from foas_emulator.testing.in_thread import ThreadedServer  # noqa: PLC0415

    stop = Event()
    for number in stop_signals():
        signal.signal(number, lambda *_: stop.set())
    # The variables may be those of a running server, whose worlds must not be touched.
    settings = replace(
        from_environment(os.environ), **given, seed=("empty",), watch=False, data_dir=None, pact_states=None
    )
    running = ThreadedServer(settings, port=settings.port)
    try:
        world = Server(running.url, control_token=settings.control_token).world(artifact.world)
        world.load(artifact.snapshot)
        click.echo(in_one_line(f"{artifact.test} made {counted(len(artifact.calls), 'call')} in world {world.name}:"))
        for call in artifact.calls:
            click.echo(describe_call(call))
        click.echo("its clock is frozen at the time of the failure")
        click.echo(f"access key {world.access_key_id}, secret {world.access_key_secret}")
        click.echo(f"listening on {running.url}")
        while not stop.wait(_LOOK_EVERY):
            pass
    finally:
        running.stop()


def _options() -> list[click.Parameter]:
    folder = click.Argument(["folder"], type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="DIR")
    taken: list[click.Parameter] = [folder]
    for option in options():
        if option.name in ("port", "intercept"):
            option.envvar = None  # the variables may name the ports of a running server
        if option.name == "port":
            option.default, option.show_default = 0, "a free one"
        if option.name in _TAKEN:
            taken.append(option)
    return taken


command = click.Command("replay", params=_options(), callback=_replay, help=_replay.__doc__)
