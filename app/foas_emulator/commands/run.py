"""`foas-emulator run`: run a command in an environment in which every SDK calls an emulator."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import click

from foas_emulator import garbage
from foas_emulator.commands.base import refusals_to_start
from foas_emulator.commands.remote import address, refusals_of, world_name
from foas_emulator.loading import quickly
from foas_emulator.settings import Settings, check_variables, flag, options
from foas_emulator.showing import in_one_line
from foas_emulator.temporary import temporary_directory
from foas_emulator.testing.client import EmulatorError
from foas_emulator.testing.redirection import variables_for
from foas_emulator.testing.server import Server

OWN_WORLD = "run"
"""The world of a server that is started for one command: always the same, so that all runs give the same results."""

NOT_FOUND, NOT_EXECUTABLE, KILLED = 127, 126, 128
"""Exit statuses as in shells; that of a command ended by a signal is KILLED plus the signal's number."""

_END_WITHIN = 5.0
"""Seconds to wait for a running server to drop the command's world."""

_CHOSEN_HERE = ("host", "port", "tls", "tls_port", "tls_cert", "tls_key", "intercept")
_PASSED_ON = ("SIGINT", "SIGBREAK", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
_TYPED = [getattr(signal, name) for name in ("SIGINT", "SIGBREAK") if hasattr(signal, name)]
"""The signals that a terminal sends to every program in it."""


def _run(
    context: click.Context, /, *, command: tuple[str, ...], url: str | None, world: str | None, **settings: Any
) -> None:
    """Run COMMAND so that its SDK calls an emulator.

    Programs need not name an endpoint. The emulator is started on free ports, with the settings of `serve`; --url uses
    a running one. The exit status is that of the command. Nothing is left behind.
    """
    check_variables(os.environ)
    if not command[0].strip():
        raise click.UsageError("COMMAND is empty.")
    given = [
        flag(name)
        for name in settings
        if name != "control_token" and context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    ]
    if url is not None and given:
        raise click.UsageError(f"{given[0]} is for a server that is started here; with --url there is one already.")
    child = _Child()
    with child.taking_signals():
        if url is None:
            with _started(settings) as (server, proxy):
                sys.exit(_call(command, child, server, world or OWN_WORLD, proxy=proxy))
        target = address(url, 0)
        with (
            refusals_of(target),
            _world(Server(target, control_token=settings["control_token"]), world) as (server, name),
        ):
            sys.exit(_call(command, child, server, name))


@contextmanager
def _started(settings: dict[str, Any]) -> Iterator[tuple[Server, Mapping[str, Any] | None]]:
    """Yield a server in this process, and the description of its proxy."""
    with quickly():
        # Imported here because it loads the whole emulator, which takes a while.
        from foas_emulator import logs  # noqa: PLC0415
        from foas_emulator.testing.in_thread import ThreadedServer  # noqa: PLC0415

        chosen = Settings(**settings, intercept=0)
        logs.configure(level=chosen.log_level, format_=chosen.log_format)
        with refusals_to_start():
            running = ThreadedServer(chosen)
        try:
            with garbage.in_steps():
                yield Server(running.url, control_token=chosen.control_token), running.proxy
        finally:
            running.stop()


@contextmanager
def _world(server: Server, name: str | None) -> Iterator[tuple[Server, str]]:
    """Yield the named world, or one for this command only, which is dropped afterwards."""
    if name is not None:
        yield server, name
        return
    world = server.world(f"run-{uuid4().hex[:12]}")
    try:
        yield server, world.name
    finally:
        server.control.patience = _END_WITHIN  # no signal interrupts this
        with suppress(EmulatorError, OSError):
            world.drop()


def _call(
    command: Sequence[str], child: "_Child", server: Server, world: str, *, proxy: Mapping[str, Any] | None = None
) -> int:
    """Run a command in its environment; return its exit status."""
    with temporary_directory() as directory:
        given = variables_for(server, world, os.environ, directory=directory, proxy=proxy)
        try:
            status = child.run(_found(command), {**os.environ, **_each_once(given)})
        except OSError as error:
            click.echo(in_one_line(f"foas-emulator run: {_reason(command[0], error)}"), err=True)
            return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    return status if status >= 0 else KILLED - status


def _reason(program: str, error: OSError) -> str:
    """Return why a command cannot be run. The system's words for a script mean its interpreter."""
    reason = error.strerror
    if isinstance(error, FileNotFoundError):
        if not Path(program).is_file():
            return f"there is no command {program}"
        reason = "the interpreter that it names, as after #! in its first line, does not exist"
        if Path(program).name == program:
            reason = f"it is not in PATH; give .{os.sep}{program}"
    elif Path(program).is_dir():
        reason = "it is a directory"
    elif error.errno == errno.ENOEXEC:
        reason = "it is no program, nor a script with #! in its first line"
    return f"{program} cannot be run: {reason}"


def _found(command: Sequence[str]) -> list[str]:
    """Return a command with its program's path on Windows, which looks only for `.exe`, but npm is `npm.cmd`."""
    program, *arguments = command
    return [shutil.which(program) or program if os.name == "nt" else program, *arguments]


def _each_once(variables: Mapping[str, str]) -> Mapping[str, str]:
    """Return variables without doubles: Windows has one name in either case, and .NET does not start with both."""
    return {name.upper(): value for name, value in variables.items()} if os.name == "nt" else variables


class _Child:
    """The command as a process, and the forwarding of signals to it.

    While the command runs, signals are passed on to it, and `run` keeps waiting for it. A signal before that ends
    `run`, which still cleans up; no signal interrupts the clean-up.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._is_starting = False
        self._is_ending = False
        self._meanwhile: list[int] = []

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Start the process, and wait for its status. Raise OSError if it cannot be started."""
        self._is_starting = True
        try:
            self._process = subprocess.Popen(command, env=environment)  # noqa: S603 - it is what the user asks for
        finally:
            self._is_starting = False
        for number in self._meanwhile:
            self._take(number, None)
        try:
            return self._process.wait()
        finally:
            self._is_ending = True
            self._process = None

    @contextmanager
    def taking_signals(self) -> Iterator[None]:
        """Handle all signals that would end a process, except those that this process and so the command ignore."""
        numbers = [getattr(signal, name) for name in _PASSED_ON if hasattr(signal, name)]
        numbers = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self._take) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take(self, number: int, _: object) -> None:
        if self._is_ending:
            return
        if self._is_starting:
            self._meanwhile.append(number)
        elif self._process is None:
            self._is_ending = True
            raise SystemExit(KILLED + number)
        elif not (number in _TYPED and _is_from_terminal()):
            with suppress(ProcessLookupError, PermissionError):  # it has ended, or is another user's, as sudo is
                self._process.send_signal(number)


def _is_from_terminal() -> bool:
    """Whether an interrupt was typed in the terminal, which then has sent it to the command as well."""
    if sys.platform == "win32":
        return True
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)  # standard input may be something else
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _options() -> list[click.Parameter]:
    ours: list[click.Parameter] = [
        click.Argument(["command"], nargs=-1, required=True, type=click.UNPROCESSED),
        click.Option(["--url"], help="Use the running server at this URL, which must have --intercept."),
        click.Option(
            ["--world"],
            type=world_name,
            metavar="NAME",
            help="World that the command uses; by default, a world of its own.",
        ),
    ]
    for option in options():
        if option.name == "log_level":
            option.default, option.show_default = "warning", "warning"
        if option.name not in _CHOSEN_HERE:
            ours.append(option)
    return ours


command = click.Command(
    "run",
    params=_options(),
    callback=click.pass_context(_run),
    help=_run.__doc__,
    context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False},
)
