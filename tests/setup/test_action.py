"""action.yml is what GitHub takes, and its steps, run as its runner does, end with a served world."""

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from foas_emulator.testing import Server
from tests.process import environment
from tests.setup.test_files import ROOT, conforms

FILE = ROOT / "action.yml"
ACTION = yaml.safe_load(FILE.read_text("utf-8"))
PAGE = (ROOT / "docs" / "ci.md").read_text("utf-8")
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]


def test_the_action_conforms_to_the_schema_of_github(tmp_path: Path) -> None:
    checked = conforms("vendor.github-actions", FILE)
    assert checked.returncode == 0, checked.stdout
    wrong = tmp_path / "action.yml"
    wrong.write_text(FILE.read_text("utf-8").replace("using: composite", "using: something"), "utf-8")
    assert conforms("vendor.github-actions", wrong).returncode == 1


def test_expressions_name_what_is_there() -> None:
    named = set(re.findall(r"\$\{\{\s*(\S+)\s*\}\}", FILE.read_text("utf-8")))
    outputs = {f"steps.start.outputs.{name}" for name in ("url", "log")}
    assert named == {f"inputs.{name}" for name in ACTION["inputs"]} | outputs
    assert not [step for step in STEPS if "${{" in step["run"]], "an input in a script could be any command"


def filled(variables: Mapping[str, str], inputs: Mapping[str, str]) -> dict[str, str]:
    return {name: inputs[re.findall(r"inputs\.(\w+)", text)[0]] for name, text in variables.items()}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.skipif(sys.platform == "win32", reason="the runner's bash of Windows is not everywhere")
def test_the_step_that_starts_ends_with_a_served_world(tmp_path: Path) -> None:
    """The installation is that of this environment: a test must not need a network."""
    files = {name: tmp_path / name for name in ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH")}
    inputs = {name: str(each["default"]) for name, each in ACTION["inputs"].items()}
    inputs |= {"port": str(free_port()), "options": "--seed empty --start-delay 7s"}
    start = STEPS[1]
    variables = filled(start["env"], inputs) | {name: str(file) for name, file in files.items()}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", start["run"]]
    done = subprocess.run(
        shell,
        cwd=tmp_path,
        env=environment({**variables, "RUNNER_TEMP": str(tmp_path), "PATH": path}),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text("utf-8").splitlines())
        exported = dict(line.split("=", 1) for line in files["GITHUB_ENV"].read_text("utf-8").splitlines())
        assert exported == {"FOAS_ENDPOINT": outputs["url"], "FOAS_ARTIFACTS": "foas-artifacts"}
        assert Server(outputs["url"]).world("default").settings["start_delay"] == "7s"
        assert "listening on" in Path(outputs["log"]).read_text("utf-8")
    finally:
        os.kill(int((tmp_path / "foas-emulator.pid").read_text("utf-8")), signal.SIGTERM)


WORKFLOWS = [block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "runs-on:" in block]


def test_workflows_of_the_page_conform_to_the_schema_of_github(tmp_path: Path) -> None:
    assert WORKFLOWS
    for number, text in enumerate(WORKFLOWS):
        file = tmp_path / f"{number}.yml"
        file.write_text(textwrap.dedent(text), "utf-8")
        checked = conforms("vendor.github-workflows", file)
        assert checked.returncode == 0, checked.stdout


def test_other_configurations_of_the_page_are_yaml() -> None:
    for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL):
        assert list(yaml.safe_load_all(block))
