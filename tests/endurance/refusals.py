"""Fail each system call that a change of a world makes, one after another: the change happens whole or not at all."""

import errno
import mmap
import random
import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from foas_emulator.faults.rules import FaultRule
from foas_emulator.operations.projects.rows import Project
from foas_emulator.settings import Settings
from foas_emulator.world.clock import ClockRow
from foas_emulator.world.registry import Registry
from foas_emulator.worlds import open_registry
from tests import process
from tests.endurance.figures import Bounds, Figures
from tests.endurance.writes import (
    PROJECTS,
    WORLDS,
    WRITES,
    Chosen,
    Model,
    State,
    Write,
    create,
    projects,
    replace,
    reset,
)

KINDS = {
    "open": errno.EMFILE,
    "create": errno.ENOSPC,
    "read": errno.EIO,
    "write": errno.ENOSPC,
    "sync": errno.EIO,
    "truncate": errno.EIO,
    "rename": errno.ENOSPC,
    "unlink": errno.EIO,
    "make a directory": errno.ENOSPC,
    "list a directory": errno.EMFILE,
    "map": errno.ENOMEM,
    "lock": errno.ENOLCK,
    "look at": errno.EIO,
    "close": errno.EIO,
    "start a thread": errno.EAGAIN,
}
"""The kinds of calls on files in the order of refusals.c, and the errors with which they are refused."""
NETWORK = {
    "make a socket": errno.EMFILE,
    "accept": errno.ENETDOWN,
    "connect": errno.EADDRNOTAVAIL,
    "receive": errno.ETIMEDOUT,
    "send": errno.ENOBUFS,
    "shut down": errno.ENOTCONN,
    "ask about a socket": errno.ENOTCONN,
    "set an option": errno.ENOBUFS,
}
"""The kinds of calls on connections, which come next there."""
SOURCE = Path(__file__).with_name("refusals.c")
SUBJECT = WORLDS[0]
BesideRows = tuple[int, int, str]
"""The offset of a world's clock, the number of its fault rules, and its setting `not_running`."""
UNAVAILABLE = 503


class Refusals:
    """The memory that refusals.c shares: which calls are refused."""

    _LAYOUT = struct.Struct("4I24i")

    def __init__(self, file: Path) -> None:
        file.write_bytes(bytes(self._LAYOUT.size))
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), 0)

    @contextmanager
    def of(self, kinds: Sequence[str], nth: int, *, for_ever: bool) -> Iterator[None]:
        """Refuse the nth call of these kinds that is made inside the block, and all after it if it is for ever."""
        errors = [error if kind in kinds else 0 for kind, error in (KINDS | NETWORK).items()]
        self._LAYOUT.pack_into(self._shared, 0, 0, for_ever, 0, 0, *errors, 0)
        struct.pack_into("I", self._shared, 0, nth)
        try:
            yield
        finally:
            struct.pack_into("I", self._shared, 0, 0)

    @property
    def refused(self) -> int:
        """How many calls were refused."""
        return int(self._LAYOUT.unpack_from(self._shared)[3])


@dataclass(frozen=True)
class Server:
    """A server whose system refuses what it is told to."""

    emulator: process.Emulator
    refusals: Refusals
    client: httpx.Client
    data: Path
    log: Path


@contextmanager
def refused_server(place: Path, *options: str, lines: int = 1) -> Iterator[Server]:
    """Run a server in a directory of its own; its first `lines` are waited for."""
    library, data, temporary = place / "refusals.so", place / "files/data", place / "files/tmp"
    temporary.mkdir(parents=True)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
    refusals = Refusals(place / "control")
    variables = {
        "LD_PRELOAD": str(library),
        "REFUSALS_CONTROL": str(place / "control"),
        "REFUSALS_PLACE": str(place / "files"),
        "TMPDIR": str(temporary),
    }
    options = ("--seed", str(_seed(place)), "--data-dir", str(data), "--no-log-refused", *options)
    with (
        process.serving(*options, log=place / "log", variables=variables, lines=lines) as emulator,
        emulator.client() as client,
    ):
        yield Server(emulator, refusals, client, data, place / "log")


