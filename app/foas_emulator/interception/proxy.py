"""The proxy: it passes connections for the service to the emulator, lets allowed ones through, and refuses the rest."""

import asyncio
import logging
import socket
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from ipaddress import ip_address
from threading import Thread
from typing import Any

from foas_emulator.interception.heads import BadRequestError, ProxyRequest, read_request
from foas_emulator.interception.hosts import PassThrough, Policy, Refused, ToEmulator
from foas_emulator.interception.refusals import refusal
from foas_emulator.interception.relay import Activity, Stream, close, end, relay, send

_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_TLS = b"\x16"
"""The first byte of a handshake."""
_LAST_WITHIN = 0.1
"""Seconds to pass on what has arrived by the end."""

log = logging.getLogger(__name__)

Address = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one proxy: the bytes of a head, concurrent connections and lookups, the seconds for each stage."""

    head: int = 32 * 1024
    connections: int = 1000
    head_within: float = 30
    connect_within: float = 15
    idle: float = 600
    lookups: int = 4
    rest: int = 8 * 1024 * 1024
    rest_within: float = 1
    """Bytes, and seconds, that a client may still send after its answer, so that it gets to read the answer."""


class _RefusedError(Exception):
    """The proxy's own answer to a request that it does not pass on."""

    def __init__(self, status: int, sentence: str, request: ProxyRequest | None = None) -> None:
        super().__init__(sentence)
        self.answer = refusal(
            status, sentence, host=request.host if request else "", head=request.head if request else None
        )


