"""Put hostile contents into every position of every input, and tell what the requests cost.

Positions are those of our OpenAPI documents and of the seed's schema, of what the server itself returns (settings,
clocks, snapshots), and of the console's forms.
"""

import random
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import cycle
from urllib.parse import quote, urljoin

import httpx

from foas_emulator.gateway.signature import SignedRequest, v1_authorization
from foas_emulator.main import describe_api, describe_control_api
from foas_emulator.settings import Settings
from tests.endurance import contents
from tests.endurance.answers import fault_of, is_asked_for
from tests.endurance.connection import Connection
from tests.endurance.figures import Bounds, Figures, main
from tests.endurance.grammar import FAULTY, SERVED, Grammar, Request
from tests.endurance.judging import judged
from tests.endurance.trees import FORM, PARTED, Page, Place, Tree, tree
from tests.endurance.victim import Victim

JSON, YAML = "application/json", "application/yaml"
HEAD, FORMS, DOCUMENTS = 15_000, 2**20, 2**23
"""Bytes of the largest content in a head, in a form and in a document: encoded, it is up to four times as long."""
OFTEN = 2**17
"""Bytes of the largest content of four requests in five."""
RESET_EVERY = 40
"""After so many positions the worlds are as they began, and those that positions have named are gone."""
PAGES = 60
"""Pages of the console that are read for forms."""
PATIENCE = 60
"""Seconds after which a request counts as one that is never answered, however busy the machine."""
COUNTED = 2**15
"""Bytes of a content when lines are counted."""
LINES, LINES_OF_A_BYTE = 1_000_000, 20
"""Lines of Python that a request may run, such as one for a page of the console, and those for each of its bytes."""
SHOWN = 5
"""So many of the costliest requests are shown."""
RESIDENT = "resident MiB, at most"


@dataclass
class Costs:
    """The costliest requests, by each of what they cost."""

    found: dict[str, list[tuple[float, str]]] = field(default_factory=dict)

    def note(self, kind: str, cost: float, what: str) -> None:
        self.found[kind] = nlargest(SHOWN, [*self.found.get(kind, ()), (round(cost, 2), what)])

    def values(self) -> Iterator[tuple[str, str]]:
        for kind, costliest in self.found.items():
            for number, (cost, what) in enumerate(costliest, 1):
                yield f"{kind}, {number}", f"{cost} {what}"


class User:
    """Makes requests, and notes what they cost and what must not be."""

    def __init__(self, victim: Victim, figures: Figures, *, is_counted: bool) -> None:
        self._victim = victim
        self._figures = figures
        self._is_counted = is_counted
        self._connection = Connection(victim.port, patience=PATIENCE)
        self.answer = b""
        """The bytes of the last answer."""
        self.costs = Costs()

    def ask(self, raw: bytes, what: str, *, written: int = 0) -> int:
        """Return the status of the answer, 0 if there is none; `written` are the bytes of what was written before."""
        felt, require, size = self._victim.felt, self._figures.require, len(raw) + written
        felt.longest_work = 0
        worked, lines = felt.worked, felt.lines
        try:
            status, answer = self._connection.ask(raw)
        except TimeoutError:
            self._connection.close()
            status, answer = 0, b""
            require(f"no answer: {what}", holds=False)
        try:
            self._victim.rest()
        except AssertionError as error:
            error.add_note(what)
            raise
        require(f"{what} -> {answer[:600]!r}", holds=status < 500 or is_asked_for(answer))
        fault = fault_of(answer)
        require(f"{what} cannot be read, {fault}: {answer[:600]!r}", holds=fault is None)
        self.answer = answer
        self._figures.counts[f"status {status}"] += 1
        if self._is_counted:
            lines = int(felt.lines - lines)
            self.costs.note("lines for a byte", max(lines - LINES, 0) / size, what)
            self.costs.note("lines", lines, what)
            require(f"{what}: {lines} lines for {size} bytes", holds=lines <= LINES + LINES_OF_A_BYTE * size)
        else:
            self.costs.note("processor time, ms/KiB", (felt.worked - worked) * 1000 / max(size / 1024, 64), what)
            self.costs.note("of it in one hold of the loop, ms", felt.longest_work * 1000, what)
        return status

    def rest(self) -> None:
        """Wait until what others have asked for is over, so that it is not taken for a cost of the next request."""
        self._victim.rest()

    def note_resident(self) -> None:
        known = self._figures.values.get(RESIDENT, 0)
        self._figures.values[RESIDENT] = max(known, self._victim.resident() or 0)

    def close(self) -> None:
        self._connection.close()


def positions(*, bounds: Bounds, seed: int, is_counted: bool = False) -> Figures:
    """Fill one position after the other until the bounds are met.

    `is_counted` counts the lines of Python that requests run, instead of their time, and holds them to their bytes.
    """
    figures, chance = Figures(), random.Random(seed)
    with watched(figures, Settings(port=0, log_refused=False), is_counted=is_counted) as (client, user):
        reset_worlds(client)
        trees = [*every_tree(client, chance)]
        reads = [each for each in trees if each.method == "GET"]
        walk = [(each, place) for each in trees for place in each.places()]
        chance.shuffle(walk)
        for number, (each, place) in enumerate(cycle(walk), 1):
            size = size_of(each, place, chance, most=COUNTED if is_counted else DOCUMENTS)
            what = f"{each} {'.'.join(map(str, place))} ({seed}-{number})"
            raw = filled(each, place, size, random.Random(f"{seed}-{number}")).raw()
            status = user.ask(raw, what)
            if each.method != "GET" and 0 < status < 400:
                read = chance.choice(reads)
                user.ask(read.raw(), f"{read} after {what}", written=len(raw))
            figures.counts["positions filled"] = number
            if not bounds.allow(number):
                break
            if number % RESET_EVERY == 0:
                user.note_resident()
                reset_worlds(client)
        figures.values |= {"requests": len(trees), "positions": len(walk), **dict(user.costs.values())}
    return figures


