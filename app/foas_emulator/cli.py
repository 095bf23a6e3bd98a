"""The command line: `foas-emulator serve`, and what helps around it."""

import gc
import http
import http.client
import json
import os
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click
from click.core import ParameterSource

from foas_emulator import __version__
from foas_emulator.commands import Commands, describe_os_error, refuse, refuse_each
from foas_emulator.settings import NamedPath, SettingError, Settings, check_variables, flag, options, variable

if TYPE_CHECKING:
    from foas_emulator.testing.world import World


_LONGEST_HEALTH = 64 * 1024
"""Bytes that are read of what says whether a server is well."""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, "-V", "--version", prog_name="foas-emulator")
def main() -> None:
    """A local stand-in for Alibaba Cloud Realtime Compute (foas, API version 2018-11-11)."""


def _serve(**values: Any) -> None:
    """Serve the API until SIGTERM or SIGINT. Every option is also a FOASEMU_* variable."""
    check_variables(os.environ)
    gc.disable()  # nothing that is made while starting is garbage, and looking for it takes a tenth of a start
    try:
        from foas_emulator.seeds.reading import SeedError  # noqa: PLC0415 - other commands need no server
        from foas_emulator.server import StartError, serve  # noqa: PLC0415

        serve(Settings(**values))
    except SettingError as error:
        refuse(_as_given(error))
    except SeedError as error:
        refuse_each(error.faults)
    except StartError as error:
        refuse(str(error))
    finally:
        gc.enable()


def _as_given(error: SettingError) -> str:
    """The message of a wrong setting, named by the flag or the variable that it was given with."""
    source = click.get_current_context().get_parameter_source(error.setting)
    name = variable(error.setting) if source is ParameterSource.ENVIRONMENT else flag(error.setting)
    return f"{name}: {error.reason}"


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
            click.echo(f"{click.format_filename(file)}: ok")
    if faults:
        refuse_each(faults)


@main.command()
@click.option("-o", "--output", type=NamedPath(), help="File to write; standard output without it.")
def openapi(output: Path | None) -> None:
    """Write the OpenAPI document as YAML."""
    from foas_emulator.main import describe_api  # noqa: PLC0415
    from foas_emulator.openapi import as_yaml  # noqa: PLC0415

    text = as_yaml(describe_api())
    if output is None:
        click.echo(text.encode(), nl=False)  # whatever a terminal's encoding is, the document is UTF-8
    else:
        output.write_bytes(text.encode())


_PORT = click.option(
    "--port", type=click.IntRange(0, 65535), default=8018, envvar="FOASEMU_PORT", show_envvar=True, show_default=True
)


@main.command()
@click.option("--url", help="Address of the server; without it the one that --port means on this machine.")
@_PORT
def healthcheck(url: str | None, port: int) -> None:
    """Ask a server for its health; exits with 0 if it is well."""
    target = f"{(url or f'http://127.0.0.1:{port}').rstrip('/')}/_emulator/health"
    if not target.startswith(("http://", "https://")):
        refuse(f"{target}: an address begins with http:// or https://")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(target, timeout=5) as response:
            health = response.read(_LONGEST_HEALTH).decode()
        status = json.loads(health)["status"]
    except (OSError, ValueError, http.client.HTTPException) as error:
        refuse(f"{target}: {error}")
    except (KeyError, TypeError):
        refuse(f"{target}: this is no foas-emulator")
    click.echo(health)
    sys.exit(0 if status == "ok" else 1)


@main.command("get")
@click.argument("url")
@click.option("--access-key-id", default="test", show_default=True, help="Access key to sign with.")
@click.option("--secret", default="test", show_default=True, help="Its secret.")
def get(url: str, access_key_id: str, secret: str) -> None:
    """Sign a GET of URL as an SDK does, and print the answer; exits with 1 if it is an error."""
    from foas_emulator.signed_get import signed_get  # noqa: PLC0415

    try:
        status, body = signed_get(url, access_key_id=access_key_id, secret=secret)
    except (OSError, ValueError) as error:
        refuse(f"{url}: {error}")
    click.echo(body)
    sys.exit(0 if status < http.HTTPStatus.BAD_REQUEST else 1)


@main.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option(
    "--secret", required=True, envvar="ALIBABA_CLOUD_ACCESS_KEY_SECRET", help="Secret that the access key should have."
)
@click.option("--string-to-sign", type=click.File("rb"), help="File with what the client signed, to compare with.")
def explain(file: BinaryIO, secret: str, string_to_sign: BinaryIO | None) -> None:
    """Say why the signature of a raw HTTP request does not fit: its first difference, field by field.

    FILE holds the request as it was sent, request line and headers first; standard input without it. Exits with 1 if
    the signature does not fit.
    """
    from foas_emulator.gateway.credentials import read_credentials  # noqa: PLC0415
    from foas_emulator.gateway.signature_diagnosis import explain as find_differences  # noqa: PLC0415
    from foas_emulator.gateway.signature_diagnosis import parse_raw_request, sentence  # noqa: PLC0415

    try:
        client = string_to_sign.read().decode() if string_to_sign else None
    except UnicodeDecodeError as error:
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


@main.command("replay")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="DIR")
def replay_artifact(folder: Path) -> None:
    """Serve the world that a failed test left in DIR (pytest --foas-artifacts), and show its calls."""
    from foas_emulator.replay import replay  # noqa: PLC0415
    from foas_emulator.testing.artifacts import ArtifactError  # noqa: PLC0415
    from foas_emulator.testing.client import EmulatorError  # noqa: PLC0415

    try:
        replay(folder)
    except (ArtifactError, EmulatorError) as error:
        refuse(str(error))


@main.group()
def snapshot() -> None:
    """Keep worlds of a running server as files, and bring them back."""


def _of_a_world(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which world of which server it is about."""
    for option in (
        click.option("--world", default="default", show_default=True, help="Name of the world."),
        click.option("--url", help="Address of the server; without it the one that --port means on this machine."),
        _PORT,
        click.option(
            "--control-token",
            envvar="FOASEMU_CONTROL_TOKEN",
            show_envvar=True,
            help="Token of the server's control API.",
        ),
    ):
        command = option(command)
    return command


@snapshot.command("save")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_of_a_world
def save_snapshot(file: Path, **world: Any) -> None:
    """Write a world into FILE: one sorted JSON document, every row on a line of its own."""
    _ask(lambda handle: handle.save(file), **world)


@snapshot.command("load")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@_of_a_world
def load_snapshot(file: Path, **world: Any) -> None:
    """Make a world what FILE says; it is created if there is none."""
    _ask(lambda handle: handle.load(file), **world)


def _ask(what: "Callable[[World], None]", *, world: str, url: str | None, port: int, control_token: str | None) -> None:
    from foas_emulator.testing.client import EmulatorError  # noqa: PLC0415
    from foas_emulator.testing.server import Server  # noqa: PLC0415

    target = url or f"http://127.0.0.1:{port}"
    try:
        what(Server(target, control_token=control_token).world(world))
    except OSError as error:
        refuse(f"{target}: {error}" if error.filename is None else describe_os_error(error))
    except (EmulatorError, ValueError) as error:
        refuse(f"{target}: {error}")