class Proxy:
    """An http proxy in front of an emulator that is served at two addresses: `plain` and, in TLS, `secure`.

    Bytes are passed on as they are; TLS ends at `secure`.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        plain: Address,
        secure: Address,
        limits: Limits | None = None,
        make_room: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`make_room` is called with the descriptor of each connection that is accepted or opened."""
        self._policy = policy
        self._plain = plain
        self._secure = secure
        self._limits = limits or Limits()
        self._make_room = make_room
        self._connections: dict[asyncio.Task[None], tuple[Stream, Activity]] = {}
        self._lookups = asyncio.Semaphore(self._limits.lookups)
        self._logged: set[str] = set()
        self._servers: list[asyncio.Server] = []

    async def start(self, *listeners: socket.socket) -> None:
        """Serve on listening sockets."""
        for listener in listeners:
            self._servers.append(await asyncio.start_server(self._accept, sock=listener, limit=self._limits.head))

    def accept_no_more(self) -> None:
        for server in self._servers:
            server.close()

    async def stop(self) -> None:
        """Accept no more connections, and end all of them, once they have passed on what has arrived."""
        self.accept_no_more()
        if self._connections:
            await asyncio.wait(self._connections, timeout=_LAST_WITHIN)
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            descriptor = _descriptor_of(writer)
        except OSError:  # the client is gone already
            close((reader, writer))
            return
        while len(self._connections) >= self._limits.connections:
            self._close_quietest()
        self._make_room(descriptor)
        client, activity = (reader, writer), Activity(self._limits.idle)
        task = asyncio.create_task(self._serve(client, activity))
        self._connections[task] = client, activity
        task.add_done_callback(lambda _: self._connections.pop(task, None))

    def _close_quietest(self) -> None:
        """Close the connection that was silent for the longest: who only connects shuts nobody out."""
        self._log_once("The proxy has too many connections: those that were silent for the longest are closed.")
        quietest = min(self._connections, key=lambda task: self._connections[task][1].last)
        client, _ = self._connections.pop(quietest)
        close(client)  # the task may not have begun, and never will
        quietest.cancel()

    async def _serve(self, client: Stream, activity: Activity) -> None:
        writer = client[1]
        try:
            try:
                await self._pass_on(client, activity)
            except _RefusedError as refused:
                send(writer, refused.answer)
            await end(client, most=self._limits.rest, within=self._limits.rest_within)
            writer.close()
            async with asyncio.timeout(self._limits.idle):
                await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError):  # TimeoutError is an OSError
            pass  # the client is gone, or does not read what is left for it
        finally:
            close(client)

    async def _pass_on(self, client: Stream, activity: Activity) -> None:
        request = await self._read(client[0])
        route = self._policy.route(request.host, request.port)
        if isinstance(route, Refused):
            self._log_once(route.sentence)
            raise _RefusedError(403, route.sentence, request)
        server = await self._connect(route, is_tunnel=request.head is None)
        try:
            self._make_room(_descriptor_of(server[1]))
            if request.head is None:
                send(client[1], _ESTABLISHED)
            else:
                send(server[1], request.head)
            await relay(client, server, activity, upward=request.length)
        finally:
            close(server)  # what it has not read by now it never will

    async def _read(self, reader: asyncio.StreamReader) -> ProxyRequest:
        try:
            async with asyncio.timeout(self._limits.head_within) as limit:
                return read_request(await _read_head(reader))
        except asyncio.LimitOverrunError:
            raise _RefusedError(431, f"A head has at most {self._limits.head} bytes.") from None
        except TimeoutError:
            if not limit.expired():
                raise  # the system's: the client has vanished
            raise _RefusedError(
                408, f"The head of a request must arrive within {self._limits.head_within} seconds."
            ) from None
        except BadRequestError as error:
            self._log_once(str(error))
            raise _RefusedError(400, str(error)) from None

    async def _connect(self, route: ToEmulator | PassThrough, *, is_tunnel: bool) -> Stream:
        if isinstance(route, ToEmulator):
            # The port of a tunnel shows what is in it; a request that the proxy could read is plain http at any port.
            host, port = self._secure if route.secure and is_tunnel else self._plain
        else:
            host, port = route.host, route.port
        try:
            async with asyncio.timeout(self._limits.connect_within):
                return await self._open(host, port)
        except (OSError, TimeoutError, UnicodeError, RuntimeError) as error:  # the last one without a thread
            reason = str(error) or "no answer in time"
            sentence = f"foas-emulator cannot reach {host} on port {port}: {reason}."
            self._log_once(sentence)
            raise _RefusedError(502, sentence) from None

    async def _open(self, host: str, port: int) -> Stream:
        """Open a connection to the first of a host's addresses that accepts one.

        If other machines may use the proxy, no name but localhost leads to this machine, whatever address it has.
        """
        addresses = await self._addresses(host)
        leads_elsewhere = not (self._policy.loopback or _is_address(host) or host == "localhost")
        if leads_elsewhere:
            addresses = [address for address in addresses if not _is_of_this_machine(address)]
        for address in addresses:
            try:
                stream = await asyncio.open_connection(address, port)
            except OSError:
                if address == addresses[-1]:
                    raise
            else:
                if not (self._is_own(stream) or (leads_elsewhere and _leads_here(stream))):
                    return stream
                close(stream)
        raise OSError("it has no address, or only those of this machine or of the proxy")

    def _is_own(self, stream: Stream) -> bool:
        """Whether a connection leads to this proxy: a client could let it lead there a thousand times."""
        ports = [listener.getsockname()[1] for server in self._servers for listener in server.sockets]
        peer = stream[1].get_extra_info("peername") if ports else None
        return peer is not None and peer[1] in ports and _is_of_this_machine(peer[0])

    async def _addresses(self, host: str) -> list[str]:
        """Return the addresses of a host.

        Each lookup has a thread of its own: uvloop ends the process if the system allows it no threads for them, and a
        stop would wait for those of an executor.
        """
        if _is_address(host):
            return [host]
        found: Future[list[Any]] = Future()
        async with self._lookups:
            Thread(target=_look_up, args=(host, found), daemon=True).start()
            return list(dict.fromkeys(address[0] for *_, address in await asyncio.wrap_future(found)))

    def _log_once(self, sentence: str) -> None:
        """Log each reason for which a host is not reached once."""
        if sentence not in self._logged and len(self._logged) < 1000:  # noqa: PLR2004 - a bound
            self._logged.add(sentence)
            log.warning("%s", sentence)


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    """Return the head of a request. Raise `BadRequestError` for TLS, in which none will come."""
    beginning = await reader.readexactly(1)
    if beginning == _TLS:
        raise BadRequestError("TLS was sent to the proxy: clients reach it at an http:// address, for https, too.")
    return beginning + await reader.readuntil(b"\r\n\r\n")


def _descriptor_of(writer: asyncio.StreamWriter) -> int:
    return int(writer.get_extra_info("socket").fileno())


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_of_this_machine(address: str) -> bool:
    found = ip_address(address)
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_loopback or found.is_unspecified


def _leads_here(stream: Stream) -> bool:
    """Whether a connection leads to an address of this machine in its network, from which it then comes, too."""
    ends = (stream[1].get_extra_info(end) for end in ("peername", "sockname"))
    peer, own = (None if end is None else end[0] for end in ends)
    return peer == own


def _look_up(host: str, found: "Future[list[Any]]") -> None:
    if found.set_running_or_notify_cancel():
        try:
            found.set_result(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.set_exception(error)
