"""`foas-emulator reset`: reset worlds."""

import click

from foas_emulator.commands.fan_out import Servers, servers_of, servers_options
from foas_emulator.commands.remote import WORLD_OPTION, Remote, refusals_of
from foas_emulator.showing import counted
from foas_emulator.testing.shapes import WORLD, WORLD_NAMES


@click.command("reset")
@click.option("--all", "everything", is_flag=True, help="Every world of the server, or of each --url.")
@WORLD_OPTION
@servers_options
@click.pass_context
def command(
    context: click.Context,
    *,
    everything: bool,
    world: str,
    urls: tuple[str, ...],
    port: int,
    control_token: str | None,
    as_json: bool,
) -> None:
    """Reset a world to its initial contents, and clear its journal."""
    servers = servers_of(urls, port, control_token, as_json=as_json)
    if everything:
        if context.get_parameter_source("world") is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError("--all and --world exclude each other.")
        _reset_all(servers)
        return
    if len(servers.servers) > 1:
        raise click.UsageError("Several --url are for --all; a world is on one server.")
    (server,) = servers.servers
    with refusals_of(server.url):
        emulator = Remote(server=server, world_name=world, as_json=as_json)
        emulator.existing_world()
        answer = server.control.request("POST", f"{emulator.path}/reset", shape=WORLD)
        emulator.report(f"World {world} was reset.", answer)


def _reset_all(servers: Servers) -> None:
    answers = servers.ask(lambda server: server.control.request("POST", "/reset", shape=WORLD_NAMES)["worlds"])
    names = [name for worlds in answers.answered.values() for name in worlds]
    sentence = f"{counted(len(names), 'world')} reset: {', '.join(names)}." if answers.answered else ""
    servers.report(sentence, {"worlds": names}, answers.failed)
