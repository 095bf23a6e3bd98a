"""docs/cli.md: every command is run by a shell, in the order of the page, and says what the page shows."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from foas_emulator.cli import main
from tests.clients.builds import do_without
from tests.process import environment, serving

pytestmark = pytest.mark.xdist_group("docs-cli")

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", "".join(BLOCKS), re.MULTILINE)
SERVE = "foas-emulator serve "


def as_pattern(shown: str) -> str:
    """What a page shows, where `...` stands for anything."""
    return ".*".join(map(re.escape, shown.split("...")))


def say(command: str, directory: Path, port: str) -> str:
    """What a command says on both of its streams."""
    variables = environment({"FOASEMU_PORT": port})
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
    ran = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=directory,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, f"{command}: {ran.stdout}"
    return ran.stdout


def test_every_command_of_the_page_does_what_the_page_shows(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        do_without("curl is not installed")
    (options,) = [command.removeprefix(SERVE) for command, _ in COMMANDS if command.startswith(SERVE)]
    with serving(*options.replace("8020", "0").split()) as emulator:
        port = emulator.url.rpartition(":")[2]
        for command, shown in COMMANDS:
            if not command.startswith(SERVE):
                said = say(command, tmp_path, port)
                assert re.fullmatch(as_pattern(shown), said, re.DOTALL), f"{command}\nsays  {said}\nshown {shown}"
        emulator.stop()  # it takes its files away, which one that is killed cannot


def test_every_command_is_on_the_page() -> None:
    context = main.make_context("foas-emulator", ["--help"], resilient_parsing=True)
    for name in main.list_commands(context):
        assert re.search(rf"`{name}[`, ]", PAGE), f"the page does not tell of {name}"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_made_for_the_shells_of_the_page(shell: str, tmp_path: Path) -> None:
    assert f"_FOAS_EMULATOR_COMPLETE={shell}_source foas-emulator" in PAGE
    if shell == "bash" and shutil.which("bash") is None:
        do_without("bash is not installed")
    script = say(f"_FOAS_EMULATOR_COMPLETE={shell}_source foas-emulator", tmp_path, "8018")
    assert "_FOAS_EMULATOR_COMPLETE" in script
