"""HTTP/1.1 on a connection: uvicorn's protocol with limits, timeouts, and answers to requests that cannot be parsed.

A request that the parser refuses goes to the application with the scope type `UNREADABLE` and the error to answer
with: so it is answered in the gateway's envelope, in the requested format, and recorded in the journal.
"""

import asyncio
from collections import deque
from contextlib import suppress
from itertools import count
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from foas_emulator.faults.wire import TRANSPORT
from foas_emulator.gateway.errors import REQUEST_TIMEOUT, ApiError
from foas_emulator.serving import http_limits as limits
from foas_emulator.serving.crowds import Crowd
from foas_emulator.serving.http_refusals import KEPT_HEADERS, Deaf, UnreadableRequest, headers_of, method_of, reason_of
from foas_emulator.serving.http_transports import Closing, Lingering, has_unread_bytes

PATIENCE = 30.0
"""Seconds that a client may take to send its headers, or to send or read the next byte of a request or an answer."""
LOOKS = 3
"""Number of times that a connection is checked during `PATIENCE`."""
_NUMBERS = count()
"""Of connections, so that thousands that were made at once are not all checked, and given up, at once."""
CLOSE_AFTER = 5.0
"""Seconds that an idle connection is kept beyond the announced time, since a request may be under way."""

_CLOSE = (b"connection", b"close")


