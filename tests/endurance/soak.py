"""Use one server for a long time while worlds come and go, and look for anything that grows."""

import json
import random
import sys
from collections.abc import Sequence
from contextlib import closing
from urllib.parse import urlencode

from foas_emulator.settings import Settings
from tests.endurance.connection import Connection, request
from tests.endurance.figures import Bounds, Figures, main
from tests.endurance.judging import judged

JOBS = "/api/v2/projects/demo/jobs"
READS = (
    "/api/v2/projects",
    JOBS,
    f"{JOBS}/running-stream",
    f"{JOBS}/running-stream/instances/-1",
    f"{JOBS}/running-stream/instances/-1/runsummary",
    "/api/v2/projects/project1/jobs/job1/instances/412536",
    f"{JOBS}/no-such-job",
)
FORM = "application/x-www-form-urlencoded"
JOBS_IN_A_ROUND, READS_BEFORE_EACH = 10, 200
PAGES = 20
"""Different readings of each path: half of all reads were answered before, since the last write."""
ENOUGH_ROUNDS = 60
"""Rounds from which on memory tells something: every budget is full after some ten."""
MOST_GROWTH = 8
"""MiB by which the memory of the last quarter may be above that of the first."""
AT_ONCE = 20
"""Reads that are sent without waiting for the answers: a client that waits is slower than the server."""
SETTINGS = Settings(port=0, journal_bytes=2**21, read_cache=2**20, image_bytes=2**24)
"""Small budgets, so that they are full soon."""


class User:
    """Calls the server, and notes what it answers."""

    def __init__(self, connection: Connection, figures: Figures) -> None:
        self._connection = connection
        self._figures = figures

    def call(self, *requests: bytes) -> bytes:
        """Send requests at once; return the body of the last answer."""
        answer = b""
        for asked, (status, answer) in zip(requests, self._connection.ask_all(requests), strict=True):
            self._figures.counts[f"status {status}"] += 1
            self._figures.require(f"{asked[:200]!r}: {answer[:500]!r}", holds=0 < status < 500)
        return answer.partition(b"\r\n\r\n")[2]

    def ask(self, method: str, target: str, body: object = None) -> bytes:
        """Make a call of the control API; return the body of the answer."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.call(request(method, target, content=content))


def round_of_calls(user: User, chance: random.Random, number: int, *, reads: int = READS_BEFORE_EACH) -> None:
    """Let a world come, be used in every way, and go; `reads` are those before each new job."""
    world = f"w{number % 50}-{chance.randrange(1000)}"
    control = f"/_emulator/worlds/{world}"
    for each in range(JOBS_IN_A_ROUND):
        for _ in range(reads // AT_ONCE):
            targets = [f"{chance.choice(READS)}?pageIndex={chance.randrange(1, PAGES + 1)}" for _ in range(AT_ONCE)]
            user.call(*(request("GET", target, world=world) for target in targets))
        form = {
            "jobName": f"j{each}",
            "jobType": "FLINK_STREAM",
            "apiType": "SQL",
            "code": "x" * chance.randrange(2000),
        }
        user.call(
            request("POST", JOBS, world=world, content=urlencode(form).encode(), kind=FORM),
            request("PUT", f"{JOBS}/j{each}/commit", world=world),
        )
    user.ask("POST", f"{control}/faults", {"effect": {"stale": True}, "times": 1})
    user.ask("POST", f"{control}/clock/advance", {"by": "10m"})
    snapshot = user.ask("GET", f"{control}/snapshot")
    user.ask("PUT", f"{control}/snapshot", snapshot)
    user.ask("PUT", f"{control}-fork", {"fork": world})
    user.ask("PUT", f"{control}-kept", b'{"snapshot": ' + snapshot + b"}")
    user.ask("GET", f"{control}/journal")
    user.ask("POST", f"{control}/reset")
    for ended in (control, f"{control}-fork", f"{control}-kept"):
        user.ask("DELETE", ended)


def require_no_growth(figures: Figures, resident: Sequence[float | None]) -> None:
    """Require that memory, after each of many rounds, stays where it was once every budget was full."""
    known = [each for each in resident if each is not None]
    if len(known) >= ENOUGH_ROUNDS:
        early, late = max(known[: len(known) // 4]), max(known[-(len(known) // 4) :])
        figures.require(f"memory rose from {early:.1f} to {late:.1f} MiB", holds=late <= early + MOST_GROWTH)


def soak(*, bounds: Bounds, seed: int, reads: int = READS_BEFORE_EACH) -> Figures:
    """Call until the bounds are met; `count` are calls. `reads` are those before each new job."""
    figures, chance = Figures(), random.Random(seed)
    with (
        judged(figures, SETTINGS) as victim,
        victim.client() as client,
        closing(Connection(victim.port)) as connection,
    ):
        user = User(connection, figures)
        resident: list[float | None] = []
        number = 0
        while bounds.allow(figures.counts.total()):
            round_of_calls(user, chance, number, reads=reads)
            resident.append(victim.resident())
            number += 1
        for name, budget in client.get("/_emulator/info").json()["memory"].items():
            figures.values[name] = f"{budget['bytes']} of {budget['limit']} bytes"
        worlds = [world["name"] for world in client.get("/_emulator/worlds").json()["worlds"]]
        figures.require(f"worlds that were ended are there: {worlds}", holds=worlds == ["default"])
        figures.values["rounds"] = f"{number}; from {ENOUGH_ROUNDS} on, growth of memory is judged"
        for share in (0, 0.25, 0.5, 0.75, 1) if resident else ():
            figures.values[f"resident MiB after {share:.0%}"] = resident[int(share * (len(resident) - 1))]
        require_no_growth(figures, resident)
        figures.values.update(victim.felt.found())
    return figures


if __name__ == "__main__":
    sys.exit(main(soak, count=10_000_000))