@contextmanager
def watched(figures: Figures, settings: Settings, *, is_counted: bool) -> Iterator[tuple[httpx.Client, User]]:
    """Run a server for a block, and judge it, with a user that judges each of its answers."""
    with (
        judged(figures, settings, lines=is_counted) as victim,
        victim.client() as client,
        closing(User(victim, figures, is_counted=is_counted)) as user,
    ):
        yield client, user
        user.note_resident()


def reset_worlds(client: httpx.Client) -> None:
    for world in client.get("/_emulator/worlds").json()["worlds"]:
        client.delete(f"/_emulator/worlds/{quote(world['name'], safe='')}")
    for name in (*SERVED, FAULTY):
        client.put(f"/_emulator/worlds/{name}").raise_for_status()
    client.put(f"/_emulator/worlds/{SERVED[1]}/settings", json={"signature": "warn"}).raise_for_status()


def every_tree(client: httpx.Client, chance: random.Random) -> Iterator[Tree]:
    """Return a valid request of everything that can be asked for."""
    for document in (describe_api(), describe_control_api()):
        for request in Grammar(document, chance, share=1).each():
            yield Tree.of(request, _signed(request))
    world = f"/_emulator/worlds/{SERVED[0]}"
    for part in ("settings", "snapshot"):
        yield tree("PUT", f"{world}/{part}", JSON, client.get(f"{world}/{part}").json(), {})
    seed = Grammar(client.get("/_emulator/seed.schema.json").json(), chance, share=1).document()
    for kind in (JSON, YAML):
        yield tree("PUT", world, kind, {"seed": seed}, {})
        yield tree("POST", f"{world}/seed", kind, seed, {})
    yield from _pages(client)


def _signed(request: Request) -> dict[str, str]:
    path, _, query = request.target.partition("?")
    headers = {
        "x-emulator-world": request.world,
        "accept": "application/json",
        "date": "Thu, 01 Aug 2019 12:00:00 GMT",
        "x-acs-date": "2019-08-01T12:00:00Z",
        "x-acs-signature-nonce": "1",
        "x-acs-signature-method": "HMAC-SHA1",
    }
    signed = SignedRequest(request.method, path, query, headers, request.body)
    return {**headers, "authorization": v1_authorization(signed, "test", "test")}


def _pages(client: httpx.Client) -> Iterator[Tree]:
    """Return the pages of the console, by their links, and each of their forms once."""
    home = f"/_emulator/console/w/{SERVED[0]}/"
    targets, forms = [home], set()
    for number in range(PAGES):
        if number == len(targets):
            break
        target = targets[number]
        answer = client.get(target)
        page = Page(answer.text if answer.headers.get("content-type", "").startswith("text/html") else "")
        yield tree("GET", target, "", None, {})
        linked = dict.fromkeys(urljoin(target, link) for link in page.links)
        targets += [each for each in linked if each.startswith(home) and each not in targets]
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        for form in page.trees({"cookie": cookie}):
            alike = (form.kind, *form.parts["path"], *form.parts["body"])
            if alike not in forms:
                forms.add(alike)
                yield form


def size_of(given: Tree, place: Place, chance: random.Random, *, most: int) -> int:
    limit = min(most, HEAD if place[0] != "body" else FORMS if given.kind in {FORM, PARTED} else DOCUMENTS)
    return int((limit if chance.random() < 0.2 else min(limit, OFTEN)) * chance.random())


def filled(given: Tree, place: Place, size: int, chance: random.Random) -> Tree:
    """Return a request with a hostile content of a size at one place, and sometimes at a second, or many times."""
    way = chance.random()
    is_document = place[0] == "body" and given.kind not in {FORM, PARTED}
    if len(place) > 1 and isinstance(place[-1], str) and way < 0.15:
        return given.with_name(place, contents.text(size, chance))
    if len(place) > 1 and way < 0.4:
        count = chance.choice((20, 200, 2000))
        share = max(size // count // 2, 1)
        whole = place[: chance.randrange(2, len(place) + 1)]
        return given.with_value(place, contents.text(share, chance)).with_many(
            whole, count, contents.text(share, chance)
        )
    if is_document and way < 0.55:
        return given.with_bare(place, contents.text(size, chance))
    changed = given.with_value(place, contents.value(size, chance) if is_document else contents.text(size, chance))
    other = chance.choice(given.places())
    is_apart = any(one != another for one, another in zip(place, other, strict=False))
    return changed.with_value(other, contents.text(size, chance)) if way < 0.75 and is_apart else changed


if __name__ == "__main__":
    sys.exit(main(positions, count=1_000_000))
