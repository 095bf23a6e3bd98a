"""The command line: `foas-emulator serve` and its helpers."""

import http
import io
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO, cast

import click

from foas_emulator import __version__
from foas_emulator.commands import LazyGroup
from foas_emulator.commands.base import describe_no_answer, refusals_to_start, refuse, refuse_each
from foas_emulator.completion import SEEDS
from foas_emulator.loading import quickly
from foas_emulator.settings import NamedPath, Settings, check_variables, options
from foas_emulator.showing import harmless
from foas_emulator.writing import write_file


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, "-V", "--version", prog_name="foas-emulator")
def main() -> None:
    """A local emulator of Alibaba Cloud Realtime Compute (foas, API version 2018-11-11)."""


def _serve(**values: Any) -> None:
    """Serve the API until SIGTERM or SIGINT. Every option is also a FOASEMU_* variable."""
    check_variables(os.environ)
    with quickly(), refusals_to_start():
        from foas_emulator.serving.server import serve  # noqa: PLC0415 - other commands need no server

        serve(Settings(**values))


main.add_command(click.Command("serve", params=list(options()), callback=_serve, help=_serve.__doc__))


@main.group()
def seed() -> None:
    """Work with seed documents."""


@seed.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=SEEDS)
@click.option(
    "--onto",
    multiple=True,
    metavar="FILE|NAME",
    shell_complete=SEEDS,
    help="Seed that is applied before the files, like several --seed of serve. Repeatable.",
)
def check_seed(files: tuple[str, ...], onto: tuple[str, ...]) -> None:
    """Report every error in seed documents.

    Errors have file, line and path; the exit status is 1 if there is one. Each FILE is applied to a world of its own,
    so a seed that passes can be served.
    """
    from foas_emulator.seeds.errors import SeedError  # noqa: PLC0415
    from foas_emulator.seeds.image import try_seeds  # noqa: PLC0415
    from foas_emulator.seeds.reading import seed_files  # noqa: PLC0415

    faults = []
    for source in files:
        try:
            for file in seed_files(source):
                try_seeds([*onto, file])
        except SeedError as error:
            faults += error.faults
        else:
            click.echo(f"{click.format_filename(source)}: ok")
    if faults:
        refuse_each(faults)


@seed.command("schema")
def print_schema() -> None:
    """Write the JSON Schema of seed documents, for editors and programs."""
    from foas_emulator.seeds.published import published_schema  # noqa: PLC0415

    click.echo(published_schema(), nl=False)


@main.command()
@click.option("-o", "--output", type=NamedPath(), help="File to write; standard output without it.")
@click.option("--control", "of_control_api", is_flag=True, help="Write the document of the control API instead.")
def openapi(output: Path | None, *, of_control_api: bool) -> None:
    """Write the OpenAPI document of the service as YAML."""
    from foas_emulator.main import describe_api, describe_control_api  # noqa: PLC0415
    from foas_emulator.openapi.document import as_yaml  # noqa: PLC0415

    text = as_yaml(describe_control_api() if of_control_api else describe_api())
    if output is None and sys.stdout is not None:
        # The document is UTF-8, even if the terminal's encoding is another. With PYTHONUNBUFFERED, the output itself
        # would write a part of it where a disk becomes full, and report nothing.
        whole = io.BufferedWriter(cast(io.RawIOBase, sys.stdout.buffer))
        whole.write(text.encode())
        whole.detach()
    elif output is not None:
        write_file(output, text.encode())


@main.command("get")
@click.argument("url")
@click.option("--access-key-id", default="test", show_default=True, help="Access key to sign with.")
@click.option("--secret", default="test", show_default=True, help="Secret of the access key.")
def get(url: str, access_key_id: str, secret: str) -> None:
    """Send a signed GET to URL, and print the answer.

    It is signed as by an SDK. The reason of an error, or the warning of an answer, is printed to standard error; the
    exit status is 1 if the answer is an error.
    """
    from foas_emulator.commands.signed_get import signed_get  # noqa: PLC0415

    try:
        status, body, note = signed_get(url, access_key_id=access_key_id, secret=secret)
    except (OSError, ValueError) as error:
        refuse(f"{url}: {describe_no_answer(error)}")
    # A terminal would obey control characters in it; what reads a file or a pipe gets the bytes as they are.
    click.echo(harmless(body.decode(errors="replace")) if sys.stdout is not None and sys.stdout.isatty() else body)
    if note:
        click.echo(harmless(note), err=True)
    if status >= http.HTTPStatus.BAD_REQUEST:
        sys.exit(1)


@main.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option(
    "--secret", required=True, envvar="ALIBABA_CLOUD_ACCESS_KEY_SECRET", help="Correct secret of the access key."
)
@click.option("--string-to-sign", type=click.File("rb"), help="File with the text that the client signed.")
def explain(file: BinaryIO, secret: str, string_to_sign: BinaryIO | None) -> None:
    """Explain why the signature of a request does not match.

    FILE contains the request as it was sent, beginning with the request line and the headers; by default, it is read
    from standard input. The differences are shown field by field. The exit status is 1 if the signature does not match.
    """
    from foas_emulator.commands.raw_request import parse_raw_request  # noqa: PLC0415
    from foas_emulator.gateway.credentials import read_credentials  # noqa: PLC0415
    from foas_emulator.gateway.encodings import utf8_text  # noqa: PLC0415
    from foas_emulator.gateway.signature_diagnosis import explain as find_differences  # noqa: PLC0415
    from foas_emulator.gateway.signature_diagnosis import sentence  # noqa: PLC0415

    try:
        client = utf8_text(string_to_sign.read()) if string_to_sign else None
    except ValueError as error:
        refuse(f"--string-to-sign: {error}")
    try:
        request = parse_raw_request(file.read())
        credentials = read_credentials(request.headers)
    except ValueError as error:
        refuse(f"the request: {error}")
    if credentials.scheme not in ("v1", "v3"):
        refuse(f"The request is {credentials.scheme}: it has no signature in Authorization.")
    differences = find_differences(request, credentials, secret, client_string_to_sign=client, exhaustive=True)
    click.echo(sentence(differences))
    for difference in differences:
        click.echo(f"  {difference.field}: the request has {difference.expected!r}, signed was {difference.actual!r}")
    sys.exit(1 if differences else 0)
