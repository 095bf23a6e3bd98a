"""The machine and the versions with which the figures were measured, without names of hosts or paths."""

import os
import platform
import subprocess
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.cache import UnavailableError, go, java, node
from benchmarks.peers import Peer

_PACKAGES = (
    "foas-emulator",
    "fastapi",
    "starlette",
    "pydantic",
    "sqlmodel",
    "sqlalchemy",
    "uvicorn",
    "uvloop",
    "httptools",
)


def machine() -> dict[str, str]:
    """Processor, cores, memory and system."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": _value("/proc/cpuinfo", "model name", ":"),
        "cores": str(os.cpu_count()),
        "memory": f"{memory_gib:.0f} GiB",
        "system": f"{_value('/etc/os-release', 'PRETTY_NAME', '=')}, Linux {platform.release().split('-')[0]}",
    }


def versions(peers: Iterable[Peer], wrk: Path) -> dict[str, str]:
    """Of the emulator with what it stands on, the peers, what runs them, and the load generator."""
    found = {"Python": platform.python_version()}
    found |= {name: _package(name) for name in _PACKAGES}
    found |= {peer.name: peer.version for peer in peers if peer.version}
    found |= {"Node": _said(node, "--version"), "Java": _said(java, "--version"), "Go": _said(go, "version")}
    # wrk says its version together with its usage, and fails.
    return found | {"wrk": _said(lambda: str(wrk), "-v").split(" [")[0].removeprefix("wrk ")}


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed as a package"


def _said(tool: Callable[[], str], option: str) -> str:
    try:
        done = subprocess.run([tool(), option], capture_output=True, encoding="utf-8", check=False)
    except UnavailableError as reason:
        return str(reason)
    return (done.stdout or done.stderr).splitlines()[0]


def _value(file: str, key: str, separator: str) -> str:
    for line in Path(file).read_text(encoding="utf-8").splitlines():
        name, found, value = line.partition(separator)
        if found and name.strip() == key:
            return value.strip().strip('"')
    return "unknown"