def _seed(place: Path) -> Path:
    seed = place / "seed.yaml"
    seed.write_text("clusters: [{ClusterId: c}]", "utf-8")
    return seed


def _reset_all(client: httpx.Client, model: Model, world: str) -> Chosen:
    after, _ = reset(client, model, world)
    return after, lambda: client.post("/_emulator/reset")


def _snapshot(client: httpx.Client, model: Model, world: str) -> Chosen:
    return model.state(world), lambda: client.get(f"/_emulator/worlds/{world}/snapshot")


def _read(client: httpx.Client, model: Model, world: str) -> Chosen:
    return model.state(world), lambda: client.get(PROJECTS, headers={"x-emulator-world": world})


def _advance(client: httpx.Client, model: Model, world: str) -> Chosen:
    path = f"/_emulator/worlds/{world}/clock/advance"
    return model.state(world), lambda: client.post(path, json={"by": "1h"})


def _arm(client: httpx.Client, model: Model, world: str) -> Chosen:
    rule = {"match": {"operation": "ListJob"}, "effect": {"error": "Throttling.User"}}
    return model.state(world), lambda: client.post(f"/_emulator/worlds/{world}/faults", json=rule)


def _set(client: httpx.Client, model: Model, world: str) -> Chosen:
    path = f"/_emulator/worlds/{world}/settings"
    return model.state(world), lambda: client.put(path, json={"not_running": "answer"})


BESIDE_ROWS: tuple[Write, ...] = (_advance, _arm, _set)
"""The changes of what a world has beside its resources."""
CHANGES = (*dict.fromkeys(WRITES), _reset_all, _snapshot, _read, *BESIDE_ROWS)


def walk(
    figures: Figures,
    server: Server,
    change: Write,
    numbers: Iterable[int],
    kinds: Sequence[str] = tuple(KINDS),
    *,
    for_ever: bool = False,
    is_large: bool = False,
    is_closed: bool = False,
) -> None:
    """Refuse of all calls of these kinds that a change makes those of the numbers, up to its last one."""
    trial = Trial(figures, server, Model(is_large=is_large))
    for world in WORLDS:
        trial.make(replace, world)
    for nth in numbers:
        trial.make(replace)
        trial.make(create)
        if is_closed:
            trial.wait_until_closed()
        if not trial.refuse(change, kinds, nth, for_ever=for_ever):
            break


