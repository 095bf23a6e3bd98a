"""A server that is killed in the middle of writes, again and again, loses nothing that it acknowledged."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from foas_emulator.settings import Settings
from tests.endurance.victim import Victim, serving

pytestmark = pytest.mark.xdist_group("kill")

ROUNDS = 100
AT_ONCE = 4
"""Servers that are killed side by side, each with a directory of its own."""
PROJECTS = "/api/v2/projects"


def write_until_it_dies(victim: Victim, prefix: str, first_write: threading.Event) -> set[str]:
    """Create projects one after the other; answers the names that were acknowledged."""
    acknowledged: set[str] = set()
    with victim.client() as client:
        try:
            while True:
                name = f"{prefix}-{len(acknowledged)}"
                form = {"name": name, "clusterId": "c", "deployType": "cell", "description": "x" * 500}
                answer = client.post(PROJECTS, data=form)
                assert answer.status_code == 200, answer.text
                acknowledged.add(name)
                first_write.set()
        except httpx.TransportError:
            return acknowledged


def kept(victim: Victim) -> set[str]:
    """The names of all projects there are."""
    names: set[str] = set()
    page = total = 1
    with victim.client() as client:
        while page <= total:
            answer = client.get(PROJECTS, params={"pageIndex": page, "pageSize": 100}).json()
            names |= {project["Name"] for project in answer["Projects"]["Project"]}
            page, total = page + 1, answer["TotalPage"]
    return names


def lose_nothing(directory: Path, number: int) -> int:
    """Kill one server over and over; answers how many writes were acknowledged."""
    chance = random.Random(number)
    seed = directory.with_suffix(".yaml")
    seed.write_text("clusters: [{ClusterId: c}]", "utf-8")
    settings = Settings(port=0, seed=(str(seed),), data_dir=directory)
    acknowledged: set[str] = set()
    for round_ in range(ROUNDS // AT_ONCE):
        with serving(settings) as victim, ThreadPoolExecutor(1) as writer:
            assert acknowledged <= kept(victim)
            first_write = threading.Event()
            writing = writer.submit(write_until_it_dies, victim, f"r{round_}", first_write)
            assert first_write.wait(timeout=60)
            threading.Event().wait(chance.uniform(0, 0.1))
            victim.process.kill()
            acknowledged |= writing.result(timeout=60)
    with serving(settings) as victim:
        assert acknowledged <= kept(victim)
    return len(acknowledged)


def test_no_acknowledged_write_is_lost_in_100_kills(tmp_path: Path) -> None:
    with ThreadPoolExecutor(AT_ONCE) as servers:
        written = list(servers.map(lambda number: lose_nothing(tmp_path / f"worlds{number}", number), range(AT_ONCE)))
    assert sum(written) > ROUNDS
