"""The emulator on a system without fcntl and uvloop, as Windows is: a whole tour."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process import Emulator, environment, run, serving
from tests.wire import INSTANCE

pytestmark = pytest.mark.xdist_group("server")

WITHOUT = """
import asyncio, signal, sys
for name in ("fcntl", "uvloop", "grp", "pwd", "resource"):
    sys.modules[name] = None
for name in ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGKILL"):
    if hasattr(signal, name):
        delattr(signal, name)
make = asyncio.new_event_loop
def new_event_loop():
    loop = make()
    sys.stderr.write(f"loop of {type(loop).__module__}\\n")
    return loop
asyncio.new_event_loop = new_event_loop
"""
FOLDERS = "/api/v2/projects/demo/folders"


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """Variables of a process in which those modules cannot be imported."""
    place = tmp_path / "without"
    place.mkdir()
    (place / "sitecustomize.py").write_text(WITHOUT, "utf-8")
    return {"PYTHONPATH": str(place)}


@pytest.fixture
def bare(tmp_path: Path, variables: dict[str, str]) -> Iterator[Emulator]:
    with serving("--data-dir", str(tmp_path / "worlds"), log=tmp_path / "log", variables=variables) as emulator:
        yield emulator


def test_whole_tour(bare: Emulator, tmp_path: Path, variables: dict[str, str]) -> None:
    with bare.client() as client:
        assert client.get(INSTANCE).json()["Instance"]["Id"] == 412536
        assert client.post(FOLDERS, data={"path": "/kept"}).status_code == 200
        assert client.get("/_emulator/info").json()["listening"] == [bare.url]
        created = client.put("/_emulator/worlds/other", json={})
        assert created.is_success, created.text
        assert {world["name"] for world in client.get("/_emulator/worlds").json()["worlds"]} == {"default", "other"}
        assert client.delete("/_emulator/worlds/other").is_success
        second = run("serve", "--port", "0", "--data-dir", str(tmp_path / "worlds"), variables=variables)
        assert (second.returncode, second.stdout) == (1, "")
        assert "is in use by another foas-emulator" in second.stderr
    assert bare.stop() == 0
    log = (tmp_path / "log").read_text("utf-8")
    assert "loop of asyncio." in log
    assert "Traceback" not in log
    with (
        serving("--data-dir", str(tmp_path / "worlds"), variables=variables) as again,
        again.client() as client,
    ):
        assert client.get(FOLDERS, params={"path": "/kept"}).json()["Folder"]["Path"] == "/kept"


def test_modules_are_really_missing(variables: dict[str, str]) -> None:
    """The tour would prove nothing if the emulator found them all the same."""
    for name in ("fcntl", "uvloop"):
        program = [sys.executable, "-c", f"import {name}"]
        tried = subprocess.run(program, env=environment(variables), capture_output=True, encoding="utf-8", check=False)
        assert tried.returncode == 1
        assert f"import of {name} halted" in tried.stderr


def test_worlds_of_a_server_that_was_killed_are_not_locked(
    bare: Emulator, tmp_path: Path, variables: dict[str, str]
) -> None:
    bare.process.kill()
    bare.process.wait()
    with serving("--data-dir", str(tmp_path / "worlds"), variables=variables) as again, again.client() as client:
        assert client.get(INSTANCE).status_code == 200


@pytest.mark.parametrize(
    ("python", "told"),
    [
        ("import sqlite3; sqlite3.Connection = object", "was built with an SQLite that lacks deserialize"),
        ("import sys; sys.modules['_sqlite3'] = None", "was built without _sqlite3, or cannot load it"),
    ],
    ids=["old", "none"],
)
@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("seed", "check", "default")], ids=" ".join)
def test_a_python_whose_sqlite_does_not_do_is_refused_in_one_line(
    python: str, told: str, command: tuple[str, ...], tmp_path: Path
) -> None:
    """As the Python 3.11 of RHEL 8, or one that was compiled where the headers of SQLite were missing."""
    (tmp_path / "sitecustomize.py").write_text(python, "utf-8")
    refused = run(*command, variables={"PYTHONPATH": str(tmp_path)})
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("this Python " + told), refused.stderr
    assert refused.stderr.count("\n") == 1
