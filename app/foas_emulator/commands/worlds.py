"""`foas-emulator worlds`: the worlds of one server or of several."""

from dataclasses import replace
from typing import Any

import click

from foas_emulator.commands.fan_out import servers_of, servers_options
from foas_emulator.commands.remote import Remote, remote, world_name
from foas_emulator.testing.shapes import WORLDS


@click.group("worlds", invoke_without_command=True)
@servers_options
@click.pass_context
def command(
    context: click.Context, *, urls: tuple[str, ...], port: int, control_token: str | None, as_json: bool
) -> None:
    """List, copy and drop the worlds of one or more servers."""
    if context.invoked_subcommand is not None:
        _refuse_options_before(context, context.invoked_subcommand)
        return
    servers = servers_of(urls, port, control_token, as_json=as_json)
    answers = servers.ask(lambda server: server.control.request("GET", "/worlds", shape=WORLDS)["worlds"])
    worlds = [{"url": url, **world} for url, listed in answers.answered.items() for world in listed]
    lines = "\n".join(_line(world, with_url=len(servers.servers) > 1) for world in worlds)
    servers.report(lines, {"worlds": worlds}, answers.failed)


def _refuse_options_before(context: click.Context, subcommand: str) -> None:
    """Refuse options before the name of a subcommand, which would be ignored."""
    for option in context.command.params:
        if context.get_parameter_source(option.name or "") is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option.opts[0]} belongs after {subcommand}.")


def _line(world: dict[str, Any], *, with_url: bool) -> str:
    idle = "closed" if world["idle_ms"] is None else f"used {world['idle_ms'] // 1000} s ago"
    where = f"{world['url']}  " if with_url else ""
    return f"{where}{world['name']}  key {world['access_key_id']}  {idle}"


@command.command("fork")
@click.argument("name", type=world_name)
@remote
def fork(emulator: Remote, *, name: str) -> None:
    """Make the world NAME a copy of --world as it is now. A world of that name is replaced."""
    if name == emulator.world_name:
        raise click.UsageError(f"World {name} cannot be a copy of itself; --world names the world to copy.")
    world, is_replaced = emulator.existing_world(), emulator.server.has_world(name)
    copy = world.fork(name)
    became = "was replaced by" if is_replaced else "is"
    emulator.report(
        f"World {name} {became} a copy of {emulator.world_name}; its access key is {copy.access_key_id}.",
        {"name": name, "access_key_id": copy.access_key_id},
    )


@command.command("drop")
@click.argument("name", type=world_name, required=False)
@remote
@click.pass_context
def drop(context: click.Context, emulator: Remote, *, name: str | None) -> None:
    """Drop the world NAME, or that of --world. The next use of the name creates a new world."""
    is_named = context.get_parameter_source("world") is click.core.ParameterSource.COMMANDLINE
    if (name is None) is not is_named:
        raise click.UsageError("Name the world to drop, once: worlds drop NAME.")
    emulator = emulator if name is None else replace(emulator, world_name=name)
    emulator.existing_world().drop()
    emulator.report(f"World {emulator.world_name} was dropped.", {"name": emulator.world_name})
