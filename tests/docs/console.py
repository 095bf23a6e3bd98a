"""Commands that a page shows with what they say, and a shell that runs them."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.process import environment


def commands_of(page: str) -> list[tuple[str, str]]:
    """The commands of a page's `console` blocks, each with what is shown below it."""
    blocks = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    return re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", "".join(blocks), re.MULTILINE)


def run_as_shown(command: str, shown: str, directory: Path, variables: Mapping[str, str]) -> None:
    """Run a command; fail if it says anything but what is shown, where `...` stands for anything."""
    said = say(command, directory, variables)
    pattern = ".*".join(map(re.escape, shown.split("...")))
    assert re.fullmatch(pattern, said, re.DOTALL), f"{command}\nsays  {said}\nshown {shown}"


def say(command: str, directory: Path, variables: Mapping[str, str]) -> str:
    """What a command says on both of its streams; it has to succeed."""
    given = environment(variables)
    given["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), given["PATH"], "/usr/sbin"])
    ran = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=directory,
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, f"{command}: {ran.stdout}"
    return ran.stdout
