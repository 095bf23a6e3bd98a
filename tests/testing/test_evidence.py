"""A red test says why in every place that people look at: terminal, JUnit XML, Allure, artefact folder and log."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener
from xml.etree import ElementTree as ET

import pytest

from foas_emulator.journal.lines import describe_call
from foas_emulator.testing import Emulator
from foas_emulator.testing.artifacts import ArtifactError, load_artifact
from foas_emulator.testing.report import _quoted
from tests.process import GROUP, STOP, command, environment, run, serving

TESTS = """
from foas_emulator.commands.signed_get import signed_get

JOB = "/api/v2/projects/{}/jobs/{}/instances/{}"

def get(world, path, secret="test"):
    status, body, _ = signed_get(world.endpoint + path, access_key_id=world.access_key_id, secret=secret)
    assert status == 200, body
    return body

def test_state(foas_world):
    foas_world.settings["not_running"] = "answer"
    foas_world.put_state("project1", "job1", 412536, "FAILED")
    assert "RUNNING" in get(foas_world, JOB.format("project1", "job1", 412536))

def test_throttled(foas_world):
    foas_world.faults.arm({"error": "Throttling.User"}, operation="GetJob")
    get(foas_world, "/api/v2/projects/project1/jobs/job1")

def test_not_found(foas_world):
    get(foas_world, "/api/v2/projects/nowhere")

def test_not_running(foas_world):
    foas_world.put_state("project1", "job1", 412536, "FAILED")
    get(foas_world, JOB.format("project1", "job1", 412536))

def test_signature(foas_world):
    foas_world.settings["signature"] = "strict"
    get(foas_world, "/api/v2/projects/project1", secret="wrong")
"""
WHY = {
    "test_state": "200 <- GetInstance",
    "test_throttled": "400 Throttling.User <- GetJob",
    "test_not_found": "404 InvalidProject.NotFound <- GetProject",
    "test_not_running": "InvalidInstance.NotRunning <- GetInstance",
    "test_signature": "400 SignatureDoesNotMatch <- GetProject",
}
HINTS = {
    "test_throttled": "The fault rule 1 of world",
    "test_not_found": "nowhere",
    "test_not_running": "FAILED",
    "test_signature": "secret",
}
PLUGINS = ("-p", "foas_emulator.testing.plugin", "-p", "allure_pytest.plugin")
JOB = "/api/v2/projects/project1/jobs/job1/instances/412536"


SHARED = """
from unittest import mock
import pytest
from foas_emulator.commands.signed_get import signed_get
from foas_emulator.testing import World

@pytest.fixture(scope="session")
def shared(foas_emulator):
    return foas_emulator.world("shared")

def get(world, project):
    signed_get(f"{world.endpoint}/api/v2/projects/{project}", access_key_id=world.access_key_id, secret="test")

def test_nothing(shared, foas_emulator):
    assert foas_emulator.worlds() != ["default"], "the report creates no world"

def test_before(shared):
    get(shared, "before")

class Lazy:
    @property
    def __class__(self):
        raise AssertionError("nobody has asked")

@pytest.fixture
def lazy():
    return Lazy()

@pytest.fixture
def spy():
    return mock.MagicMock(spec=World)

def test_others(lazy, spy):
    assert not spy.mock_calls, "the report leaves mocks alone"

def test_during(shared):
    get(shared, "during")
    assert False

def test_cleared(shared):
    shared.journal.clear()
    get(shared, "cleared")
    assert False
