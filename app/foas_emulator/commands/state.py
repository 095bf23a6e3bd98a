"""`foas-emulator state`: put an instance into any state."""

import re
from itertools import pairwise

import click

from foas_emulator.commands.remote import Remote, remote
from foas_emulator.completion import completing
from foas_emulator.settings import IntegerRange

STATES = ("WAITING", "RUNNING", "PAUSED", "TERMINATED", "SUCCESS", "FAILED")


def _state(text: str) -> str:
    """Return a state in capitals, however it is typed. Raise `click.BadParameter` if it is none."""
    if text.upper() not in STATES:
        raise click.BadParameter(f"{text!r} is none of {', '.join(STATES)}.")
    return text.upper()


class _Command(click.Command):
    """A command for which -1, a stream job's current instance, is an argument and not an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Click takes what begins with a blank for an argument, and whole_number() reads it.
        is_number = re.compile("-[0-9]+").fullmatch
        passed = [
            f" {each}" if is_number(each) and not before.startswith("-") else each
            for before, each in pairwise(["", *args])
        ]
        return super().parse_args(ctx, passed)


@click.command("state", cls=_Command)
@click.argument("project")
@click.argument("job")
@click.argument("instance", type=IntegerRange(min=-1))
@click.argument("state", type=_state, shell_complete=completing(lambda: STATES))
@click.option("--message", help="Error message, for the state FAILED.")
@remote
def command(emulator: Remote, *, project: str, job: str, instance: int, state: str, message: str | None) -> None:
    """Put an instance into any STATE at once.

    No call of the service can do this. INSTANCE is its id, or -1 for the current one of a stream job. STATE is WAITING,
    RUNNING, PAUSED, TERMINATED, SUCCESS or FAILED.
    """
    if message is not None and state != "FAILED":
        raise click.UsageError(f"--message is for an instance that FAILED, and not for {state}.")
    emulator.existing_world().put_state(project, job, instance, state, last_error_message=message)
    emulator.report(
        f"Instance {instance} of {project}/{job} in world {emulator.world_name} is {state}.",
        {"Id": instance, "ProjectName": project, "JobName": job, "ActualState": state},
    )
