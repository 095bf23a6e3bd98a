"""A client of the control API that uses only the standard library, since it is loaded into users' test processes."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlsplit

from foas_emulator.testing.shapes import SETTINGS, ForeignAnswerError, Shape, checked
from foas_emulator.testing.written import written

__tracebackhide__ = True

if TYPE_CHECKING:
    from http.client import HTTPResponse

TIMEOUT = 60.0
"""Seconds to wait for an answer."""
_LONGEST_VERIFICATION = 300.0
"""Seconds more for one that comes only when the journal is as expected: the longest `timeout` of an expectation."""
_LONGEST_ANSWER = 1024 * 1024 * 1024
"""The most bytes of an answer to hold, far more than documents have."""


class EmulatorError(Exception):
    """The control API refused a request; the message says why, and what to do about it.

    `details` are the other members of the answer.
    """

    def __init__(self, status: int, error: str, hint: str, **details: Any) -> None:
        # A hint that is no sentence, such as a member and its fault, continues that of the error.
        continues = hint[:1].islower() and not hint.startswith("foas-emulator ")
        super().__init__(f"{error.removesuffix('.')}: {hint}" if continues else f"{error} {hint}")
        self.status = status
        self.error = error
        self.hint = hint
        self.details = details

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle it whole: it may be raised in a process of a pool, which hangs or breaks if it cannot be unpickled."""
        return _unpickled, (self.status, self.error, self.hint, self.details)


def _unpickled(status: int, error: str, hint: str, details: Mapping[str, Any]) -> EmulatorError:
    return EmulatorError(status, error, hint, **details)


def check_port(parts: SplitResult) -> None:
    """Raise ValueError if a URL has a port that none can have."""
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("its port is not a number from 0 to 65535") from None


class ControlClient:
    """A client of one emulator's control API. Each request has its own connection, so threads can share the client."""

    def __init__(self, url: str, *, control_token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._parts = urlsplit(self.url)
        if self._parts.scheme not in ("http", "https") or not self._parts.hostname:
            raise ValueError(f"{url!r} is not the address of a server: give one such as http://127.0.0.1:8018")
        check_port(self._parts)
        self.patience = TIMEOUT
        self.longest_answer: int | None = None
        self._headers = {} if control_token is None else {"authorization": f"Bearer {control_token}"}

    def request(self, method: str, path: str, body: Any = None, *, shape: Shape = dict) -> Any:
        """Return the JSON that answers a request with this JSON body, None if the answer is empty.

        Raise as `send` does, and ValueError for an answer of another shape: then no emulator has answered.
        """
        text = None if body is None else json.dumps(written(body)).encode()
        answer = self.send(method, path, text, {"content-type": "application/json"})
        return checked(_answered(answer), shape) if answer or shape is not dict else None

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Send a request for a path below `/_emulator`; return the body of the answer.

        A world that does not exist yet is created, as it is by a client's first request. Raise `EmulatorError` if the
        request is refused, and OSError if there is no answer.
        """
        try:
            return self._send(method, path, body, headers)
        except EmulatorError as refusal:
            name = refusal.details.get("no_world")
            if not isinstance(name, str) or method == "DELETE":
                raise
        # An empty change of settings creates the world, and does not replace one that has been created meanwhile.
        self._send("PUT", f"/worlds/{quote(name, safe='')}/settings", b"{}", None)
        return self._send(method, path, body, headers)

    def discard(self, path: str) -> None:
        """Delete a world, or what a world holds. Raise as `request` does, but not if there is no such world."""
        try:
            self.request("DELETE", path)
        except EmulatorError as refusal:
            if "no_world" not in refusal.details:
                raise

    def has_world(self, name: str) -> bool:
        """Whether there is a world of this name; also True for one that cannot be used: the next request says why.

        Raise ValueError if the server that answers is not an emulator.
        """
        try:
            checked(_answered(self._send("GET", f"/worlds/{quote(name, safe='')}/settings", None, None)), SETTINGS)
        except EmulatorError as refusal:
            return "no_world" not in refusal.details
        return True

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None) -> bytes:
        # Imported on first use: it takes longer to load than the rest of the pytest plugin.
        from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415

        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        port = kind.default_port if self._parts.port is None else self._parts.port  # else it is looked for in the host
        patience = self.patience + (_LONGEST_VERIFICATION if path.endswith("/journal/verify") else 0)
        connection = kind(self._parts.hostname or "", port, timeout=patience)
        try:
            target = f"{self._parts.path}/_emulator{path}"
            connection.request(method, target, body, {**self._headers, **(headers or {})})
            with connection.getresponse() as response:
                answer = read_whole(response, longest=self.longest_answer)
        except HTTPException as error:
            raise ConnectionError(f"{self.url} does not answer as an HTTP server does: {error!r}") from error
        finally:
            connection.close()
        if response.status >= 300:  # noqa: PLR2004 - from 400 they are errors, and the control API redirects nobody
            raise _refusal(response.status, answer)
        return answer


def read_whole(response: "HTTPResponse", *, longest: int | None = None) -> bytes:
    """Return the body of an answer. Raise ConnectionError if it is endless, and `IncompleteRead` if it is cut off."""
    from http.client import IncompleteRead  # noqa: PLC0415 - as in `_send`

    longest = longest or _LONGEST_ANSWER
    answer = response.read(longest + 1)
    if len(answer) > longest:
        raise ConnectionError(f"its answer is longer than {longest} bytes")
    if response.length:  # without a number, `read` would complain itself, and take memory for what is announced
        raise IncompleteRead(answer, response.length)
    return answer


class _Answer(dict[str, Any]):
    """A document of the control API. If it lacks a member, it comes from another kind of server."""

    def __missing__(self, name: str) -> Any:
        raise ForeignAnswerError(f"there is no {name} in its answer")


def _answered(answer: bytes) -> Any:
    try:
        document = json.loads(answer)
    except (ValueError, RecursionError):
        raise ForeignAnswerError("its answer is not JSON") from None
    return _Answer(document) if isinstance(document, dict) else document


def _refusal(status: int, answer: bytes) -> EmulatorError:
    with suppress(ValueError, TypeError, KeyError, RecursionError):
        document = json.loads(answer)
        if isinstance(document["error"], str) and isinstance(document["hint"], str):
            return EmulatorError(status, **document)
    hint = "Is this the address of a foas-emulator?"
    return EmulatorError(status, f"It answers with status {status}, unlike a control API.", hint)
