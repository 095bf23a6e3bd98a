"""The command line: `foas-emulator serve`, and what helps around it."""

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NoReturn

import click

from foas_emulator import __version__
from foas_emulator.settings import Settings, check_variables, options


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="foas-emulator")
def main() -> None:
    """A local stand-in for Alibaba Cloud Realtime Compute (foas, API version 2018-11-11)."""


def _serve(**values: Any) -> None:
    """Serve the API until SIGTERM or SIGINT. Every option is also a FOASEMU_* variable."""
    check_variables(os.environ)
    from foas_emulator.server import StartError, serve  # noqa: PLC0415 - other commands need no server

    try:
        serve(Settings(**values))
    except StartError as error:
        _refuse(str(error))


main.add_command(click.Command("serve", params=list(options()), callback=_serve, help=_serve.__doc__))


@main.group()
def seed() -> None:
    """Work with seed documents."""


@seed.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def check_seed(files: tuple[str, ...]) -> None:
    """Report every fault in seed documents with its file, line and path; exits with 1 if there is one."""
    from foas_emulator.seeds.reading import SeedError, read_seed  # noqa: PLC0415

    faults = []
    for file in files:
        try:
            read_seed(file)
        except SeedError as error:
            faults += error.faults
        else:
            click.echo(f"{file}: ok")
    if faults:
        _refuse("\n".join(map(str, faults)))


@main.command()
@click.option("--output", type=click.Path(path_type=Path), help="File to write; standard output without it.")
def openapi(output: Path | None) -> None:
    """Write the OpenAPI document as YAML."""
    from foas_emulator.main import describe_api  # noqa: PLC0415
    from foas_emulator.openapi import as_yaml  # noqa: PLC0415

    text = as_yaml(describe_api())
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, "utf-8")


@main.command()
@click.option("--url", help="Address of the server; without it the one that --port or FOASEMU_PORT means here.")
@click.option("--port", type=int, default=8018, envvar="FOASEMU_PORT", show_default=True)
def healthcheck(url: str | None, port: int) -> None:
    """Ask a server for its health; exits with 0 if it is well."""
    target = f"{(url or f'http://127.0.0.1:{port}').rstrip('/')}/_emulator/health"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(target, timeout=5) as response:
            click.echo(response.read().decode())
    except (OSError, ValueError) as error:
        _refuse(f"{target}: {error}")


def _refuse(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)
