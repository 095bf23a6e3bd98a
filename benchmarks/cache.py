"""The directory in which the peers are installed, outside the repository, so that a second run starts at once."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class UnavailableError(Exception):
    """A tool or a peer that cannot be had on this machine; the message says why."""


@dataclass(frozen=True, slots=True)
class Cache:
    """Installs things once and says where they are; whatever fails is `UnavailableError`."""

    root: Path

    @classmethod
    def of_this_user(cls) -> "Cache":
        """`$XDG_CACHE_HOME/foas-emulator/benchmarks`, under `~/.cache` where the variable is not set."""
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        root = base / "foas-emulator" / "benchmarks"
        root.mkdir(parents=True, exist_ok=True)
        return cls(root)

    def directory(self, name: str) -> Path:
        """A directory of that name, made if it is not there."""
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def python_package(self, requirement: str, executable: str) -> Path:
        """A virtual environment of its own for one requirement; answers the executable that comes with it."""
        home = self.root / _file_name(requirement)
        path = home / "bin" / executable
        if not path.exists():
            _run([sys.executable, "-m", "venv", str(home)])
            _run([str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", requirement])
        return _existing(path)

    def npm_package(self, package: str, file: str) -> Path:
        """A directory of its own for one npm package; answers the file in it, relative to `node_modules`."""
        home = self.root / _file_name(package)
        path = home / "node_modules" / file
        if not path.exists():
            # Install scripts would fetch what the registry does not hold; none of the peers needs them.
            _run(
                [_tool("npm"), "install", "--prefix", str(home), "--ignore-scripts", "--no-audit", "--no-fund", package]
            )
        return _existing(path)

    def go_program(self, module: str) -> Path:
        """A Go program, built from its module at the named version."""
        home = self.root / _file_name(module)
        path = home / module.partition("@")[0].rpartition("/")[2]
        if not path.exists():
            _run([go(), "install", module], {"GOBIN": str(home)})
        return _existing(path)


def wrk() -> Path:
    """The load generator, from Debian's package where it is missing and this user may install it."""
    if not shutil.which("wrk") and os.geteuid() == 0 and shutil.which("apt-get"):
        _run(["apt-get", "update", "--quiet"])
        _run(["apt-get", "install", "--yes", "--quiet", "wrk"], {"DEBIAN_FRONTEND": "noninteractive"})
    return Path(_tool("wrk"))


def java() -> str:
    """The Java that starts the peers which need one."""
    return _tool("java")


def node() -> str:
    """The Node that starts the peers which need one."""
    return _tool("node")


def go() -> str:
    """The Go that builds the peers which are written in it."""
    return _tool("go")


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise UnavailableError(f"{name} is not installed")
    return path


def _existing(path: Path) -> Path:
    if not path.exists():
        raise UnavailableError(f"the installation left no {path.name}")
    return path


def _run(command: list[str], environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(
        command, env={**os.environ, **(environment or {})}, capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode:
        # The output names addresses and paths, which have no place in the results.
        sys.stderr.write(done.stdout + done.stderr)
        raise UnavailableError(f"`{' '.join([Path(command[0]).name, *command[1:3]])}` failed")


def _file_name(requirement: str) -> str:
    return "".join(character if character.isalnum() or character in ".-" else "_" for character in requirement)
