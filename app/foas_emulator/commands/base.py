"""Common parts of all commands: the options that name a server, and the handling of errors.

Every error is one line on standard error, never a traceback.
"""

import errno
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from io import BytesIO, TextIOWrapper
from threading import current_thread, main_thread
from typing import Any, NoReturn

import click
from click.core import ParameterSource

from foas_emulator.settings import IntegerRange, SettingError, flag, variable
from foas_emulator.showing import harmless

URL_OPTION = click.option("--url", help="URL of the server; by default, the server on this machine at --port.")
PORT_OPTION = click.option(
    "--port", type=IntegerRange(0, 65535), default=8018, envvar="FOASEMU_PORT", show_envvar=True, show_default=True
)
TOKEN_OPTION = click.option(
    "--control-token", envvar="FOASEMU_CONTROL_TOKEN", show_envvar=True, help="Token of the server's control API."
)

_INTERRUPTED = 130
"""The exit status of shells for a command that SIGINT ends."""

_OF_WRITING = {
    getattr(errno, name, None) for name in ("EAGAIN", "EBADF", "EDQUOT", "EFBIG", "EINVAL", "EIO", "ENOSPC", "ENXIO")
}
"""Errors of an output that accepts nothing, such as a full disk or a closed terminal."""

_OF_VARIABLES = (ParameterSource.ENVIRONMENT, None)
"""The sources of a setting that a variable may have given: the flag itself, or none if the command has no such flag."""


class Commands(click.Group):
    """A group of commands whose errors are one line each.

    The exit status is 2 for a wrong command line, 1 for what cannot be done and, as in shells, 130 for a command that
    Ctrl-C ends. A reader that closes standard output early, as `head` does, gets no error.
    """

    def main(self, args: Sequence[str] | None = None, *rest: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run the command that the arguments name, and exit unless `standalone_mode` is false."""
        run = partial(super().main, args, *rest, standalone_mode=False, **extra)
        if not standalone_mode:
            return run()
        _prepare_streams()
        try:
            with _ended_by_signals():
                status: Any = run()
            if sys.stdout is not None:
                sys.stdout.flush()
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except click.ClickException as error:
            refuse(f"Error: {error.format_message()}{_advice(error)}", status=error.exit_code)
        except click.Abort:
            refuse("Aborted!", status=_INTERRUPTED)
        except BrokenPipeError:
            _close_output()
            sys.exit(1)
        except (OSError, UnicodeError) as error:
            _close_output()
            refuse(describe_os_error(error))
        except (ImportError, RuntimeError, MemoryError) as error:
            refused = _refused(error)
            if refused is None:
                raise
            refuse(refused)
        sys.exit(status if isinstance(status, int) else 0)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a command as Ctrl-C does, so that it removes the file that it is writing."""
    signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    ours = [number for number in signals if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours if current_thread() is main_thread() else ():
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in ours:
            if signal.getsignal(number) is _end:  # else a server has its own, and still needs it
                signal.signal(number, signal.SIG_DFL)


def _end(number: int, _: object) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _refused(error: Exception) -> str | None:
    """Return what this Python or the system lacks; None for an error of the program."""
    if isinstance(error, ImportError):
        lacks = error.name in sys.stdlib_module_names
        return f"this Python was built without {error.name}, or cannot load it; use another Python" if lacks else None
    from foas_emulator.world.shortage import refused_by_system  # noqa: PLC0415 - for this error alone

    return refused_by_system(error)


def _advice(error: click.ClickException) -> str:
    """Return advice that click does not give: what -5 is taken for, and where commands and options are listed."""
    if isinstance(error, click.NoSuchOption) and error.option_name[1:2].isdecimal():
        return " Give -- before an argument that begins with a minus sign."
    message = error.format_message()
    is_unknown = message.startswith(("No such ", "Got unexpected ")) and not message.endswith(("?", "?)"))
    if not is_unknown or not isinstance(error, click.UsageError) or error.ctx is None:
        return ""
    return f"{'' if message.endswith('.') else '.'} See {error.ctx.command_path} --help."


def refuse(message: str, *, status: int = 1) -> NoReturn:
    """Print a message as one line on standard error, and exit."""
    refuse_each([message], status=status)


def refuse_each(messages: Iterable[object], *, status: int = 1) -> NoReturn:
    """Print each message as a line of its own on standard error, and exit."""
    with suppress(OSError):
        for message in messages:
            click.echo(harmless(" ".join(str(message).split())), err=True)
    sys.exit(status)


def describe_os_error(error: OSError | UnicodeError) -> str:
    """Return the reason of a system error with the file that it concerns.

    That is standard output for an error of writing without a name. Other errors without one concern no file.
    """
    reason = getattr(error, "strerror", None) or str(error)
    file = getattr(error, "filename", None)
    if file is not None:
        return f"{click.format_filename(file)}: {reason}"
    return f"standard output: {reason}" if isinstance(error, UnicodeError) or error.errno in _OF_WRITING else reason


def describe_no_answer(error: Exception) -> str:
    """Return why a server did not answer, and what to do about it where that is known."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused; foas-emulator serve starts a server"
    if untrusted := getattr(error, "verify_message", ""):  # of ssl.SSLCertVerificationError
        advice = "save its /_emulator/ca.pem, and name the file in SSL_CERT_FILE"
        return f"its certificate is not trusted ({untrusted}); {advice}"
    if getattr(error, "reason", None) == "WRONG_VERSION_NUMBER":  # of ssl.SSLError
        return "this port has no https; use http://, or the https port of a server with --tls"
    return getattr(error, "strerror", None) or str(error)


@contextmanager
def refusals_to_start() -> Iterator[None]:
    """End the command with the errors in the settings of a server that is started inside the block, one per line."""
    from foas_emulator.seeds.errors import SeedError  # noqa: PLC0415 - other commands need no server
    from foas_emulator.serving.server import StartError  # noqa: PLC0415

    try:
        yield
    except SettingError as error:
        refuse(_as_given(error))
    except SeedError as error:
        source = click.get_current_context().get_parameter_source("seed")
        given = f"{variable('seed')}: " if source is ParameterSource.ENVIRONMENT else ""
        refuse_each(f"{given}{fault}" for fault in error.faults)
    except StartError as error:
        refuse(str(error))


def _as_given(error: SettingError) -> str:
    """Return the message of a wrong setting, with the name of the flag or variable by which it was given."""
    source = click.get_current_context().get_parameter_source(error.setting)
    is_in_environment = variable(error.setting) in os.environ  # some commands have no flag for it
    name = variable(error.setting) if is_in_environment and source in _OF_VARIABLES else flag(error.setting)
    return f"{name}: {error.reason}"


def _prepare_streams() -> None:
    """Let the streams write any text in their encoding, with escapes for what it lacks; read nothing if there is none.

    click takes a standard input that is closed for a fault of the program.
    """
    if sys.stdin is None:
        sys.stdin = TextIOWrapper(BytesIO(), encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
            if sys.platform == "win32" and not stream.isatty() and "PYTHONIOENCODING" not in os.environ:
                stream.reconfigure(encoding="utf-8")  # so that other programs read the same bytes on every system


def _close_output() -> None:
    """Discard further output: otherwise the interpreter would try to flush it at its end, and print an error."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
