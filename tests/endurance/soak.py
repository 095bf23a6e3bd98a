"""Uses one server for long, worlds coming and going, and looks for what grows."""

import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from foas_emulator.settings import Settings
from tests.endurance.figures import Bounds, Figures, main
from tests.endurance.victim import serving

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
CALLS_IN_A_ROUND = 40
SETTINGS = Settings(port=0, journal_bytes=2**21, read_cache=2**20, image_bytes=2**24)
"""Small budgets, so that they are full soon."""


def round_of_calls(client: httpx.Client, figures: Figures, chance: random.Random, number: int) -> None:
    """Let a world come, be used in every way, and go."""
    world = f"w{number % 50}-{chance.randrange(1000)}"
    control, named = f"/_emulator/worlds/{world}", {"x-emulator-world": world}

    def done(answer: httpx.Response) -> httpx.Response:
        figures.counts[f"status {answer.status_code}"] += 1
        figures.require(f"{answer.request.url}: {answer.text[:300]}", holds=answer.status_code < 500)
        return answer

    for _ in range(CALLS_IN_A_ROUND):
        done(client.get(chance.choice(READS), params={"pageIndex": chance.randrange(1, 500)}, headers=named))
    for each in range(3):
        form = {
            "jobName": f"j{each}",
            "jobType": "FLINK_STREAM",
            "apiType": "SQL",
            "code": "x" * chance.randrange(2000),
        }
        done(client.post(JOBS, data=form, headers=named))
        done(client.put(f"{JOBS}/j{each}/commit", headers=named))
    done(client.post(f"{control}/faults", json={"effect": {"stale": True}, "times": 1}))
    done(client.post(f"{control}/clock/advance", json={"by": "10m"}))
    snapshot = done(client.get(f"{control}/snapshot"))
    done(client.put(f"{control}/snapshot", content=snapshot.content))
    done(client.put(f"{control}-fork", json={"fork": world}))
    done(client.put(f"{control}-kept", json={"snapshot": snapshot.json()}))
    done(client.get(f"{control}/journal"))
    done(client.post(f"{control}/reset"))
    for ended in (control, f"{control}-fork", f"{control}-kept"):
        done(client.delete(ended))


def soak(*, bounds: Bounds, seed: int) -> Figures:
    """Call until the bounds are met; `count` are calls."""
    figures, chance = Figures(), random.Random(seed)
    with TemporaryDirectory() as directory:
        report = Path(directory) / "report"
        with serving(SETTINGS, log=Path(directory) / "log", report=report) as victim, victim.client() as client:
            victim.warm_up()
            resident: list[float | None] = []
            number = 0
            while bounds.allow(figures.counts.total()):
                round_of_calls(client, figures, chance, number)
                resident.append(victim.resident())
                number += 1
            info = client.get("/_emulator/info").json()
            for name, budget in info["memory"].items():
                figures.values[name] = f"{budget['bytes']} of {budget['limit']} bytes"
                figures.require(f"{name} keeps {budget}", holds=budget["bytes"] <= budget["limit"])
            worlds = [world["name"] for world in client.get("/_emulator/worlds").json()["worlds"]]
            figures.require(f"worlds that were ended are there: {worlds}", holds=worlds == ["default"])
            figures.values["rounds"] = number
            for share in (0, 0.25, 0.5, 0.75, 1):
                figures.values[f"resident MiB after {share:.0%}"] = resident[int(share * (len(resident) - 1))]
            figures.values.update(victim.stop())
    return figures


if __name__ == "__main__":
    sys.exit(main(soak, count=10_000_000))
