"""The environment variables that redirect programs to a running emulator by its proxy."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from foas_emulator import loopback
from foas_emulator.testing.client import EmulatorError
from foas_emulator.testing.server import Server
from foas_emulator.testing.shapes import PROXY

if TYPE_CHECKING:
    from foas_emulator.interception.trust import TrustFiles


def variables_for(
    server: Server,
    world: str,
    environment: Mapping[str, str],
    *,
    directory: Path | None = None,
    proxy: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """Return the variables to set, so that a program that names no endpoint works in a world of a server.

    The files that make programs trust the server are its own; if it is on another machine or another user's, they are
    written into `directory`, if that is given. `proxy` is the server's description of its proxy; without it, request
    it. Raise `EmulatorError` if the server has no proxy, or none that can be reached.
    """
    from foas_emulator.interception.trust import TrustFiles  # noqa: PLC0415 - not with the pytest plugin
    from foas_emulator.interception.variables import Destination, variables  # noqa: PLC0415

    proxy = proxy or server.control.request("GET", "/interception", shape=PROXY)
    named = _directory_of_this_user(proxy["files"])
    files = _fetched(server, proxy, directory) if named is None else TrustFiles(named)
    destination = Destination(
        url=server.url, proxy=_address(server, proxy), world=world, files=files, allowed=proxy["allowed"]
    )
    return variables(destination, environment)


def _directory_of_this_user(path: str) -> Path | None:
    """Return a directory that a server names, without links; None unless it is here and only this user can access it.

    Programs run what is in it, and anybody on this machine can answer as a server does.
    """
    try:
        directory = Path(os.path.realpath(path))
        found = directory.stat()
    except (OSError, ValueError):
        return None
    is_private = sys.platform == "win32" or (found.st_uid == os.getuid() and not found.st_mode & 0o077)
    return directory if is_private and (directory / "bundle.pem").is_file() else None


def _fetched(server: Server, proxy: Mapping[str, Any], directory: Path | None) -> "TrustFiles":
    from foas_emulator.interception.trust import write_trust  # noqa: PLC0415

    if directory is None:
        raise EmulatorError(
            404,
            "The files of this server are on another machine, or not this user's alone.",
            f"foas-emulator run --url {server.url} -- COMMAND fetches what it needs.",
        )
    node = {**proxy["node"], "allowed": proxy["allowed"]}
    return write_trust(directory, server.control.send("GET", "/ca.pem"), node=node)


def _address(server: Server, proxy: Mapping[str, Any]) -> str:
    """Return the proxy's URL as seen from this machine."""
    host = urlsplit(server.url).hostname or ""
    if proxy["host"] in loopback.NAMES and host not in loopback.NAMES:
        raise EmulatorError(
            404,
            f"The proxy of this server listens on {proxy['host']} alone.",
            "Start the server with --control-token, and it listens where the server does.",
        )
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{proxy['port']}"
