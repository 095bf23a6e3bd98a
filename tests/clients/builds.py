"""Fetching and compiling a driver outside the work tree, once for all sessions that find it unchanged."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A driver's project in the directory ``language`` of ``root``; the commands run in a copy of it."""

    language: str
    needs: Sequence[str]
    fetch: Sequence[str]
    compile: Sequence[str] | None = None
    root: Path = HERE


GO = Project(
    language="go",
    needs=["go"],
    fetch=["go", "mod", "download"],
    compile=["go", "build", "-o", "drive", "."],
)
JAVA = Project(
    language="java",
    needs=["java", "javac", "mvn"],
    fetch=["mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies", "-DoutputDirectory=jars"],
    compile=["javac", "--release", "11", "-cp", "jars/*", "-sourcepath", ".", "-d", "classes", "Drive.java"],
)
NODE = Project(
    language="node",
    needs=["node", "npm"],
    fetch=["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
)
NODE_TEA = replace(NODE, language="node_tea")


def built(project: Project) -> Path:
    """The directory in which the project is ready to run.

    A toolchain or a package that cannot be had skips the test with the reason, or fails it where CI is set;
    a driver that does not compile fails everywhere.
    """
    for program in project.needs:
        if shutil.which(program) is None:
            do_without(f"{program} is not installed")
    source = project.root / project.language
    directory = cache() / f"{project.language}-{digest(source)}"
    with locked(directory.with_suffix(".lock")):
        if not (directory / "ready").exists():
            shutil.copytree(source, directory, dirs_exist_ok=True)
            fetched = run(project.fetch, directory)
            if fetched.returncode:
                do_without(f"{' '.join(project.fetch)}: {fetched.stdout}")
            if project.compile:
                compiled = run(project.compile, directory)
                assert compiled.returncode == 0, compiled.stdout
            (directory / "ready").touch()
    return directory


def do_without(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def cache() -> Path:
    directory = Path(tempfile.gettempdir()) / f"foas-emulator-clients-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    assert directory.stat().st_uid == os.getuid(), f"{directory} belongs to somebody else"
    return directory


def digest(source: Path) -> str:
    files = hashlib.sha256()
    for file in sorted(source.iterdir()):
        files.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return files.hexdigest()[:16]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str], directory: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
