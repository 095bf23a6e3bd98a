"""How the command line fails: every error is one line on standard error, and none is a traceback."""

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

import click


class Commands(click.Group):
    """A group of commands whose errors are one line each.

    The exit status is 2 for a wrong command line and 1 for what cannot be done. Whoever closes standard output early,
    as `head` does, is not told.
    """

    def main(self, args: Sequence[str] | None = None, *rest: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run the command that the arguments name, and exit unless `standalone_mode` is false."""
        run = partial(super().main, args, *rest, standalone_mode=False, **extra)
        if not standalone_mode:
            return run()
        try:
            status: Any = run()
            if sys.stdout is not None:
                sys.stdout.flush()
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except click.ClickException as error:
            refuse(f"Error: {error.format_message()}", status=error.exit_code)
        except click.Abort:
            refuse("Aborted!")
        except BrokenPipeError:
            _close_output()
            sys.exit(1)
        except (OSError, UnicodeError) as error:
            _close_output()
            refuse(describe_os_error(error))
        sys.exit(status if isinstance(status, int) else 0)


def refuse(message: str, *, status: int = 1) -> NoReturn:
    """Print a message as one line on standard error, and exit."""
    refuse_each([message], status=status)


def refuse_each(messages: Iterable[object], *, status: int = 1) -> NoReturn:
    """Print each message as a line of its own on standard error, and exit."""
    with suppress(OSError):
        for message in messages:
            click.echo(" ".join(str(message).split()), err=True)
    sys.exit(status)


def describe_os_error(error: OSError | UnicodeError) -> str:
    """What the system refused, with the file it is about; the standard streams have no name of their own."""
    reason = getattr(error, "strerror", None) or str(error)
    file = getattr(error, "filename", None)
    return f"{'standard output' if file is None else click.format_filename(file)}: {reason}"


def _close_output() -> None:
    """Have nothing written to standard output any more: the interpreter would try again when it ends, and complain."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
