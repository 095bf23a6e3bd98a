"""The commands of `foas-emulator` that talk to a server, each in a module that is imported when it is asked for."""

from importlib import import_module

import click

from foas_emulator.commands.base import Commands

NAMES = (
    "clock",
    "env",
    "fault",
    "healthcheck",
    "journal",
    "replay",
    "reset",
    "run",
    "scenario",
    "snapshot",
    "state",
    "worlds",
)
"""The commands of this package; each is the member `command` of the module of its name."""


class LazyGroup(Commands):
    """A group that has the commands of this package beside its own, so that `serve` starts without them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *NAMES})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in NAMES:
            command: click.Command = import_module(f"{__name__}.{cmd_name}").command
            return command
        return super().get_command(ctx, cmd_name)