def ever_fewer(chance: random.Random, part: int = 10) -> Iterator[int]:
    """Yield the first numbers from 1 on, and ever fewer of the later ones: each is about a part further."""
    number = 1
    while True:
        yield number
        number += 1 + chance.randrange(1 + 2 * number // part)


def refusals(figures: Figures, place: Path, chance: random.Random, bounds: Bounds) -> None:
    """Refuse calls of changes once and for ever, of small and large worlds, open and closed ones, until time is up."""
    with refused_server(place / "open") as open_, refused_server(place / "closed", "--world-idle", "80ms") as closed:
        walks: list[Callable[[], None]] = []
        for change in CHANGES:
            for is_large in (False, True):
                numbers = ever_fewer(chance, part=5)
                walks.append(partial(walk, figures, open_, change, numbers, is_large=is_large))
                numbers = ever_fewer(chance, part=3)
                walks.append(partial(walk, figures, closed, change, numbers, is_large=is_large, is_closed=True))
            for kind in KINDS:
                numbers = ever_fewer(chance, part=5)
                walks.append(partial(walk, figures, open_, change, numbers, [kind], for_ever=True))
        chance.shuffle(walks)
        done = 0
        while done < len(walks) and bounds.allow(0):
            walks[done]()
            done += 1
        figures.values["changes walked through, of all"] = f"{done} {len(walks)}"
        require_no_crash(figures, open_)
        require_no_crash(figures, closed)


def require_no_crash(figures: Figures, server: Server) -> None:
    """The server stops as it is told to, and has logged no mistake of its own."""
    figures.require(f"it ended with {server.emulator.process.poll()}", holds=server.emulator.stop() == 0)
    said = server.log.read_text("utf-8", "replace")
    figures.require(said[said.find("Traceback") :][:2000], holds="Traceback" not in said)
    left = [path.name for path in (server.data.parent / "tmp").iterdir()]
    figures.require(f"left behind: {left}", holds=not left)


@dataclass(frozen=True)
class Trial:
    """A server, and what its worlds hold."""

    figures: Figures
    server: Server
    model: Model

    def make(self, change: Write, world: str = SUBJECT) -> None:
        after, call = change(self.server.client, self.model, world)
        call().raise_for_status()
        self.model.known[world] = after

    def wait_until_closed(self) -> None:
        is_open = {SUBJECT: True}
        while is_open[SUBJECT]:
            time.sleep(0.02)
            worlds = self.server.client.get("/_emulator/worlds").json()["worlds"]
            is_open = {world["name"]: world["open"] for world in worlds}

    def refuse(self, change: Write, kinds: Sequence[str], nth: int, *, for_ever: bool) -> int:
        """Make a change while the nth call is refused; return how many were."""
        server, known = self.server, self.model.known
        before, beside = known[SUBJECT], self._beside_rows()
        after, call = change(server.client, self.model, SUBJECT)
        with server.refusals.of(kinds, nth, for_ever=for_ever):
            answer = call()
        refused = server.refusals.refused
        if answer.is_success or (change is _reset_all and self._holds(SUBJECT) == after.holds):
            known[SUBJECT] = after
        if not refused:
            answer.raise_for_status()
        else:
            which = f"{change.__name__}, refused {', '.join(kinds[:2])} {nth}{' and later' if for_ever else ''}"
            which = f"{which}: {answer.status_code} {answer.text[:300] if answer.is_error else ''}"
            self._check(which, before, answer)
            if change in BESIDE_ROWS:
                found = self._beside_rows()
                self.figures.require(f"{which} {found} {beside}", holds=answer.is_success is (found != beside))
        return refused

    def _beside_rows(self) -> BesideRows:
        client, world = self.server.client, f"/_emulator/worlds/{SUBJECT}"
        clock, faults, settings = (client.get(f"{world}/{part}").json() for part in ("clock", "faults", "settings"))
        return clock["offset_ms"], len(faults["faults"]), settings["not_running"]

    def _holds(self, world: str) -> frozenset[str] | str:
        try:
            return projects(self.server.client, world)
        except LookupError as error:
            return str(error)

    def _check(self, which: str, before: State, answer: httpx.Response) -> None:
        """Require that every world is what the answer says, and would be after a kill."""
        figures, known = self.figures, self.model.known
        figures.counts[f"refusals answered with {answer.status_code}"] += 1
        hint = answer.headers.get("x-emulator-hint") or (answer.json().get("hint") if answer.is_error else "")
        figures.require(which, holds=answer.is_success or (answer.status_code == UNAVAILABLE and bool(hint)))
        for world in WORLDS:
            holds = self._holds(world)
            figures.require(f"{which} {world} holds {holds}; {before} {known}", holds=holds == known[world].holds)
        found, beside, now = *states_after_kill(self.server), self._beside_rows()
        figures.require(f"{which} after a kill {found}; {before} {known}", holds=found == known)
        figures.require(f"{which} after a kill {beside}; {now}", holds=beside == now)


def states_after_kill(server: Server) -> tuple[dict[str, State], BesideRows]:
    """Return what the worlds of the data directory hold and reset to, and what the subject has beside them."""
    with TemporaryDirectory(dir=server.log.parent) as directory:
        copy = Path(directory) / "data"
        shutil.copytree(server.data, copy)
        registry = open_registry(Settings(seed=(str(_seed(server.log.parent)),), data_dir=copy))
        try:
            subject = registry.open_or_create(SUBJECT)
            offset = sum(clock.offset_ms for clock in subject.store.find(ClockRow))
            beside = offset, len(subject.store.find(FaultRule)), subject.settings.not_running
            return {world: _state_of(registry, world) for world in WORLDS}, beside
        finally:
            registry.close()


def _state_of(registry: Registry, world: str) -> State:
    def names() -> frozenset[str]:
        return frozenset(project.name for project in registry.open_or_create(world).store.find(Project))

    holds = names()
    registry.reset(world)
    return State(names(), holds)
