"""`foas-emulator healthcheck`: check whether a server is healthy."""

import json
import sys

import click

from foas_emulator.commands.base import PORT_OPTION, URL_OPTION
from foas_emulator.commands.remote import address, refusals_of
from foas_emulator.showing import harmless
from foas_emulator.testing.client import ControlClient
from foas_emulator.testing.shapes import HEALTH

_PATIENCE = 5.0
"""Seconds to wait for an answer."""
_LONGEST = 1024 * 1024
"""The most bytes of an answer, which has a hundred: another server's may be endless."""


@click.command("healthcheck")
@URL_OPTION
@PORT_OPTION
def command(url: str | None, port: int) -> None:
    """Check the health of a server; exit with 0 if it is healthy."""
    target = address(url, port)
    with refusals_of(target):
        client = ControlClient(target)
        client.patience, client.longest_answer = _PATIENCE, _LONGEST
        health = client.request("GET", "/health", shape=HEALTH)
    click.echo(harmless(json.dumps(health, separators=(",", ":"))))
    sys.exit(0 if health["status"] == "ok" else 1)
