"""`foas-emulator healthcheck`: check whether a server is healthy."""

import http.client
import json
import sys
import urllib.request
from urllib.error import URLError

import click

from foas_emulator.commands.base import PORT_OPTION, URL_OPTION, describe_no_answer, refuse
from foas_emulator.commands.remote import address
from foas_emulator.difference import harmless

_LONGEST_HEALTH = 64 * 1024
"""The most bytes of the answer to read."""


@click.command("healthcheck")
@URL_OPTION
@PORT_OPTION
def command(url: str | None, port: int) -> None:
    """Check the health of a server; exit with 0 if it is healthy."""
    target = address(url, port)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{target}/_emulator/health", timeout=5) as response:
            health = response.read(_LONGEST_HEALTH).decode()
        status = json.loads(health)["status"]
    except (OSError, ValueError, http.client.HTTPException) as error:
        cause = error.reason if type(error) is URLError else error
        refuse(f"{target}: {describe_no_answer(cause) if isinstance(cause, Exception) else cause}")
    except (KeyError, TypeError, RecursionError):
        refuse(f"{target}: this is not a foas-emulator")
    click.echo(harmless(health))
    sys.exit(0 if status == "ok" else 1)
