"""Listening sockets and their URLs."""

import errno
import socket
from contextlib import ExitStack

from foas_emulator.settings import SettingError, flag, variable

_OF_THE_HOST = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL)
"""Errors for a host that is not an address of this machine; the last one is for a link-local one without its zone."""

_OF_FILES = (errno.EMFILE, errno.ENFILE)
"""Errors for no host and no port: sockets are files, of which the system allows no more."""

ATTEMPTS = 20
"""Free ports of one address family to try until one is free in the other family too."""


def listen(host: str, port: int, *, setting: str = "port", attempts: int = ATTEMPTS) -> list[socket.socket]:
    """Return sockets that listen on one port, 0 for a free one; `localhost` has one for each address family.

    Raise `SettingError` for `host`, or for `setting`, which is the name of the port's setting.
    """
    if host != "localhost":
        return [_listen(host, port, setting)]
    first = _listen("127.0.0.1", port, setting)
    try:
        return [first, _listen("::1", first.getsockname()[1], setting)]
    except SettingError as error:
        if error.setting == "host":
            return [first]  # a machine without IPv6
        first.close()
        if port or attempts == 1:
            raise
        return listen(host, port, setting=setting, attempts=attempts - 1)


def _listen(host: str, port: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Linux and macOS: let a port be free as soon as its server has ended. Windows: let no other process share the port.
    option = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
    with ExitStack() as if_refused:
        try:
            listener = if_refused.enter_context(socket.socket(family, socket.SOCK_STREAM))
            listener.setsockopt(socket.SOL_SOCKET, option, 1)
            # Connections inherit it. asyncio sets it for sockets of a named protocol alone, and an answer's body, which
            # is written after its head, would wait 40 ms for the client to confirm that.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listener.bind((host, port))
            # Binding is not enough: another process could bind the same port until one of them listens.
            listener.listen()
        except (OSError, UnicodeError, TypeError) as error:  # the last two for a name that no host can have
            raise _cannot_listen(host, port, setting, error) from None
        if_refused.pop_all()
    return listener


def _cannot_listen(host: str, port: int, setting: str, error: Exception) -> SettingError:
    reason = getattr(error, "strerror", None) or error
    if not isinstance(error, OSError) or isinstance(error, socket.gaierror) or error.errno in _OF_THE_HOST:
        return SettingError("host", f"cannot listen on {host!r} ({reason}); is it an address of this machine?")
    advice = f"choose another {flag(setting)} ({variable(setting)}), or 0 for a free one"
    if error.errno in _OF_FILES:
        advice = "allow more of them (ulimit -n)"
    return SettingError(setting, f"cannot listen on {host}:{port} ({reason}); {advice}")


def url_of(scheme: str, listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def reachable(url: str) -> str:
    """Return a URL at which this machine reaches a server that listens on all addresses."""
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
