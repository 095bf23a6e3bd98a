"""`foas-emulator reset`: worlds as they began."""

import click

from foas_emulator.commands.remote import Remote, counted, remote


@click.command("reset")
@click.option("--all", "everything", is_flag=True, help="Every world of the server.")
@remote
def command(emulator: Remote, *, everything: bool) -> None:
    """Return a world to what it was created from; its journal begins anew."""
    if everything:
        answer = emulator.server.control.request("POST", "/reset")
        emulator.report(
            f"{counted(len(answer['worlds']), 'world')} as they began: {', '.join(answer['worlds'])}.", answer
        )
        return
    emulator.existing_world()
    answer = emulator.server.control.request("POST", f"{emulator.path}/reset")
    emulator.report(f"World {emulator.world_name} is as it began.", answer)
