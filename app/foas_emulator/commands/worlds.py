"""`foas-emulator worlds`: the worlds of one server or of several."""

from typing import Any

import click

from foas_emulator.commands.base import PORT_OPTION, TOKEN_OPTION
from foas_emulator.commands.remote import Remote, address, refusals_of, remote
from foas_emulator.testing.server import Server


@click.group("worlds", invoke_without_command=True)
@click.option("--url", "urls", multiple=True, help="Address of a server. Repeatable: all of them are asked.")
@PORT_OPTION
@TOKEN_OPTION
@click.option("--json", "as_json", is_flag=True, help="Print the servers' answers as one document.")
@click.pass_context
def command(
    context: click.Context, *, urls: tuple[str, ...], port: int, control_token: str | None, as_json: bool
) -> None:
    """List the worlds of a server, or of several; the subcommands copy and end one."""
    if context.invoked_subcommand is not None:
        return
    worlds: list[dict[str, Any]] = []
    for url in urls or (None,):
        target = address(url, port)
        with refusals_of(target):
            listed = Server(target, control_token=control_token).control.request("GET", "/worlds")["worlds"]
        worlds += [{"url": target, **world} for world in listed]
    several = Remote(server=Server(""), world_name="", as_json=as_json)
    several.report("\n".join(_line(world, with_url=len(urls) > 1) for world in worlds), {"worlds": worlds})


def _line(world: dict[str, Any], *, with_url: bool) -> str:
    idle = "closed" if world["idle_ms"] is None else f"used {world['idle_ms'] // 1000} s ago"
    where = f"{world['url']}  " if with_url else ""
    return f"{where}{world['name']}  key {world['access_key_id']}  {idle}"


@command.command("fork")
@click.argument("name")
@remote
def fork(emulator: Remote, *, name: str) -> None:
    """Make the world NAME a copy of --world as it is now."""
    copy = emulator.existing_world().fork(name)
    emulator.report(
        f"World {name} is a copy of {emulator.world_name}; its access key is {copy.access_key_id}.",
        {"name": name, "access_key_id": copy.access_key_id},
    )


@command.command("drop")
@remote
def drop(emulator: Remote) -> None:
    """End --world. Whoever asks for its name gets a new one."""
    emulator.existing_world().drop()
    emulator.report(f"World {emulator.world_name} is gone.", {"name": emulator.world_name})
