"""Kill servers in the middle of writes, cut their files, fill their disk, use up descriptors, fail system calls."""

import random
import resource  # noqa: TID253 - it needs the limits of Linux
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from foas_emulator.settings import Settings
from tests.endurance.figures import Bounds, Figures, main
from tests.endurance.refusals import refusals
from tests.endurance.victim import Victim, serving
from tests.endurance.writes import PROJECTS, WORLDS, WRITES, Model, State, drop, projects

assert sys.platform == "linux", "limits of a running process are set as Linux does"

LONGEST_LIFE = 0.3
"""Seconds at most between the first write and the kill."""
EMPTY = ("empty",)
UNAVAILABLE = 503


def _check(figures: Figures, client: httpx.Client, model: Model) -> None:
    """Every world is as it was acknowledged, or as it was asked to be, and resets to what belongs to that."""
    for world in WORLDS:
        states = {model.state(world), model.asked.get(world, model.state(world))}
        try:
            holds = projects(client, world)
            client.post(f"/_emulator/worlds/{world}/reset").raise_for_status()
            found = State(projects(client, world), holds)
        except (LookupError, httpx.HTTPError) as error:
            figures.require(f"world {world} after a kill: {error}", holds=False)
            continue
        figures.counts["worlds checked"] += 1
        figures.require(f"world {world} is {found}, and may be {states}", holds=found in states)
        model.known[world] = State(found.origin, found.origin)
    model.asked.clear()


def _write_until_killed(figures: Figures, victim: Victim, model: Model, chance: random.Random) -> None:
    first = threading.Event()
    life = chance.uniform(0, LONGEST_LIFE)

    def kill() -> None:
        first.wait(60)
        threading.Event().wait(life)
        victim.process.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with victim.client() as client:
        try:
            while True:
                world, write = chance.choice(WORLDS), chance.choice(WRITES)
                after, call = write(client, model, world)
                model.asked[world] = after
                answer = call()
                figures.require(f"{write.__name__}: {answer.text}", holds=answer.is_success or write is drop)
                first.set()
                model.known[world] = after
                del model.asked[world]
                figures.counts[f"written_{write.__name__}"] += 1
        except httpx.TransportError as error:
            figures.counts["kills"] += 1
            figures.require(f"{write.__name__} was not answered: {error}", holds=first.is_set())
    first.set()
    killer.join()


def kills(figures: Figures, place: Path, chance: random.Random, bounds: Bounds) -> None:
    """Kill a server at random instants; what it acknowledged is there, and nothing is there by half."""
    seed = place / "seed.yaml"
    seed.write_text("clusters: [{ClusterId: c}]", "utf-8")
    settings = Settings(port=0, seed=(str(seed),), data_dir=place / "killed")
    model = Model()
    done = 0
    while bounds.allow(done):
        with serving(settings, log=place / "killed.log") as victim:
            with victim.client() as client:
                _check(figures, client, model)
            _write_until_killed(figures, victim, model, chance)
        done += 1
    with serving(settings, log=place / "killed.log") as victim, victim.client() as client:
        _check(figures, client, model)
    left = [path.name for path in (place / "killed").iterdir() if path.suffix not in ("", ".db", ".origin")]
    left = [name for name in left if not name.endswith(("-wal", "-shm", "-journal"))]
    figures.require(f"left behind: {left}", holds=not left)


def full_disk(figures: Figures, place: Path) -> None:
    """Fill the disk, for which a limit on the size of files stands; nothing is lost, and it goes on with more room."""
    settings = Settings(port=0, seed=EMPTY, data_dir=place / "full")
    little, enough = 200 * 1024, resource.RLIM_INFINITY
    log = place / "full.log"
    kept: set[str] = set()
    with serving(settings, log=log, limits={"RLIMIT_FSIZE": (little, enough)}) as victim, victim.client() as client:
        client.post("/_emulator/worlds/default/seed", json={"clusters": [{"ClusterId": "c"}]}).raise_for_status()

        def create(name: str) -> httpx.Response:
            form = {"name": name, "clusterId": "c", "deployType": "cell", "description": "x" * 2000}
            answer = client.post(PROJECTS, data=form)
            if answer.is_success:
                kept.add(name)
            return answer

        refused = [answer for number in range(400) if not (answer := create(f"n{number}")).is_success]
        figures.counts["refused on a full disk"] += len(refused)
        figures.require("the disk was never full", holds=bool(refused))
        for answer in refused:
            hint = answer.headers.get("x-emulator-hint", "")
            figures.require(
                f"{answer.text} {hint}",
                holds=answer.status_code == UNAVAILABLE and "default.db" in hint and "room" in hint,
            )
        figures.require("a read on a full disk", holds=projects(client, "default") == kept)
        resource.prlimit(victim.process.pid or 0, resource.RLIMIT_FSIZE, (enough, enough))
        figures.require("it does not go on with more room", holds=create("later").is_success)
    with serving(settings, log=log) as victim, victim.client() as client:
        figures.require("lost on a full disk", holds=projects(client, "default") == kept)


