"""The command line: `foas-emulator serve`, and what helps around it."""

import gc
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TextIO

import click

from foas_emulator import __version__
from foas_emulator.commands import LazyGroup
from foas_emulator.settings import Settings, check_variables, options


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="foas-emulator")
def main() -> None:
    """A local stand-in for Alibaba Cloud Realtime Compute (foas, API version 2018-11-11)."""


def _serve(**values: Any) -> None:
    """Serve the API until SIGTERM or SIGINT. Every option is also a FOASEMU_* variable."""
    check_variables(os.environ)
    gc.disable()  # nothing that is made while starting is garbage, and looking for it takes a tenth of a start
    try:
        from foas_emulator.server import StartError, serve  # noqa: PLC0415 - other commands need no server

        serve(Settings(**values))
    except StartError as error:
        _refuse(str(error))
    finally:
        gc.enable()


main.add_command(click.Command("serve", params=list(options()), callback=_serve, help=_serve.__doc__))


@main.group()
def seed() -> None:
    """Work with seed documents."""


@seed.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def check_seed(files: tuple[str, ...]) -> None:
    """Report every fault in seed documents with its file, line and path; exits with 1 if there is one."""
    from foas_emulator.seeds.reading import SeedError, read_seed, seed_files  # noqa: PLC0415

    faults = []
    for source in files:
        try:
            for file in seed_files(source):
                read_seed(file)
        except SeedError as error:
            faults += error.faults
        else:
            click.echo(f"{source}: ok")
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


@main.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option(
    "--secret", required=True, envvar="ALIBABA_CLOUD_ACCESS_KEY_SECRET", help="Secret that the access key should have."
)
@click.option("--string-to-sign", type=click.File("r"), help="File with what the client signed, to compare with.")
def explain(file: BinaryIO, secret: str, string_to_sign: TextIO | None) -> None:
    """Say why the signature of a raw HTTP request does not fit: its first difference, field by field.

    FILE holds the request as it was sent, request line and headers first; standard input without it. Exits with 1 if
    the signature does not fit.
    """
    from foas_emulator.gateway.credentials import read_credentials  # noqa: PLC0415
    from foas_emulator.gateway.signature_diagnosis import explain as find_differences  # noqa: PLC0415
    from foas_emulator.gateway.signature_diagnosis import parse_raw_request, sentence  # noqa: PLC0415

    client = string_to_sign.read() if string_to_sign else None
    try:
        request = parse_raw_request(file.read())
        credentials = read_credentials(request.headers)
    except ValueError as error:
        _refuse(str(error))
    if credentials.scheme not in ("v1", "v3"):
        _refuse(f"The request is {credentials.scheme}: it has no signature in Authorization.")
    differences = find_differences(request, credentials, secret, client_string_to_sign=client, exhaustive=True)
    click.echo(sentence(differences))
    for difference in differences:
        click.echo(f"  {difference.field}: the request has {difference.expected!r}, signed was {difference.actual!r}")
    sys.exit(1 if differences else 0)


def _refuse(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)