class EmulatorProtocol(HttpToolsProtocol):
    """uvicorn's protocol for one connection.

    Per request it only counts bytes and compares lengths in addition to uvicorn's work. A timer checks each connection
    every few seconds and compares what the connection waits for with what it waited for at the last check.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        crowd: Crowd,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._crowd = crowd
        self.parser = None  # type: ignore[assignment]  # it refers to this object, and not every handshake ends well
        self._received = self._heads = 0
        self._head = bytearray()
        """The bytes received so far of a head that arrives in more than one piece."""
        self._is_between = True
        """Whether the last request whose head was read has been read whole."""
        self._before: tuple[bool, RequestResponseCycle | None] = True, None
        """`_is_between` and `cycle` before the latest bytes, together with `_head`, were read."""
        self._is_ending = False
        """Whether the connection ends with the next answer, since the server stops."""
        self._offers = False
        """Whether the request whose head was read last offers to continue in another protocol."""
        self._ahead: deque[RequestResponseCycle] = deque()
        """Requests that were followed by others before they were answered; the last of these is `cycle`."""
        self._queued = 0
        """The bytes that the requests in `pipeline` take."""
        self._waited_for: object = None
        self._looks = 0
        self._next_look: asyncio.TimerHandle | None = None

    # -- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        try:
            super().connection_made(transport)
        except OSError:  # macOS tells no address of a connection that its client has reset by now
            transport.abort()
            return
        self._begin_to_parse()
        self.app_state = {**self.app_state, TRANSPORT: transport}
        self._wait_for_request()
        self._crowd.enter(self, transport.get_extra_info("socket").fileno())
        self._look_later((next(_NUMBERS) % 100 + 1) / 100)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._crowd.leave(self)
        for cycle in self._ahead:  # uvicorn notifies only the last one
            cycle.disconnected = True
            cycle.message_event.set()
        # Requests that were never begun refer to this object. As a cycle they would stay in memory: see garbage.py.
        self.pipeline.clear()
        self._queued, self._before = 0, (True, None)
        self._ahead.clear()
        self.cycle = None  # type: ignore[assignment]
        self._unset_keepalive_if_required()
        if self._next_look is not None:
            self._next_look.cancel()

    def eof_received(self) -> None:
        """Discard answers that are written after the client has left: from now on the connection is closed."""
        for cycle in (*self._ahead, self.cycle):
            if cycle is not None and not cycle.response_complete:
                cycle.transport = Closing(cycle.transport)  # type: ignore[assignment]

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_client()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._crowd.stop_waiting(self)
        self._hold()
        self._wait_for_client()

    def shutdown(self) -> None:
        """End the connection when the server stops, but first answer a request that the loop has yet to deliver."""
        self._is_ending = True
        if not (self._has_answered() and has_unread_bytes(self.transport)):
            super().shutdown()

    def _has_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def give_way(self) -> None:
        """Close the connection at once, since others need what it takes."""
        self.transport.abort()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._queued:
            self._queued -= self._queued // (len(self.pipeline) + 1)  # the share of the one that begins
            self._hold()
        self._wait_for_client()
        self._forget_request()

    def _forget_request(self) -> None:
        """Let go of a request that was read and answered: thousands of connections may stay idle for long."""
        cycle = self.cycle
        if cycle is None or not cycle.response_complete:
            return
        cycle.body = bytearray()  # what has arrived of a body that nothing read
        if self._is_between and cycle.scope is self.scope:  # no further head has begun
            self.cycle = self.scope = None  # type: ignore[assignment]
            self.headers, self.url = [], b""
            self._before = True, None
            self._ahead.clear()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, unless bytes have arrived that the event loop has not yet delivered."""
        if has_unread_bytes(self.transport):
            self._wait_for_request()
        else:
            super().timeout_keep_alive_handler()

    def _wait_for_request(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    # -- incoming bytes

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        self._received += len(data)
        if len(data) <= limits.MAX_HEAD:
            self._feed(data)
        else:  # in pieces, so that a head that is too long never fits into one
            for start in range(0, len(data), limits.MAX_HEAD):
                self._feed(data[start : start + limits.MAX_HEAD])
        if self.pipeline:
            self._queued += len(data)
        if self._queued or self._head or not self._is_between:
            self._hold()
        self._wait_for_client()
        self._forget_request()

    def _wait_for_client(self) -> None:
        """Let the crowd count the connection if it waits for a request or a body, or if its client reads too little."""
        if self._has_answered() or self.flow.write_paused or not (self._is_between or self.pipeline):
            self._crowd.wait(self)

    def _hold(self) -> None:
        """Count what requests take that wait for their turn, or that are not complete; bodies count elsewhere."""
        begun = 0 if self._is_between and not self._head else limits.memory_of_head(len(self._head), self.headers)
        self._crowd.hold(self, self._queued + begun)

    def _feed(self, data: bytes) -> None:
        while data:
            data = self._parse(data)

    def _parse(self, data: bytes) -> bytes:
        """Let the parser read bytes; return those that it has to read next, which are none unless it met an offer."""
        if not self._head:
            self._before = self._is_between, self.cycle
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as stop:
            return self._without_offer(data[stop.args[0] :])
        except httptools.HttpParserInvalidURLError as error:
            self._feed_encoded(data, error)
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, MemoryError) and self.cycle is not None:
                self.cycle.body = bytearray()  # the refusal takes memory, too
            head = bytes(self._head + data)
            self._refuse(reason_of(error, head), head)
        else:
            if self._is_in_head():
                self._keep_head(data)
        return b""

    def on_headers_complete(self) -> None:
        self._offers = self.parser.should_upgrade() and any(name == b"upgrade" for name, _ in self.headers)
        if self._offers:
            return
        self._crowd.stop_waiting(self)
        limits.require_few(self.url, self.headers)
        limits.require_one_reading(self.parser.get_http_version(), self.headers)
        if not self.url.startswith(b"/"):
            self.url = limits.origin_form(self.url, self.headers)
        if len(self.pipeline) >= limits.MAX_PIPELINED and not isinstance(self.app, UnreadableRequest):
            raise limits.too_many_pipelined()
        if self._head:
            self._head.clear()
            if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > limits.MAX_HEAD:
                raise limits.RefusedRequest(limits.head_too_large())
        if self.cycle is not None and not self.cycle.response_complete:
            self._ahead.append(self.cycle)
            self._queued += limits.memory_of_head(0, self.headers)
        elif self._ahead:
            self._ahead.clear()
        self.expect_100_continue &= self.parser.get_http_version() != "1.0"  # where nobody knows such an answer
        super().on_headers_complete()
        self._is_between = False
        self._close_if_asked(self.cycle)
        self._linger_until_read(self.cycle)

    def _close_if_asked(self, cycle: RequestResponseCycle) -> None:
        """Announce the end of the connection if its client wants it, or may send no body after an early answer.

        Not every client that expects 100 (Continue) sends its body after a refusal: Apache's for Java sends the next
        request. Before 0.53, uvicorn notices only the very header `connection: close`, and as the answer begins.
        """
        ends = self._is_ending or self.expect_100_continue or not self.parser.should_keep_alive()
        if cycle.keep_alive and ends:
            cycle.keep_alive = False
            cycle.default_headers = [*cycle.default_headers, _CLOSE]

    def _linger_until_read(self, cycle: RequestResponseCycle) -> None:
        """Let a client read an answer that is sent before its body has arrived, as to a body that is too large."""
        if not cycle.keep_alive:
            cycle.transport = Lingering(self.transport, self.loop)  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        if not self._offers:
            super().on_message_complete()
            self._crowd.stop_waiting(self)
            self._is_between = True
            if not self.cycle.keep_alive:
                self.cycle.transport = self.transport
            came = self.expect_100_continue and not self.cycle.response_started
            if came and not self._is_ending and self.parser.should_keep_alive():
                self.cycle.keep_alive = True
                self.cycle.default_headers = self.server_state.default_headers

    def on_chunk_header(self) -> None:
        """Called by the parser at each chunk of a body: only after chunks are there trailers."""
        if not isinstance(self.headers, limits.Trailers):
            self.headers = limits.Trailers(self.headers)

    def _is_in_head(self) -> bool:
        """Whether a request has begun and its headers are not complete."""
        return self.scope is not None and (self.cycle is None or self.cycle.scope is not self.scope)

    def _keep_head(self, data: bytes) -> None:
        if not self._head:
            self._heads += 1
        self._head += data
        if len(self._head) > 2 * limits.MAX_HEAD:  # the first piece may hold up to `MAX_HEAD` bytes of other requests
            self._refuse(limits.head_too_large())
        elif len(self.headers) > limits.MAX_HEADERS:  # many short ones take thirty times as much memory as their bytes
            self._refuse(limits.too_many_headers(len(self.headers)))

    def _is_whole(self) -> bool:
        """Whether the latest bytes, together with `_head`, begin with the request that is being read."""
        was_between, cycle = self._before
        return was_between and self.cycle is cycle

    def _without_offer(self, following: bytes) -> bytes:
        """Return a request that offers another protocol (Java's client offers HTTP/2) without its offer, and the rest.

        The parser takes the bytes that follow its head for that protocol, and would lose the body. RFC 9110 allows a
        server to ignore the offer. After a CONNECT, where the parser stops too, nothing more is read.
        """
        if not self._offers:
            return b""
        line = b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        lines = [line, *(b"%s: %s" % pair for pair in self.headers if pair[0] != b"upgrade")]
        self._begin_to_parse()
        return b"\r\n".join(lines) + b"\r\n\r\n" + following

    def _feed_encoded(self, data: bytes, error: httptools.HttpParserError) -> None:
        """Parse a request line with bytes beyond ASCII as if they were percent-encoded, as some clients mean them.

        The text that is parsed again has no such bytes, so this happens once for each request.
        """
        head = bytes(self._head + data)
        line, end, rest = head.partition(b"\n")
        if line.isascii() or not self._is_whole():
            self._refuse(reason_of(error, line), head)
            return
        self._head.clear()
        self._begin_to_parse()
        self._feed(b"".join(b"%c" % byte if byte < 0x80 else b"%%%02X" % byte for byte in line) + end + rest)  # noqa: PLR2004 - ASCII

    def _begin_to_parse(self) -> None:
        """Use a new parser, which ignores what follows a request that closes the connection, as uvicorn's does."""
        self.parser = httptools.HttpRequestParser(self)
        with suppress(AttributeError):  # httptools before 0.6.3
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)

    # -- refusals

    def _refuse(self, error: ApiError, head: bytes = b"") -> None:
        """Answer the request that the client is sending with an error, and end the connection.

        `head` is the part of the head that has arrived. If the parser stopped in the request line, it has read none of
        the headers that determine the answer; they are taken from `head`, unless another request came with it.
        """
        head = head or bytes(self._head)
        headers = self.headers or (headers_of(head) if head.count(b"\r\n\r\n") <= 1 else ())
        seen = [pair for pair in headers if pair[0] in KEPT_HEADERS]
        line = head.partition(b"\n")[0] or self.url
        method = method_of(line)
        self.transport = Lingering(self.transport, self.loop)  # type: ignore[assignment]
        if self.cycle is not None and not self._is_in_head():
            method = self.cycle.scope["method"]
            if not self._give_up_body(self.cycle):
                self.parser = Deaf()  # type: ignore[assignment]
                self.transport.close()
                return
        self.app = UnreadableRequest(self.app, error, method=method, target=self.url, headers=seen)
        self._begin_to_parse()
        self._head.clear()
        self.parser.feed_data(b"GET / HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n")
        self.parser = Deaf()  # type: ignore[assignment]

    def _give_up_body(self, cycle: RequestResponseCycle) -> bool:
        """End a request whose body cannot be read; return whether the refusal can be its answer.

        If it waits for its turn, the requests before it are answered first.
        """
        cycle.disconnected = True
        cycle.message_event.set()
        if self.pipeline and self.pipeline[0][0] is cycle:
            self.pipeline.popleft()
            self.cycle = self._ahead.pop()
        elif not cycle.response_started:
            self.cycle = None  # type: ignore[assignment]
        return not cycle.response_started

    # -- patience

    def _look_later(self, share: float = 1) -> None:
        self._next_look = self.loop.call_later(share * PATIENCE / LOOKS, self._look)

    def _look(self) -> None:
        """Give up on a client that has made no progress for `PATIENCE` seconds while the connection waits for it."""
        waits_for = self._waits_for()
        is_stuck = waits_for is not None and waits_for == self._waited_for
        self._waited_for = waits_for
        self._looks = self._looks + 1 if is_stuck else 0
        self._look_later()
        if self._looks >= LOOKS:
            self._looks = 0
            self._give_up()

    def _waits_for(self) -> object:
        """Return what the connection waits for, as a value that changes with any progress; None if for nothing."""
        unsent = self.transport.get_write_buffer_size()
        if unsent:
            return "read", unsent
        if self._is_in_head():
            return "head", self._heads
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            return ("body", self._received) if cycle.more_body and not self.flow.read_paused else None
        return ("idle", self._received) if self.timeout_keep_alive_task is None else None

    def _give_up(self) -> None:
        if self.transport.is_closing() or self.transport.get_write_buffer_size():
            self.transport.abort()
        elif self._is_in_head() or (self.cycle is not None and not self.cycle.response_complete):
            self._refuse(REQUEST_TIMEOUT(f"Nothing came for {PATIENCE:.0f} seconds in the middle of the request."))
        else:
            self.transport.close()
