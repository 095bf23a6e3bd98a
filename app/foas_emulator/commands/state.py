"""`foas-emulator state`: put an instance into any state."""

import click

from foas_emulator.commands.remote import Remote, remote

STATES = ("WAITING", "RUNNING", "PAUSED", "TERMINATED", "SUCCESS", "FAILED")


@click.command("state")
@click.argument("project")
@click.argument("job")
@click.argument("instance", type=int)
@click.argument("state", type=click.Choice(STATES, case_sensitive=False))
@click.option("--message", help="Error message of an instance that FAILED.")
@remote
def command(emulator: Remote, *, project: str, job: str, instance: int, state: str, message: str | None) -> None:
    """Put an instance into a state at once, as no call of the service can."""
    emulator.existing_world().put_state(project, job, instance, state.upper(), last_error_message=message)
    emulator.report(
        f"Instance {instance} of {project}/{job} in world {emulator.world_name} is {state.upper()}.",
        {"Id": instance, "ProjectName": project, "JobName": job, "ActualState": state.upper()},
    )
