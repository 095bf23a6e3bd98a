"""The stock proxies, each with the configuration that is shipped; only addresses are replaced."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.clients.builds import do_without
from tests.process import DIRECTLY

DEPLOY = Path(__file__).parents[2] / "deploy"
SHIPPED = {"nginx": "nginx.conf", "haproxy": "haproxy.cfg"}
SHARDS = ("foas-0:8018", "foas-1:8018", "foas-2:8018")
"""The servers that everything in `deploy/` names."""
WITH_PROXIES = [
    pytest.mark.xdist_group("proxies"),
    pytest.mark.skipif(sys.platform != "linux", reason="the proxies are those of a Linux distribution"),
]
LOOKS, BETWEEN_LOOKS = 200, 0.05


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs, and a client of it that threads may share."""

    name: str
    port: int
    client: httpx.Client


@contextmanager
def proxying(name: str, shards: Sequence[int], directory: Path) -> Iterator[Proxy]:
    """Run nginx or HAProxy in front of the servers at these ports."""
    # Debian has them where only an administrator's shell looks.
    program = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"]))
    if program is None:
        do_without(f"{name} is not installed")
    port = _free_port()
    file = directory / SHIPPED[name]
    file.write_text(_placed((DEPLOY / SHIPPED[name]).read_text("utf-8"), port, shards), "utf-8")
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(_command(program, name, file), stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", **DIRECTLY) as client:
            _wait_for(client, process, directory / "log")
            yield Proxy(name, port, client)
    finally:
        process.terminate()
        process.wait(timeout=60)


def _placed(configuration: str, port: int, shards: Sequence[int]) -> str:
    listen = {"listen 8018;": f"listen 127.0.0.1:{port};", "bind :8018": f"bind 127.0.0.1:{port}"}
    servers = {shipped: f"127.0.0.1:{shard}" for shipped, shard in zip(SHARDS, shards, strict=True)}
    found = [text for text in (*listen, *servers) if configuration.count(text) == 1]
    assert len(found) == 1 + len(SHARDS), f"of the addresses only {found} stand there once"
    for shipped, here in {**listen, **servers}.items():
        configuration = configuration.replace(shipped, here)
    return configuration


def _command(program: str, name: str, file: Path) -> list[str]:
    if name == "haproxy":
        return [program, "-db", "-f", str(file)]
    in_front = f"daemon off; pid {file.parent / 'pid'}; error_log stderr;"
    return [program, "-e", "stderr", "-p", str(file.parent), "-c", str(file), "-g", in_front]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(client: httpx.Client, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(LOOKS):
        assert process.poll() is None, log.read_text("utf-8")
        try:
            client.get("/_emulator/health").raise_for_status()
        except httpx.HTTPError:
            Event().wait(BETWEEN_LOOKS)
        else:
            return
    raise AssertionError(f"it does not serve: {log.read_text('utf-8')}")