"""


def pytest_in(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run pytest on the tests in a folder, with our plugin and Allure's alone."""
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PLUGINS, *options, "."]
    variables = environment({"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    return subprocess.run(words, capture_output=True, encoding="utf-8", cwd=folder, env=variables, check=False)


@dataclass(frozen=True)
class Red:
    """A session whose tests all failed: what it printed, what a shared server logged, and the folder of its files."""

    output: str
    log: str
    folder: Path

    def artifact(self, test: str) -> Path:
        (found,) = self.folder.glob(f"kept/{test.replace('_', '-')}-*")
        return found


@contextmanager
def shared(where: str, log: Path) -> Iterator[list[str]]:
    """The options of a session with an own server, or with one that runs already."""
    if where == "own server":
        yield []
        return
    with serving(log=log) as emulator:
        yield [f"--foas-url={emulator.url}"]


@pytest.fixture(
    scope="module",
    params=[("own server", 0), ("own server", 2), ("shared server", 0), ("shared server", 2)],
    ids=lambda value: f"{value[0].replace(' ', '-')}-{'xdist' if value[1] else 'alone'}",
)
def red(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Red:
    where, workers = request.param
    folder = tmp_path_factory.mktemp("red")
    (folder / "test_red.py").write_text(TESTS, "utf-8")
    options = ["-p", "xdist.plugin", "-n", str(workers)] if workers else []
    log = folder / "server.log"
    with shared(where, log) as address:
        done = pytest_in(
            folder, *options, *address, "--junitxml=junit.xml", "--alluredir=allure", "--foas-artifacts=kept"
        )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert "5 failed" in done.stdout
    return Red(done.stdout, log.read_text("utf-8") if log.exists() else done.stdout, folder)


def test_a_red_test_that_shares_its_world_tells_the_calls_that_it_made(tmp_path: Path) -> None:
    (tmp_path / "test_shared.py").write_text(SHARED, "utf-8")
    ended = pytest_in(tmp_path)
    sections = [each.partition("\n____")[0] for each in ended.stdout.split(" foas-emulator --")[1:]]
    assert len(sections) == 3, ended.stdout
    assert "3 failed, 2 passed" in ended.stdout
    for section, called in zip(sections, ("it was not called", '"during"', '"cleared"'), strict=True):
        assert called in section
        assert section.count("<- GetProject") == (called != "it was not called")
        assert "in world shared, which other tests use too" in section


def test_no_terminal_obeys_what_a_program_has_sent() -> None:
    parameters = {"jobName": "\x9b31m\u202e"}
    call = {"status": 500, "code": "c\x1b[31m", "operation": "GetJob", "parameters": parameters, "hint": "\x07"}
    told = describe_call(call)
    assert told == '500 c\\u001b[31m <- GetJob {"jobName": "\\u009b31m\\u202e"}\n    \\u0007'


def test_a_rule_that_applied_is_reported_where_the_answer_does_not_show_it() -> None:
    rule = {"id": 7, "effect": {"truncate": 0.5}, "at": "before"}
    call = {"status": 200, "operation": "GetJob", "parameters": {}, "faults": [rule], "warning": "not signed"}
    assert describe_call(call) == '200 <- GetJob {}\n    fault rule 7 applied {"truncate": 0.5}\n    not signed'
    assert describe_call({**call, "hint": "why"}).endswith("\n    why\n    not signed")


def says_why(text: str, test: str) -> bool:
    return WHY[test] in text and HINTS.get(test, "") in text


def test_the_terminal_says_why(red: Red) -> None:
    parts = red.output.split("___ test_")[1:]
    assert {f"test_{part.split()[0]}" for part in parts} == WHY.keys()
    for part in parts:
        assert says_why(part.split("Captured log")[0], f"test_{part.split()[0]}"), part


def test_the_log_says_why(red: Red) -> None:
    warnings = [line for line in red.log.splitlines() if "WARNING" in line and "foas_emulator.access" in line]
    for test, hint in HINTS.items():
        world = red.artifact(test).name
        (line,) = {line for line in warnings if f"world={world} " in line} or {""}
        assert hint in line, red.log


def test_junit_xml_says_why(red: Red) -> None:
    cases = {case.get("name"): case for case in ET.parse(red.folder / "junit.xml").iter("testcase")}
    assert cases.keys() == WHY.keys()
    for test, case in cases.items():
        assert test is not None
        failure = case.find("failure")
        assert failure is not None
        assert says_why(failure.text or "", test)
        properties = {each.get("name"): each.get("value") or "" for each in case.iter("property")}
        assert says_why(properties["foas-emulator"], test)
        assert properties["foas-world"] == red.artifact(test).name


def test_allure_says_why(red: Red) -> None:
    results = [json.loads(file.read_text("utf-8")) for file in (red.folder / "allure").glob("*-result.json")]
    assert {result["name"] for result in results} == WHY.keys()
    for result in results:
        (source,) = [each["source"] for each in result["attachments"] if each["name"] == "foas-emulator"]
        assert says_why((red.folder / "allure" / source).read_text("utf-8"), result["name"])


@pytest.mark.parametrize(
    ("system", "path", "word"),
    [
        ("posix", "/tmp/it's", """'/tmp/it'"'"'s'"""),
        ("nt", r"C:\work\it's", r"C:\work\it's"),
        ("nt", r"C:\my work\x", r'"C:\my work\x"'),
    ],
)
def test_the_folder_is_a_word_of_a_command_line_of_its_system(
    system: str, path: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", system)
        assert _quoted(path) == word


def test_the_artefact_folder_says_why(red: Red) -> None:
    for test in WHY:
        folder = red.artifact(test)
        assert says_why((folder / "report.txt").read_text("utf-8"), test)
        assert f"foas-emulator replay {folder.name}" in (folder / "README.md").read_text("utf-8")
        assert [call["operation"] for call in load_artifact(folder).calls], test


def replayed(
    folder: Path, *options: str, variables: Mapping[str, str] | None = None, stop: int = STOP
) -> tuple[list[str], str, int]:
    """Run `foas-emulator replay` and ask its world for the instance: what it printed, the answer, the exit status."""
    process = subprocess.Popen(
        command("replay", str(folder), *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        env=environment(variables),
        creationflags=GROUP,
    )
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("listening on "):
                break
        url = lines[-1].removeprefix("listening on ")
        request = Request(url + JOB, headers={"x-emulator-world": load_artifact(folder).world})
        with build_opener(ProxyHandler({})).open(request) as response:
            answer = response.read().decode()
        process.send_signal(stop)
        return lines, answer, process.wait(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


TIMELINE = """
from urllib.request import ProxyHandler, Request, build_opener

def test_it(foas_world):
    foas_world.settings.update(not_running="answer", pause_delay="3s")
    url = foas_world.endpoint + "/api/v2/projects/project1/jobs/job1/instances/412536"
    pause = Request(url + "/expectstate", data=b"expectState=PAUSED", headers=foas_world.headers, method="PUT")
    build_opener(ProxyHandler({})).open(pause).read()
    answer = build_opener(ProxyHandler({})).open(Request(url, headers=foas_world.headers)).read().decode()
    assert "nothing" in answer.partition("RequestId")[2]
"""


def test_an_artefact_brings_the_same_state_back_elsewhere_and_later(tmp_path: Path) -> None:
    """A change that was still to come when the test failed is still to come."""
    (tmp_path / "test_it.py").write_text(TIMELINE, "utf-8")
    done = pytest_in(tmp_path, "--foas-artifacts=kept")
    assert "1 failed" in done.stdout, done.stdout
    (kept,) = (tmp_path / "kept").iterdir()
    moved = tmp_path / "elsewhere" / "moved"
    moved.parent.mkdir()
    kept.rename(moved)
    changes = json.loads((moved / "snapshot.json").read_text("utf-8"))["tables"]["pending_changes"]
    assert changes, "the pause is still to come"
    first, answer, status = replayed(moved)
    assert "200 <- GetInstance" in "\n".join(first)
    assert '"ExpectState":"PAUSED"' in answer.replace(" ", "")
    assert '"ActualState":"RUNNING"' in answer.replace(" ", "")
    again, same, _ = replayed(moved)
    assert (again[:-1], same) == (first[:-1], answer)
    assert status == 0

    url = again[-1].removeprefix("listening on ")
    port = url.rpartition(":")[2]
    there, same, status = replayed(moved, "--port", port, "--intercept", "0", stop=getattr(signal, "SIGHUP", STOP))
    assert (there, same, status) == (again, answer, 0), "a port that is given is taken"
    with serving() as running:
        port, data = running.url.rpartition(":")[2], tmp_path / "data"
        refused = run("replay", str(moved), "--port", port)
        assert refused.returncode == 1
        assert f"--port: cannot listen on 127.0.0.1:{port} " in refused.stderr, "the flag is named"
        of_a_server = {
            "FOASEMU_PORT": port,
            "FOASEMU_INTERCEPT": port,
            "FOASEMU_CONTROL_TOKEN": "secret",
            "FOASEMU_DATA_DIR": str(data),
            "FOASEMU_SEED": "nowhere.yaml",
            "FOASEMU_WATCH": "1",
        }
        beside, same, status = replayed(moved, variables=of_a_server)
    assert (beside[:-1], same, status) == (first[:-1], answer, 0), "variables of a server that runs change nothing"
    assert not data.exists()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "has no journal.json and snapshot.json"),
        (
            {"journal.json": "[", "snapshot.json": "{}"},
            "journal.json is not what a failed test left: Expecting value: ",
        ),
        ({"journal.json": "{}", "snapshot.json": "{}"}, "a failed test left: there is no test in its content\n"),
        (
            {"journal.json": '{"test": "t", "world": "w", "entries": [1]}', "snapshot.json": "{}"},
            "a failed test left: one of entries is a number\n",
        ),
        (
            {"journal.json": '{"test": "t", "world": "W", "entries": []}', "snapshot.json": "{}"},
            "a failed test left: 'W' cannot name a world: ",
        ),
        (
            {"journal.json": '{"test": "t", "world": "w", "entries": []}', "snapshot.json": "{}"},
            "snapshot.json: The snapshot cannot be used: a snapshot is an object",
        ),
    ],
)
def test_a_folder_that_is_none_of_ours_is_refused(tmp_path: Path, files: dict[str, str], said: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    done = run("replay", str(tmp_path))
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_is_read_as_it_was_written(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="name the folder of one test"):
        load_artifact(tmp_path)


TWO = """
import pytest

@pytest.fixture(scope="session")
def foas_settings():
    return {settings}

def test_world(foas_world):
    assert foas_world.settings["start_delay"] == "{delay}"

def test_server(foas_emulator):
    print(f"<{{foas_emulator.url}}>")
    assert foas_emulator.info()["settings"]["start_delay"] == "{delay}"
"""


def test_modules_with_other_settings_have_servers_of_their_own(tmp_path: Path) -> None:
    same = [{"start_delay": "30s"}, {"start_delay": "5m"}, {"start_delay": "30s"}]
    for number, settings in enumerate(same):
        text = TWO.format(settings=settings, delay=settings["start_delay"])
        (tmp_path / f"test_{number}.py").write_text(text, "utf-8")
    (tmp_path / "test_timedelta.py").write_text(
        TWO.format(settings='{"start_delay": __import__("datetime").timedelta(seconds=30)}', delay="30s")
    )
    done = pytest_in(tmp_path, "-s")
    assert "8 passed" in done.stdout, done.stdout
    urls = [line.split("<")[1].split(">")[0] for line in done.stdout.splitlines() if "<http" in line]
    assert urls[0] == urls[2] != urls[1]


def test_a_server_that_is_not_there_is_reported_once(tmp_path: Path) -> None:
    (tmp_path / "test_red.py").write_text(TESTS, "utf-8")
    url = "http://127.0.0.1:9"
    done = pytest_in(tmp_path, "-p", "xdist.plugin", "-n", "2", f"--foas-url={url}")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert (done.stdout + done.stderr).count(url) == 1


def test_frames_of_the_emulator_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(foas_world):\n    foas_world.clock.advance('soon')\n", "utf-8")
    done = pytest_in(tmp_path)
    assert "soon" in done.stdout
    assert "test_it.py:2: EmulatorError" in done.stdout
    assert "def _advance" not in done.stdout


COUNTED = """
from urllib.request import ProxyHandler, Request, build_opener

def get(world, path):
    build_opener(ProxyHandler({})).open(Request(world.endpoint + path, headers=world.headers)).read()

def test_dropped(foas_emulator):
    world = foas_emulator.world()
    world.create()
    get(world, "/api/v2/projects/project1")
    world.journal.clear()
    get(world, "/api/v2/projects/project1")
    world.restore(world.snapshot())
    world.drop()

def test_read(foas_world):
    get(foas_world, "/api/v2/projects/project1/jobs/job1")
"""


def test_coverage_on_a_shared_server_is_that_of_the_session(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(COUNTED, "utf-8")
    with Emulator() as emulator:
        request = Request(emulator.url + JOB, headers={"x-emulator-world": "of-others"})
        build_opener(ProxyHandler({})).open(request).read()
        done = pytest_in(tmp_path, f"--foas-url={emulator.url}", "--foas-coverage=coverage.json")
    assert "2 passed" in done.stdout, done.stdout
    operations = json.loads((tmp_path / "coverage.json").read_text("utf-8"))["all"]["operations"]
    assert {name: each["calls"] for name, each in operations.items()} == {"GetProject": 2, "GetJob": 1}
