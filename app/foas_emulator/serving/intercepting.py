"""Run the proxy beside a server; intercepted connections reach the application at two addresses of this machine."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.types import ASGIApp

from foas_emulator.interception.hosts import Policy, is_ours
from foas_emulator.interception.location import UnderServiceNames
from foas_emulator.interception.proxy import Limits, Proxy
from foas_emulator.interception.trust import TrustFiles, write_trust
from foas_emulator.serving.crowds import Crowd
from foas_emulator.serving.descriptors import last_but_spare

if TYPE_CHECKING:
    from foas_emulator.serving.certificates import Authority

_SHARE = 6
"""Descriptors of this process for each connection of the proxy: it takes three, so all take half at most."""

MakeServer = Callable[[ASGIApp, ssl.SSLContext | None], uvicorn.Server]
"""A function that returns a server for an application, in TLS if there is a context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interception:
    """A proxy that is ready to run: its sockets are listening and its files are written."""

    proxy: Sequence[socket.socket]
    plain: socket.socket
    secure: socket.socket
    policy: Policy
    tls: ssl.SSLContext
    files: TrustFiles
    authority: bytes
    """The root certificate that clients have to trust, as PEM."""

    def document(self) -> dict[str, Any]:
        """Return the facts that a program needs to reach the emulator by the proxy."""
        host, port = self.proxy[0].getsockname()[:2]
        return {
            "host": host,
            "port": port,
            "allowed": list(self.policy.allowed),
            "node": {"plain": self.plain.getsockname()[1], "secure": self.secure.getsockname()[1]},
            "files": str(self.files.directory),
        }


def prepare(
    authority: "Authority",
    directory: Path,
    *,
    proxy: Sequence[socket.socket],
    behind: Sequence[socket.socket],
    allowed: tuple[str, ...],
) -> Interception:
    """Write the files that make programs trust an authority into a directory, and return the proxy, ready to run.

    The sockets are listening: those of the proxy, and two `behind` it, the second of which is for TLS. A proxy that can
    be reached only from this machine lets connections to this machine through.
    """
    loopback = all(ip_address(listener.getsockname()[0]).is_loopback for listener in proxy)
    plain, secure = behind
    node = {"plain": plain.getsockname()[1], "secure": secure.getsockname()[1], "allowed": allowed}
    return Interception(
        proxy=proxy,
        plain=plain,
        secure=secure,
        policy=Policy(allowed=allowed, loopback=loopback),
        tls=authority.context(is_ours),
        files=write_trust(directory, authority.pem, node=node),
        authority=authority.pem,
    )


@asynccontextmanager
async def intercepting(
    interception: Interception, app: ASGIApp, make_server: MakeServer, *, crowd: Crowd
) -> AsyncIterator[None]:
    """Run the proxy, and the two servers behind it, inside the block; connections of `crowd` make room for its own."""
    named = UnderServiceNames(app)
    plain, secure = make_server(named, None), make_server(named, interception.tls)
    behind = {plain: interception.plain, secure: interception.secure}
    tasks = [asyncio.create_task(server.serve(sockets=[listener])) for server, listener in behind.items()]
    addresses = [listener.getsockname()[:2] for listener in behind.values()]
    limits = Limits()
    if (last := last_but_spare()) is not None:
        limits = replace(limits, connections=min(limits.connections, max(1, last // _SHARE)))
    proxy = Proxy(
        interception.policy, plain=addresses[0], secure=addresses[1], limits=limits, make_room=crowd.make_room
    )
    await proxy.start(*interception.proxy)
    try:
        yield
    finally:
        proxy.accept_no_more()
        for server in behind:
            server.should_exit = True
        await asyncio.gather(*tasks)  # first, so that the answers in progress still reach their clients
        await proxy.stop()
