"""Refuse each system call on the connections of a call of the service, one by one: the next client is served."""

import ssl
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from itertools import count
from urllib.parse import urlsplit

from tests.endurance.figures import Figures
from tests.endurance.refusals import NETWORK, Server

OPTIONS = ("--tls", "--tls-port", "0", "--intercept", "0")
LINES = 7
"""The last line that such a server prints at its start names its proxy."""
HOST = "foas.cn-hangzhou.aliyuncs.com"
PATH = "/api/v2/projects"
WITHIN = 60


def walk_network(figures: Figures, server: Server) -> None:
    """Refuse every system call on connections once, of calls that come in each of four ways."""
    ways = _ways(server)
    for way, make in ways.items():
        for nth in count(1):
            with server.refusals.of(tuple(NETWORK), nth, for_ever=False):
                _ask(*make())
            if not server.refusals.refused:
                break
            figures.counts[f"refusals {way}"] += 1
            for next_way, make_next in ways.items():
                answered = _ask(*make_next())
                figures.require(f"{next_way} gets {answered} after refusal {nth} {way}", holds=answered == 200)


def _ways(server: Server) -> dict[str, Callable[[], tuple[HTTPConnection, str]]]:
    said = dict(line.split(": ", 1) for line in server.emulator.announcement if line.startswith("proxy: "))
    plain, secure = (urlsplit(line.rpartition(" ")[2]).netloc for line in server.emulator.announcement[:2])
    proxy = urlsplit(said["proxy"]).netloc
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE

    def in_tunnel() -> tuple[HTTPConnection, str]:
        connection = HTTPSConnection(proxy, timeout=WITHIN, context=trusting)
        connection.set_tunnel(HOST)
        return connection, PATH

    return {
        "plain": lambda: (HTTPConnection(plain, timeout=WITHIN), PATH),
        "in TLS": lambda: (HTTPSConnection(secure, timeout=WITHIN, context=trusting), PATH),
        "by the proxy": lambda: (HTTPConnection(proxy, timeout=WITHIN), f"http://{HOST}{PATH}"),
        "in a tunnel": in_tunnel,
    }


def _ask(connection: HTTPConnection, target: str) -> int | str:
    """Make a call; return the status of its answer, or why there is none."""
    try:
        connection.request("GET", target)
        return connection.getresponse().status
    except (OSError, HTTPException) as error:
        return repr(error)
    finally:
        connection.close()
