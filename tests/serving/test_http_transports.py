import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest

from foas_emulator.serving.http_transports import has_unread_bytes


def transport_of(connection: socket.socket | None) -> Any:
    return SimpleNamespace(get_extra_info=lambda name: {"socket": connection}[name])


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Let this process have no further descriptor."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(limits[0], 1024), limits[1]))
        with suppress(OSError):
            while True:
                stack.callback(os.close, os.dup(2))
        yield


def test_bytes_are_seen_before_they_are_read_though_no_descriptor_is_left() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, no_descriptor_left():
        assert not has_unread_bytes(transport_of(ours))
        theirs.sendall(b"GET ")
        assert has_unread_bytes(transport_of(ours))


def test_no_bytes_are_unread_where_the_connection_is_gone() -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    theirs.close()
    assert not has_unread_bytes(transport_of(ours))
    assert not has_unread_bytes(transport_of(None))
