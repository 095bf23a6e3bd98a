"""The short forms of `make fuzz`, `positions`, `pairs` and so on; none of their assertions depends on time."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from foas_emulator.settings import Settings
from tests.clients.builds import do_without
from tests.endurance.figures import Bounds, Figures, main
from tests.endurance.floods import BUDGETS, floods
from tests.endurance.fuzz import fuzz
from tests.endurance.grammar import Grammar, mangled
from tests.endurance.large import STATES, large
from tests.endurance.network import LINES, OPTIONS, walk_network
from tests.endurance.pairs import pairs
from tests.endurance.positions import filled, positions
from tests.endurance.refusals import CHANGES, ever_fewer, refused_server, require_no_crash, walk
from tests.endurance.soak import ENOUGH_ROUNDS, require_no_growth, soak
from tests.endurance.trees import FORM, PARTED, Page, tree
from tests.endurance.victim import serving

SECONDS = 120
"""More than the counts ever take; a machine that is busy ends early instead of late."""

pytestmark = pytest.mark.xdist_group("endurance")
posix = pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be asked to stop there")
linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of a running process are set as Linux does")


def well(figures: Figures) -> Figures:
    assert not figures.broken, "\n".join(figures.broken)
    return figures


@posix
def test_a_short_fuzz_makes_no_error_of_the_server_and_much_of_it_is_valid() -> None:
    figures = well(fuzz(bounds=Bounds(600, SECONDS), seed=7))
    assert figures.values["valid, percent"] >= 30
    assert figures.counts["raw"] > 0


@posix
def test_hostile_contents_make_no_error_of_the_server_and_run_lines_in_proportion_to_their_bytes() -> None:
    figures = well(positions(bounds=Bounds(150, SECONDS), seed=7, is_counted=True))
    assert figures.values["positions"] > 2500
    assert figures.counts["status 200"] > 10


@posix
def test_whatever_was_stored_is_read_everywhere_without_an_error_of_the_server() -> None:
    figures = well(pairs(bounds=Bounds(40, SECONDS), seed=7, is_counted=True))
    assert figures.counts["stored"] > 0
    assert figures.counts["reads of what was stored"] > 100


@posix
def test_requests_in_large_worlds_make_no_error_of_the_server_and_run_few_lines() -> None:
    figures = well(large(bounds=Bounds(10 * len(STATES), SECONDS * len(STATES)), seed=7, is_counted=True, size=200))
    assert all(figures.counts[f"requests, {state}"] == 10 for state in STATES)
    assert all(figures.counts[f"large by, {state}"] >= 150 for state in STATES)
    assert figures.counts["status 200"] > 10


def test_every_part_of_a_request_is_a_position_and_can_be_filled_in_every_way() -> None:
    body = {"a": {"b": [{"c": 1}, {"c": 2}]}, "d": "e"}
    given = tree("PUT", "/p/a%2Fb?q=1", "application/json", body, {"x-a": "b"})
    places = [".".join(map(str, place)) for place in given.places()]
    assert places == [
        *("path.0", "path.1", "query.q", "headers.x-a", "body"),
        *("body.a", "body.a.b", "body.a.b.0", "body.a.b.0.c", "body.d"),
    ]
    place = ("body", "a", "b", 0, "c")
    assert given.with_value(place, "x").parts["body"]["a"]["b"][0] == {"c": "x"}
    assert given.with_name(place, "x").parts["body"]["a"]["b"][0] == {"x": 1}
    assert len(given.with_many(place[:-1], 5, "n").parts["body"]["a"]["b"]) == 7
    assert given.with_many(place, 2, "n").parts["body"]["a"]["b"][0] == {"c": 1, "n0": 1, "n1": 1}
    assert given.with_bare(("body", "d"), "*x").raw().endswith(b'"d": *x}')
    assert given.raw().startswith(b"PUT /p/a%2Fb?q=1 HTTP/1.1\r\n")


@pytest.mark.parametrize("kind", ["application/json", FORM, PARTED])
def test_every_position_can_be_filled(kind: str) -> None:
    given = tree("PUT", "/p?q=1", kind, {"a": "b", "c": {"file": "d", "content": "e"}}, {"x-a": "b"})
    for place in given.places():
        for number in range(30):
            head, end, _ = filled(given, place, 5000, random.Random(number)).raw().partition(b"\r\n\r\n")
            assert head.startswith(b"PUT /")
            assert end


def test_the_forms_of_a_page_are_trees() -> None:
    page = Page(
        '<a href="x#y"></a><form><input name="q"></form>'
        '<form method="post" action="/a/b" enctype="multipart/form-data">'
        '<input name="t" value="1"><input type="file" name="u"><button name="v"></button></form><input name="w">'
    )
    assert page.links == ["x"]
    (form,) = page.trees({})
    assert form.parts["path"] == ["a", "b"]
    assert form.parts["body"] == {"t": "1", "u": {"file": "a.yaml", "content": "{}"}, "v": ""}


@posix
def test_a_short_soak_ends_within_its_budgets_and_leaves_no_world() -> None:
    figures = well(soak(bounds=Bounds(250, SECONDS), seed=7))
    assert figures.counts["status 200"] > 200


def test_memory_ends_where_it_began_after_worlds_have_come_and_gone() -> None:
    figures = well(soak(bounds=Bounds(45 * ENOUGH_ROUNDS, SECONDS), seed=7, reads=0))
    assert figures.counts.total() > 40 * ENOUGH_ROUNDS, "too few rounds to judge"


@pytest.mark.parametrize(("late", "is_well"), [(104.0, True), (120.0, False)])
def test_a_soak_whose_memory_rises_is_no_good_one(late: float, *, is_well: bool) -> None:
    figures = Figures()
    require_no_growth(figures, [100.0] * ENOUGH_ROUNDS + [late] * ENOUGH_ROUNDS)
    require_no_growth(figures, [100.0, late])
    assert (figures.broken == []) is is_well


@linux
@pytest.mark.parametrize(
    ("budget", "shape"),
    [
        ("cached answers", "long headers"),
        ("journals", "JSON lists"),
        ("worlds", "texts"),
        ("incomplete heads", "many headers"),
        ("requests that wait for their turn", "with headers"),
        ("bodies that arrive", "small"),
        ("bodies of control calls", "large"),
        ("verifications", "of many operations"),
        ("calls that latencies hold back", "many headers"),
        ("large answers", "of the service"),
        ("files that are compared", "of objects"),
        ("connections through the proxy", "tunnels"),
    ],
)
def test_a_budget_holds_what_it_counts(budget: str, shape: str) -> None:
    figures = well(floods(bounds=Bounds(1, SECONDS), seed=7, chosen=[(budget, shape)]))
    assert figures.values.keys() == {f"{budget}: {shape}"}


def test_every_budget_is_flooded_in_a_few_shapes() -> None:
    assert all(len(budget.shapes) > 1 for budget in BUDGETS.values())


@linux
def test_a_few_kills_leave_every_world_whole(tmp_path: Path) -> None:
    chaos = import_module("tests.endurance.chaos")

    figures = Figures()
    chaos.kills(figures, tmp_path, random.Random(7), Bounds(5, SECONDS))
    assert well(figures).counts["kills"] > 0
    assert figures.counts["worlds checked"] >= 3 * figures.counts["kills"]


@linux
def test_a_full_disk_loses_nothing_and_it_goes_on_with_more_room(tmp_path: Path) -> None:
    chaos = import_module("tests.endurance.chaos")

    figures = Figures()
    chaos.full_disk(figures, tmp_path)
    assert well(figures).counts["refused on a full disk"] > 0


@linux
def test_more_worlds_than_descriptors_are_served_beside_open_connections(tmp_path: Path) -> None:
    chaos = import_module("tests.endurance.chaos")

    figures = Figures()
    chaos.few_descriptors(figures, tmp_path, worlds=60)
    assert well(figures).counts["few descriptors 200"] == 120


@linux
def test_cut_files_are_named_and_mended_and_others_go_on(tmp_path: Path) -> None:
    chaos = import_module("tests.endurance.chaos")

    figures = Figures()
    chaos.cut_files(figures, tmp_path, random.Random(7), worlds=6)
    assert well(figures).counts["cut file 503"] > 0


@linux
def test_a_change_to_which_the_system_refuses_a_call_happens_or_does_not(tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        do_without("there is no C compiler")
    figures, chance = Figures(), random.Random(7)
    with refused_server(tmp_path) as server:
        for change in CHANGES:
            walk(figures, server, change, ever_fewer(chance, part=3))
        require_no_crash(figures, server)
    assert well(figures).counts["refusals answered with 503"] > 20
    assert figures.counts["refusals answered with 200"] > 20


@linux
def test_a_call_on_whose_connection_the_system_refuses_something_harms_no_other(tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        do_without("there is no C compiler")
    figures = Figures()
    with refused_server(tmp_path, *OPTIONS, lines=LINES) as server:
        walk_network(figures, server)
        require_no_crash(figures, server)
    counts = well(figures).counts
    assert counts["refusals plain"] > 5
    assert counts["refusals in a tunnel"] > 20


def test_the_grammar_reaches_every_operation_and_repeats_itself_with_its_seed() -> None:
    document: dict[str, Any] = {"paths": {f"/p{number}/{{name}}": {"get": {"parameters": []}} for number in range(5)}}
    document["paths"]["/_emulator/x"] = {"get": {"parameters": []}}

    def made(seed: int) -> list[bytes]:
        requests = Grammar(document, random.Random(seed)).requests()
        return [next(requests).raw() for _ in range(200)]

    assert made(1) == made(1)
    assert len({raw.split()[1] for raw in made(1)}) == 6
    assert len({mangled(made(1)[0], random.Random(seed)) for seed in range(50)}) > 20


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_that_is_asked_to_end_prints_its_figures(
    capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    def run(*, bounds: Bounds, seed: int) -> Figures:
        figures = Figures()
        while bounds.allow(figures.counts["rounds"]):
            figures.counts["rounds"] += seed
            os.kill(os.getpid(), number)
        return figures

    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        assert main(run, count=5, arguments=[]) == 0
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    shown = capsys.readouterr()
    assert re.search(r"^rounds +1$", shown.out, re.MULTILINE)
    assert "ctrl+c" in shown.err


def test_a_soak_that_is_ended_at_once_makes_no_round() -> None:
    assert well(soak(bounds=Bounds(0, 0), seed=7)).values["rounds"].startswith("0;")


@linux
@pytest.mark.parametrize("seconds", [0.3, 2, 4])
def test_an_interrupt_at_a_terminal_while_a_program_starts_leaves_no_traceback(seconds: float) -> None:
    program = [sys.executable, "-m", "tests.endurance.chaos", "--seconds", "1"]
    options: Any = {"start_new_session": True, "stderr": subprocess.PIPE, "stdout": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(program, **options) as running:
        time.sleep(seconds)
        os.kill(-running.pid, signal.SIGINT)  # its whole group
        assert "Traceback" not in running.communicate()[1]


@posix
def test_a_server_that_has_ended_is_waited_for_no_longer() -> None:
    with serving(Settings(port=0)) as victim:
        victim.kill()
        with pytest.raises(AssertionError, match="the server has ended"):
            victim.rest()


def test_what_does_not_hold_is_kept_with_the_figures() -> None:
    figures = Figures()
    for number in range(50):
        figures.require(f"broken {number}", holds=number % 2 == 0)
    assert len(figures.broken) == 20
    assert figures.lines()[-1].startswith("BROKEN: ")
