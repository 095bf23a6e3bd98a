"""`foas-emulator env`: the variables that redirect programs to a running server."""

import os

import click

from foas_emulator.commands.base import refuse
from foas_emulator.commands.remote import address, refusals_of, server_options, world_name
from foas_emulator.interception.shells import FORMATS, SHELLS
from foas_emulator.testing.redirection import variables_for
from foas_emulator.testing.server import Server


@click.command("env")
@click.option(
    "--world",
    type=world_name,
    metavar="NAME",
    default="default",
    show_default=True,
    help="World that the programs use.",
)
@click.option("--shell", type=click.Choice(list(SHELLS)), default="sh", show_default=True)
@click.option("--format", "format_", type=click.Choice(list(FORMATS)), help="Write a file instead of shell commands.")
@server_options
def command(
    *, world: str, shell: str, format_: str | None, url: str | None, port: int, control_token: str | None
) -> None:
    """Print variables for programs that name no endpoint.

    With them such programs call a server that runs with --intercept: eval "$(foas-emulator env)"
    """
    target = address(url, port)
    with refusals_of(target):
        given = variables_for(Server(target, control_token=control_token), world, os.environ)
    try:
        text = (SHELLS[shell] if format_ is None else FORMATS[format_])(given)
    except ValueError as error:
        refuse(str(error))
    click.echo(os.fsencode(text), nl=False)  # paths may hold bytes that are not text, which must not change
