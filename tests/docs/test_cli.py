"""docs/cli.md: every command is run by a shell, in the order of the page, and says what the page shows."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from foas_emulator.cli import main
from tests.clients.builds import do_without
from tests.docs.console import commands_of, run_as_shown, say
from tests.process import serving

pytestmark = pytest.mark.xdist_group("docs-cli")

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
COMMANDS = commands_of(PAGE)
SERVE = "foas-emulator serve "


def test_every_command_of_the_page_does_what_the_page_shows(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        do_without("curl is not installed")
    (options,) = [command.removeprefix(SERVE) for command, _ in COMMANDS if command.startswith(SERVE)]
    with serving(*options.replace("8020", "0").split()) as emulator:
        variables = {"FOASEMU_PORT": emulator.url.rpartition(":")[2]}
        for command, shown in COMMANDS:
            if not command.startswith(SERVE):
                run_as_shown(command, shown, tmp_path, variables)
        emulator.stop()  # it takes its files away, which one that is killed cannot


def test_every_command_is_on_the_page() -> None:
    context = main.make_context("foas-emulator", ["--help"], resilient_parsing=True)
    for name in main.list_commands(context):
        assert re.search(rf"`{name}[`, ]", PAGE), f"the page does not tell of {name}"


def subcommands(group: click.Group, *path: str) -> Iterator[str]:
    """Every command below a group, as it is typed."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from subcommands(command, *path, name)
        else:
            yield " ".join([*path, name])


def test_every_command_is_run_on_the_page() -> None:
    run = "\n".join(command for command, _ in COMMANDS)
    commands = set(subcommands(main)) - {"replay"}  # it serves what a failed test left: tests/testing runs it
    assert len(commands) > 20
    assert [name for name in sorted(commands) if f"foas-emulator {name}" not in run] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_made_for_the_shells_of_the_page(shell: str, tmp_path: Path) -> None:
    assert f"_FOAS_EMULATOR_COMPLETE={shell}_source foas-emulator" in PAGE
    if shell == "bash" and shutil.which("bash") is None:
        do_without("bash is not installed")
    script = say(f"_FOAS_EMULATOR_COMPLETE={shell}_source foas-emulator", tmp_path, {})
    assert "_FOAS_EMULATOR_COMPLETE" in script
