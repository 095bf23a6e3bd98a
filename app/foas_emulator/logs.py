"""Log lines on standard error, as text or as JSON."""

import json
import logging
import os
import select
import sys
from datetime import UTC, datetime
from functools import cache
from queue import SimpleQueue
from threading import Event, Lock, Thread

_AT_ONCE = getattr(select, "PIPE_BUF", 512)
"""Bytes that a writable pipe accepts without blocking."""
_WAIT_S = 0.02
"""Seconds to wait for a pipe on systems that do not report whether it accepts anything."""
_UNREAD = "it is a pipe that nobody reads"
_FIELDS = ("request_id", "operation", "world", "method", "path", "status", "milliseconds", "code", "hint")


class JsonFormatter(logging.Formatter):
    """A formatter that writes one JSON object per line: time, level, logger, message, and facts about the request."""

    def format(self, record: logging.LogRecord) -> str:
        members = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: getattr(record, name) for name in _FIELDS if hasattr(record, name)},
        }
        if record.exc_info:
            members["exception"] = self.formatException(record.exc_info)
        return json.dumps(members, ensure_ascii=False)


class PatientHandler(logging.Handler):
    """A handler that writes log lines to a file descriptor, which may be a pipe that nobody reads.

    A line that cannot be written at once is dropped; the next line that can be reports the number of dropped ones. A
    server must not wait for a reader of its log.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or count it as dropped."""
        try:
            line = self.format(record)
            if self._dropped:
                line = f"{self.format(_dropped(self._dropped))}\n{line}"
            write_at_once(self._descriptor, f"{line}\n".encode(errors="backslashreplace"))
            self._dropped = 0
        except OSError:
            self._dropped += 1


class ThreadedWriter:
    """A writer that waits for a pipe in a thread, where it holds up nobody else."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = Lock()
        self._given: SimpleQueue[bytes] = SimpleQueue()
        self._is_idle = Event()
        self._is_idle.set()
        self._error: OSError | None = None
        Thread(target=self._run, name="foas-emulator log", daemon=True).start()

    def write(self, data: bytes) -> None:
        """Write all bytes, or leave them to the thread if that takes long. Raise OSError if it is still busy."""
        with self._lock:
            if not self._is_idle.is_set():
                raise BlockingIOError(_UNREAD)
            self._is_idle.clear()
            self._given.put(data)
            if self._is_idle.wait(_WAIT_S) and self._error is not None:
                raise self._error

    def _run(self) -> None:
        while True:
            data = self._given.get()
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError as error:
                self._error = error
            else:
                self._error = None
            self._is_idle.set()


_writer = cache(ThreadedWriter)


def write_at_once(descriptor: int, data: bytes) -> None:
    """Write all bytes or raise OSError, without waiting: no more at a time than a writable pipe accepts."""
    if sys.platform == "win32":  # select supports only sockets there
        _writer(descriptor).write(data)
        return
    for start in range(0, len(data), _AT_ONCE):
        if not select.select([], [descriptor], [], 0)[1]:
            raise BlockingIOError(_UNREAD)
        os.write(descriptor, data[start : start + _AT_ONCE])


def _dropped(count: int) -> logging.LogRecord:
    message = f"{count} log lines were dropped: nobody read standard error"
    return logging.makeLogRecord({"name": __name__, "levelname": "WARNING", "msg": message})


def configure(*, level: str, format_: str) -> None:
    """Send all log lines of this process to standard error."""
    handler = _handler()
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if format_ == "json" else text)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("foas_emulator").setLevel(level.upper())


def _handler() -> logging.Handler:
    if sys.stderr is None:
        return logging.NullHandler()
    try:
        return PatientHandler(sys.stderr.fileno())
    except OSError:  # standard error is not a file: it has been replaced by another object
        return logging.StreamHandler(sys.stderr)
