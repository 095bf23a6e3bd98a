"""Fuzz both APIs: with requests generated from our OpenAPI document, and with broken bytes on raw sockets."""

import random
import socket
import sys
from contextlib import suppress

from foas_emulator.main import describe_api, describe_control_api
from foas_emulator.settings import Settings
from tests.endurance.answers import is_asked_for
from tests.endurance.connection import PATIENCE, STATUS, Connection
from tests.endurance.figures import Bounds, Figures, main
from tests.endurance.grammar import SERVED, Request, mangled, requests_of_both
from tests.endurance.judging import judged
from tests.endurance.victim import Victim

RAW_EVERY = 10
"""One in so many requests is broken, and has a socket of its own."""
RESET_EVERY = 200
"""After so many requests the worlds are as they began, or soon nothing would be left to be asked for."""


def fuzz(*, bounds: Bounds, seed: int) -> Figures:
    """Fuzz one server until the bounds are met."""
    figures = Figures()
    chance = random.Random(seed)
    with judged(figures, Settings(port=0)) as victim:
        connection = Connection(victim.port)
        for number, request in enumerate(requests_of_both(describe_api(), describe_control_api(), chance)):
            if not bounds.allow(number):
                break
            if number % RESET_EVERY == 0:
                _reset_worlds(victim)
            if number % RAW_EVERY:
                _ask(figures, connection, request)
            else:
                _ask_raw(figures, victim.port, mangled(request.raw(), chance))
        connection.close()
        answered = figures.counts["valid"] + figures.counts["refused"]
        figures.values["valid, percent"] = round(100 * figures.counts["valid"] / max(answered, 1))
        figures.values["resident MiB"] = victim.resident()
        figures.values.update(victim.felt.found())
    return figures


def _reset_worlds(victim: Victim) -> None:
    with victim.client() as client:
        for world in SERVED:
            client.put(f"/_emulator/worlds/{world}").raise_for_status()


def _ask(figures: Figures, connection: Connection, request: Request) -> None:
    kind = "control" if request.target.startswith("/_emulator") else "service"
    try:
        status, answer = connection.ask(request.raw())
    except TimeoutError:
        connection.close()
        figures.require(f"no answer: {request}", holds=False)
        return
    figures.counts[f"{kind} {status}"] += 1
    figures.counts["valid" if status and status < 300 else "refused"] += 1
    figures.require(f"{request} -> {answer[:600]!r}", holds=status < 500 or is_asked_for(answer))


def _ask_raw(figures: Figures, port: int, raw: bytes) -> None:
    received = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection, suppress(ConnectionError):
        connection.settimeout(PATIENCE)
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        while chunk := connection.recv(65536):
            received += chunk
    statuses = [int(status) for status in STATUS.findall(received)]
    figures.counts["raw"] += 1
    for status in statuses:
        figures.counts[f"raw {status}"] += 1
    figures.require(f"{raw[:300]!r} -> {received[:600]!r}", holds=all(status < 500 for status in statuses))


if __name__ == "__main__":
    sys.exit(main(fuzz, count=1_000_000))
