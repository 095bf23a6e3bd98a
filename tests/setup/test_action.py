"""action.yml is what GitHub takes, and its steps, run as its runner does, end with a served world."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from foas_emulator import __version__
from foas_emulator.testing import Emulator, Server
from tests.clients.builds import Project, built
from tests.process import environment
from tests.setup.test_files import ROOT, WORKFLOWS, conforms

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


FILES = ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH")


def start_step(directory: Path, **inputs: object) -> subprocess.CompletedProcess[str]:
    """Run the step that starts the emulator, with its files in a directory, as a runner does."""
    given = {name: str(each["default"]) for name, each in ACTION["inputs"].items()}
    given |= {name: str(value) for name, value in inputs.items()}
    start = STEPS[1]
    variables = filled(start["env"], given) | {name: str(directory / name) for name in FILES}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", start["run"]],
        cwd=directory,
        env=environment({**variables, "RUNNER_TEMP": str(directory), "PATH": path}),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def written_to(name: str, directory: Path) -> dict[str, str]:
    """Return the variables that a step has written to one of its files; of several values, the last one."""
    return dict(line.split("=", 1) for line in (directory / name).read_text("utf-8").splitlines())


def stop(directory: Path) -> None:
    """Stop the servers that steps have started."""
    for file in directory.glob("foas-emulator-*/foas-emulator.pid"):
        os.kill(int(file.read_text("utf-8")), signal.SIGTERM)


@pytest.mark.skipif(sys.platform == "win32", reason="the runner's bash of Windows is not everywhere")
def test_a_python_that_is_too_old_is_named() -> None:
    (python,) = re.findall(r"python3 -c '(.*?)'", STEPS[0]["run"], re.DOTALL)
    for older, code in ((False, 0), (True, 1)):
        pretend = "import sys; sys.version_info = (3, 10); sys.version = '3.10.1 (main)'; " if older else ""
        done = subprocess.run(
            [sys.executable, "-c", pretend + python], capture_output=True, encoding="utf-8", check=False
        )
        assert (done.returncode, "python3 is Python 3.10.1, and" in done.stderr) == (code, older)


@pytest.mark.skipif(sys.platform == "win32", reason="the runner's bash of Windows is not everywhere")
def test_the_action_used_twice_in_a_job_keeps_both_logs(tmp_path: Path) -> None:
    try:
        urls, logs = set(), set()
        for _ in range(2):
            assert start_step(tmp_path, port=0).returncode == 0
            outputs = written_to("GITHUB_OUTPUT", tmp_path)
            assert f"listening on {outputs['url']}\n" in Path(outputs["log"]).read_text("utf-8")
            urls.add(outputs["url"])
            logs.add(outputs["log"])
        assert (len(urls), len(logs)) == (2, 2)
    finally:
        stop(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="the runner's bash of Windows is not everywhere")
def test_the_step_that_starts_fails_where_another_server_has_the_port(tmp_path: Path) -> None:
    with Emulator() as other:
        done = start_step(tmp_path, port=other.url.rpartition(":")[2])
    assert done.returncode == 1
    assert "--port: " in done.stdout
    assert "url" not in written_to("GITHUB_OUTPUT", tmp_path)
    assert "--port: " in Path(written_to("GITHUB_OUTPUT", tmp_path)["log"]).read_text("utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="the runner's bash of Windows is not everywhere")
def test_port_0_takes_a_free_one_and_exports_it(tmp_path: Path) -> None:
    done = start_step(tmp_path, port=0)
    try:
        assert done.returncode == 0, done.stdout
        url = written_to("GITHUB_ENV", tmp_path)["FOAS_ENDPOINT"]
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9][0-9]*", url)
        Server(url).world("here").reset()
    finally:
        stop(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have 127.0.0.1 alone")
@pytest.mark.parametrize(("host", "reached"), [("127.0.0.2", "127.0.0.2"), ("0.0.0.0", "127.0.0.1")])
def test_a_host_of_the_options_is_where_it_waits_and_what_it_exports(tmp_path: Path, host: str, reached: str) -> None:
    done = start_step(tmp_path, port=0, options=f"--host {host}")
    try:
        assert done.returncode == 0, done.stdout
        assert written_to("GITHUB_ENV", tmp_path)["FOAS_ENDPOINT"].startswith(f"http://{reached}:")
    finally:
        stop(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="the runner's bash of Windows is not everywhere")
def test_an_input_exports_no_variable_but_its_own(tmp_path: Path) -> None:
    done = start_step(tmp_path, artifacts="here\nPATH=there")
    assert (done.returncode, done.stdout) == (1, "artifacts holds a line end\n")
    assert not (tmp_path / "GITHUB_ENV").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the runner's bash of Windows is not everywhere")
def test_the_step_that_starts_ends_with_a_served_world(tmp_path: Path) -> None:
    """The installation is that of this environment: a test must not need a network."""
    (tmp_path / "file").touch()  # a * is none of the files that are there
    options = "--seed empty --start-delay 7s --cors-origins *"
    done = start_step(tmp_path, port=free_port(), options=options)
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        outputs, exported = written_to("GITHUB_OUTPUT", tmp_path), written_to("GITHUB_ENV", tmp_path)
        assert exported == {"FOAS_ENDPOINT": outputs["url"], "FOAS_ARTIFACTS": "foas-artifacts"}
        assert Server(outputs["url"]).world("default").settings["start_delay"] == "7s"
        assert Server(outputs["url"]).info()["settings"]["cors_origins"] == ["*"]
        assert "listening on" in Path(outputs["log"]).read_text("utf-8")
    finally:
        stop(tmp_path)


def lines_of_the_page(directory: Path, *, port: int) -> subprocess.CompletedProcess[str]:
    """Run the page's lines for pip alone, after the installation."""
    (block,) = [block for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if " serve " in block]
    lines = [line for line in block.splitlines() if "pip install" not in line and "-m venv" not in line]
    (directory / "emulator").symlink_to(Path(sys.executable).parent.parent)
    tests = directory / "run-your-tests"
    tests.write_text("#!/bin/sh\ntouch ran", "utf-8")
    tests.chmod(0o755)
    return subprocess.run(
        ["bash", "-e", "-c", "\n".join(lines)],
        cwd=directory,
        env=environment({"FOASEMU_PORT": str(port)}),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="the page's shell is that of other systems")