def few_descriptors(figures: Figures, place: Path, worlds: int = 150) -> None:
    """Use many more worlds than there are descriptors for, beside connections that are kept open."""
    limits = {"RLIMIT_NOFILE": (128, 128)}
    settings = Settings(port=0, seed=EMPTY, data_dir=place / "few")
    with serving(settings, log=place / "few.log", limits=limits) as victim:
        clients = [victim.client() for _ in range(30)]
        for round_ in range(2):
            for number in range(worlds):
                client = clients[number % len(clients)]
                answer = client.get(PROJECTS, headers={"x-emulator-world": f"w{number}"})
                figures.counts[f"few descriptors {answer.status_code}"] += 1
                hint = answer.headers.get("x-emulator-hint", "")
                figures.require(f"world {number} of round {round_}: {answer.text} {hint}", holds=answer.is_success)
        listed = clients[0].get("/_emulator/worlds").json()["worlds"]
        figures.values["worlds of which were open"] = f"{len(listed)} {sum(world['open'] for world in listed)}"
        figures.require("worlds are missing", holds=len(listed) == worlds + 1)
        for client in clients:
            client.close()


def cut_files(figures: Figures, place: Path, chance: random.Random, worlds: int = 12) -> None:
    """Cut files anywhere, or put noise into them: 503 that names the file, until the world is mended; others go on."""
    settings = Settings(port=0, data_dir=place / "cut")
    with serving(settings, log=place / "cut.log") as victim, victim.client() as client:
        for number in range(worlds):
            client.put(f"/_emulator/worlds/w{number}").raise_for_status()
        client.put("/_emulator/worlds/whole").raise_for_status()
    for number in range(worlds):
        for path in (place / "cut").glob(f"w{number}.db*"):
            content = path.read_bytes()
            at = chance.randrange(len(content) or 1)
            path.write_bytes(content[:at] if number % 2 else content[:at] + chance.randbytes(700) + content[at + 700 :])
    with serving(settings, log=place / "cut.log") as victim, victim.client() as client:
        for number in range(worlds):
            world = f"w{number}"
            for target in (
                PROJECTS,
                f"{PROJECTS}/project1/jobs/job1/instances/412536",
                f"/_emulator/worlds/{world}/snapshot",
            ):
                answer = client.get(target, headers={"x-emulator-world": world})
                figures.counts[f"cut file {answer.status_code}"] += 1
                hint = answer.headers.get("x-emulator-hint", answer.text)
                says = answer.status_code == UNAVAILABLE and f"{world}.db" in hint
                figures.require(f"{target}: {answer.status_code} {hint}", holds=answer.is_success or says)
            mend = chance.choice(
                (
                    client.put,
                    client.delete,
                    lambda path: client.post(f"{path}/reset"),
                )
            )
            figures.require(f"mending {world}", holds=mend(f"/_emulator/worlds/{world}").is_success)
            for name in (world, "whole"):
                answer = client.get(PROJECTS, headers={"x-emulator-world": name})
                figures.require(f"{name} after {world} was mended: {answer.text}", holds=answer.is_success)
    said = (place / "cut.log").read_text("utf-8", "replace")
    figures.require(said[-2000:], holds="Traceback" not in said)


def chaos(*, bounds: Bounds, seed: int) -> Figures:
    """Kill for half of the time; fill the disk, leave few descriptors, cut files; refuse calls for the rest of it.

    A part that has begun is brought to its end; once the time is up, none begins.
    """
    figures, chance = Figures(), random.Random(seed)
    with TemporaryDirectory() as directory:
        place = Path(directory)
        kills(figures, place, chance, replace(bounds, seconds=bounds.seconds / 2))
        parts: list[Callable[[], None]] = [
            partial(full_disk, figures, place),
            partial(few_descriptors, figures, place),
            partial(cut_files, figures, place, chance),
            partial(refusals, figures, place, chance, bounds),
        ]
        while parts and bounds.allow(0):
            parts.pop(0)()
    if parts:
        figures.values["parts for which there was no time"] = len(parts)
    return figures


if __name__ == "__main__":
    sys.exit(main(chaos, count=1000))
