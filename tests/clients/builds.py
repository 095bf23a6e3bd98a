"""Fetching and compiling a driver outside the work tree, once for all sessions that find it unchanged."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import pytest
from filelock import FileLock

from tests.surroundings import GIVEN

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A driver's project in the directory ``language`` of ``root``; the commands run in a copy of it.

    One that ``shares`` the directory of a newer generation has its files too, and its own in their places. What it
    ``takes`` lies beside its own files.
    """

    language: str
    needs: Sequence[str]
    fetch: Sequence[Sequence[str]]
    compile: Sequence[str] | None = None
    takes: Sequence[Path] = ()
    root: Path = HERE
    shares: str | None = None
    optional: bool = False
    """Whether the tests are skipped under CI, too, where its toolchain or its packages cannot be had."""

    @property
    def sources(self) -> list[Path]:
        return [self.root / name for name in (self.shares, self.language) if name]

    @property
    def files(self) -> list[Path]:
        """The files, in an order that holds everywhere."""
        own = (file for source in self.sources for file in source.iterdir() if file.is_file())
        return [*sorted(own), *self.takes]


GO = Project(
    language="go",
    needs=["go"],
    fetch=[["go", "mod", "download"]],
    compile=["go", "build", "-o", "drive", "."],
)
JAVA = Project(
    language="java",
    needs=["java", "javac", "mvn"],
    fetch=[["mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies", "-DoutputDirectory=jars"]],
    compile=["javac", "--release", "11", "-cp", "jars/*", "-sourcepath", ".", "-d", "classes", "Drive.java"],
)
NODE = Project(
    language="node",
    needs=["node", "npm"],
    fetch=[["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]],
)
NODE_TEA = replace(NODE, language="node_tea")

GO_1_60 = replace(GO, language="go_1_60", shares="go")
JAVA_4_3 = replace(JAVA, language="java_4_3", shares="java")
NODE_1_3 = replace(NODE, language="node_1_3", shares="node")
PHP = Project(
    language="php",
    needs=["php", "composer"],
    fetch=[["composer", "install", "--no-interaction", "--no-plugins", "--no-scripts", "--quiet"]],
    optional=True,
)
_PIP_INSTALL = ("venv/bin/pip", "install", "--quiet", "--no-deps", "--require-hashes")
PYTHON_CORE_2_13 = Project(
    language="python_core_2_13",
    shares="python_core",
    needs=[],
    # They cannot be installed beside the SDKs of today, which have the same packages.
    fetch=[
        [sys.executable, "-m", "venv", "venv"],
        [*_PIP_INSTALL, "-r", "build.lock"],
        [*_PIP_INSTALL, "--no-build-isolation", "-r", "requirements.lock"],
    ],
)
PYTHON_TEA_0_2 = replace(PYTHON_CORE_2_13, language="python_tea_0_2", shares=None)


def built(project: Project) -> Path:
    """The directory in which the project is ready to run.

    A toolchain or a package that cannot be had skips the test with the reason, or fails it where CI is set;
    a driver that does not compile fails everywhere.
    """
    builds = cache()
    for program in project.needs:
        if shutil.which(program) is None:
            do_without(f"{program} is not installed", optional=project.optional)
    directory = builds / f"{project.language}-{digest(project)}"
    with locked(directory.with_suffix(".lock")):
        if not (directory / "ready").exists():
            for source in project.sources:
                shutil.copytree(source, directory, dirs_exist_ok=True)
            for file in project.takes:
                shutil.copy(file, directory)
            for command in project.fetch:
                fetched = run(command, directory)
                if fetched.returncode:
                    do_without(f"{' '.join(command)}: {fetched.stdout}", optional=project.optional)
            if project.compile:
                compiled = run(project.compile, directory)
                assert compiled.returncode == 0, compiled.stdout
            (directory / "ready").touch()
    return directory


def do_without(reason: str, *, optional: bool = False) -> NoReturn:
    if os.environ.get("CI") and not optional:
        pytest.fail(reason)
    pytest.skip(reason)


def cache() -> Path:
    if sys.platform == "win32":
        pytest.skip("the drivers are built on POSIX systems")
    directory = Path(tempfile.gettempdir()) / f"foas-emulator-clients-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    assert directory.stat().st_uid == os.getuid(), f"{directory} belongs to somebody else"
    return directory


def digest(project: Project) -> str:
    """Tell one state of a project's files from every other, and the pythons that a virtual environment is of."""
    files = hashlib.sha256(sys.executable.encode() + sys.version.encode())
    for file in project.files:
        files.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return files.hexdigest()[:16]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with FileLock(path):
        yield


def run(command: Sequence[str], directory: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env=GIVEN,
        check=False,
    )