def test_the_lines_of_the_page_end_with_tests_that_run(tmp_path: Path) -> None:
    port = free_port()
    done = lines_of_the_page(tmp_path, port=port)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "ran").exists()
    log = tmp_path / "foas-emulator.log"
    assert f"listening on http://127.0.0.1:{port}" in log.read_text("utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="the page's shell is that of other systems")
def test_the_lines_of_the_page_fail_where_another_server_has_the_port(tmp_path: Path) -> None:
    with Emulator() as other:
        done = lines_of_the_page(tmp_path, port=int(other.url.rpartition(":")[2]))
    assert done.returncode == 1
    assert "cannot listen on" in done.stdout
    assert not (tmp_path / "ran").exists()


WORKFLOWS_OF_THE_PAGE = [block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "runs-on:" in block]


def test_workflows_of_the_page_conform_to_the_schema_of_github(tmp_path: Path) -> None:
    assert WORKFLOWS_OF_THE_PAGE
    for number, text in enumerate(WORKFLOWS_OF_THE_PAGE):
        file = tmp_path / f"{number}.yml"
        file.write_text(textwrap.dedent(text), "utf-8")
        checked = conforms("vendor.github-workflows", file)
        assert checked.returncode == 0, checked.stdout


ACTIONLINT = Project(
    root=ROOT / "tests" / "setup",
    language="actionlint",
    needs=["go"],
    fetch=[["go", "mod", "download"]],
    compile=["go", "build", "-o", "actionlint", "github.com/rhysd/actionlint/cmd/actionlint"],
)
NAMED = re.compile(r"your-organisation/foas-emulator@\S+")


def linted(directory: Path, workflow: str) -> str:
    """What actionlint says of a workflow in a repository that has our action."""
    (directory / ".git").mkdir(parents=True)
    shutil.copy(FILE, directory)
    (directory / ".github" / "workflows").mkdir(parents=True)
    (directory / ".github" / "workflows" / "test.yml").write_text(workflow, "utf-8")
    # What shellcheck says would depend on whether it is installed.
    words = [str(built(ACTIONLINT) / "actionlint"), "-oneline", "-shellcheck=", "-pyflakes="]
    done = subprocess.run(words, cwd=directory, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert (done.returncode, done.stderr) == (int(bool(done.stdout)), "")
    return done.stdout


def test_actionlint_finds_nothing_in_workflows_of_the_repository_and_of_the_page(tmp_path: Path) -> None:
    texts = [file.read_text("utf-8") for file in WORKFLOWS]
    texts += [NAMED.sub("./", textwrap.dedent(block)) for block in WORKFLOWS_OF_THE_PAGE]
    assert "uses: ./" in "".join(texts)
    assert [linted(tmp_path / str(number), text) for number, text in enumerate(texts)] == [""] * len(texts)


def page_workflow() -> str:
    """The page's workflow that uses the action."""
    (text,) = [block for block in WORKFLOWS_OF_THE_PAGE if NAMED.search(block)]
    return NAMED.sub("./", textwrap.dedent(text))


def workflow_of_the_steps() -> str:
    """The action's own steps as a workflow with the same inputs: actionlint reads no steps in an action."""
    job = {
        "runs-on": "ubuntu-latest",
        "steps": STEPS,
        "outputs": {name: output["value"] for name, output in ACTION["outputs"].items()},
    }
    inputs = {name: {"type": "string", "default": each["default"]} for name, each in ACTION["inputs"].items()}
    outputs = {name: {"value": f"${{{{ jobs.action.outputs.{name} }}}}"} for name in ACTION["outputs"]}
    document = {"on": {"workflow_call": {"inputs": inputs, "outputs": outputs}}, "jobs": {"action": job}}
    return yaml.safe_dump(document, sort_keys=False)


def test_actionlint_finds_nothing_in_the_steps_of_the_action(tmp_path: Path) -> None:
    assert linted(tmp_path / "repository", workflow_of_the_steps()) == ""


@pytest.mark.parametrize(
    ("workflow", "right", "wrong", "said"),
    [
        (page_workflow, "          options:", "          optiosn:", 'input "optiosn" is not defined in action'),
        (page_workflow, "steps.foas.outputs.log", "steps.foas.outputs.logs", 'property "logs" is not defined'),
        (workflow_of_the_steps, "inputs.port", "inputs.prot", 'property "prot" is not defined'),
        (workflow_of_the_steps, "steps.start.outputs", "steps.begin.outputs", 'property "begin" is not defined'),
        (workflow_of_the_steps, "shell: bash", "shel: bash", 'unexpected key "shel"'),
    ],
)
def test_actionlint_would_say(workflow: Callable[[], str], right: str, wrong: str, said: str, tmp_path: Path) -> None:
    assert right in workflow()
    assert said in linted(tmp_path / "repository", workflow().replace(right, wrong))


def test_versions_on_the_page_are_this_one_and_each_configuration_says_what_it_installs() -> None:
    pinned = re.findall(r"(?:foas-emulator(?:==|-|@v)|\.\.\.@v)(\d[\d.]*\d)", PAGE)
    assert set(pinned) == {__version__}
    configurations = re.findall(r"```(?:yaml|groovy)\n(.*?)```", PAGE, re.DOTALL)
    installing = [block for block in configurations if '"$FOAS_EMULATOR"' in block]
    assert len(installing) == len(["GitHub", "GitLab", "Jenkins", "Flow"])
    assert all(re.search(r"FOAS_EMULATOR(: | = '|=)foas-emulator==", block) for block in installing)


def test_other_configurations_of_the_page_are_yaml() -> None:
    for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL):
        assert list(yaml.safe_load_all(block))
