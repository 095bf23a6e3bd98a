"""Common parts of commands for a running server: its URL, a world there, and the output of results."""

import errno
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any

import click

from foas_emulator.commands.base import (
    PORT_OPTION,
    TOKEN_OPTION,
    URL_OPTION,
    describe_no_answer,
    describe_os_error,
    refuse,
)
from foas_emulator.showing import harmless, in_one_line
from foas_emulator.testing.client import EmulatorError
from foas_emulator.testing.server import Server
from foas_emulator.testing.world import World
from foas_emulator.world.instants import instant_text
from foas_emulator.world.names import WorldNameError, check_name

Command = Callable[..., None]

_OF_DISKS = {errno.EFBIG, errno.EIO, errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""Errors of standard output that no connection has."""
NO_SUCH_PATH = "Not Found."
"""The error of a control API for a path that it does not have."""
FAILURES = (OSError, EmulatorError, ValueError, OverflowError)
"""The exceptions for a server that refuses, does not answer, or is not an emulator."""


def world_name(name: str) -> str:
    """Return a name of a world as it is. Raise `click.BadParameter` if no world can have it."""
    try:
        check_name(name)
    except WorldNameError as error:
        raise click.BadParameter(str(error)) from None
    return name


WORLD_OPTION = click.option(
    "--world", type=world_name, metavar="NAME", default="default", show_default=True, help="Name of the world."
)
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print the server's answer instead of a sentence.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A running server, a world in it, and the form in which the user wants to read results."""

    server: Server
    world_name: str
    as_json: bool

    @property
    def world(self) -> World:
        """The world, whether it exists or not, for commands that create worlds."""
        return self.server.world(self.world_name)

    @property
    def path(self) -> str:
        """The world's path in the control API."""
        return self.world.path

    def existing_world(self) -> World:
        """Return the world; raise `EmulatorError` if it does not exist, so that a typing error creates no world."""
        if not self.server.has_world(self.world_name):
            raise EmulatorError(404, f"There is no world {self.world_name}.", "foas-emulator worlds lists the worlds.")
        return self.world

    def report(self, sentence: str, document: Any) -> None:
        """Print the result: a sentence or, with --json, the server's answer."""
        say(sentence, document, as_json=self.as_json)


def server_options(command: Command) -> Command:
    """Give a command the options that name a server, as `url`, `port` and `control_token`."""
    for option in (URL_OPTION, PORT_OPTION, TOKEN_OPTION):
        command = option(command)
    return command


def remote(command: Command) -> Command:
    """Give a command the options of a server and a world, and a `Remote` as its first argument."""

    @wraps(command)
    def call(*, url: str | None, port: int, control_token: str | None, world: str, as_json: bool, **more: Any) -> None:
        target = address(url, port)
        with refusals_of(target):
            server = Server(target, control_token=control_token)
            command(Remote(server=server, world_name=world, as_json=as_json), **more)

    return server_options(WORLD_OPTION(JSON_OPTION(call)))


def address(url: str | None, port: int) -> str:
    """Return the URL of the server that the options name. End the command if it cannot be the address of one."""
    target = (url or f"http://127.0.0.1:{port}").strip().rstrip("/")
    if not target.lower().startswith(("http://", "https://")):
        refuse(f"{target}: an address begins with http:// or https://")
    alone, is_longer, _ = target.partition("/_emulator")
    if is_longer:
        refuse(f"{target}: this is the URL of a page; the server's address is {alone}")
    return target


@contextmanager
def refusals_of(target: str) -> Iterator[None]:
    """End the command with a sentence if the server at a URL refuses a request, or does not answer."""
    try:
        yield
    except FAILURES as error:
        if isinstance(error, OSError) and (error.filename is not None or error.errno in _OF_DISKS):
            refuse(describe_os_error(error))
        refuse(f"{target}: {reason_of(error)}")


def reason_of(error: Exception) -> str:
    """Return why a server failed; if it wants another token, with the option that gives it."""
    if isinstance(error, EmulatorError) and error.error == NO_SUCH_PATH:
        return "it is a foas-emulator of an older version, which cannot do this"
    if not (isinstance(error, EmulatorError) and error.status == HTTPStatus.UNAUTHORIZED and "token" in error.error):
        return describe_no_answer(error)
    is_given = click.get_current_context().params.get("control_token") is not None
    wrong = "This is not its control token." if is_given else "It requires its control token."
    return (
        f"{wrong} Give the token with --control-token or FOASEMU_CONTROL_TOKEN; "
        "it is the server's setting, or was printed when it started."
    )


def say(sentence: str, document: Any, *, as_json: bool) -> None:
    """Print a sentence, or a document as JSON."""
    click.echo(harmless(json.dumps(document, ensure_ascii=False, indent=2) if as_json else sentence))


def change_lines(changes: list[dict[str, Any]]) -> str:
    """Return a line for each change: what it brings about, and in parentheses what it is."""
    return "".join(f"\n  {instant_text(change['at'])} {in_one_line(_described(change))}" for change in changes)


def _described(change: dict[str, Any]) -> str:
    what, job, state = change["what"], change["job"], change["state"]
    if state is not None:
        return f"{job or what.partition(' ')[0]} becomes {state} ({what})"
    return what if job is None else f"{job} ({what})"
