"""One budget for the journals of all worlds."""

import asyncio
import tracemalloc
from collections.abc import Iterator
from copy import deepcopy
from itertools import permutations
from sys import getrefcount

import pytest

from foas_emulator.gateway.formats import Body
from foas_emulator.gateway.operation import Operation
from foas_emulator.journal.calls import Call
from foas_emulator.journal.coverage import COUNTERS_SIZE, Usage
from foas_emulator.journal.journal import WORLD_JOURNAL_SIZE, Journal
from foas_emulator.json_bounds import memory_of
from foas_emulator.world import slices
from foas_emulator.world.clock import Reading
from tests.api import BY_NAME, Api, open_api
from tests.journal.reading import GET, read, verify

EMPTY = Body(b"", b"")


@pytest.fixture
def operation() -> Operation:
    return BY_NAME["GetInstance"]


def room(entries: int, *, worlds: int) -> int:
    """A budget for so many entries of 100 bytes in so many worlds."""
    return entries * 100 + worlds * (WORLD_JOURNAL_SIZE + COUNTERS_SIZE)


def call(number: int, *, size: int = 100) -> Call:
    return Call(
        operation=None,
        method="GET",
        raw_path=f"/{number}",
        parameters={},
        unread=(),
        access_key_id="",
        signature="unsigned",
        warning=None,
        action=None,
        format="json",
        status=404,
        code="InvalidAction.NotFound",
        faults=(),
        clock=Reading(offset_ms=0, frozen_at=0),
        size=size,
    )


def write(journal: Journal, world: str, number: int, *, size: int = 100) -> None:
    journal.write(journal.template(world, call(number, size=size), EMPTY), str(number), number)


def kept(journal: Journal, world: str) -> list[tuple[int, str]]:
    return [(number, each.call.raw_path) for number, each in journal.world_journal(world).numbered()]


def test_the_oldest_entry_of_all_worlds_is_lost_first() -> None:
    journal = Journal(budget=room(3, worlds=2))
    for number, world in enumerate("aabab"):
        write(journal, world, number)
    assert kept(journal, "a") == [(3, "/3")]
    assert kept(journal, "b") == [(1, "/2"), (2, "/4")]
    assert (journal.world_journal("a").lost, journal.world_journal("b").lost) == (2, 0)


def test_a_forgotten_world_gives_its_bytes_back() -> None:
    journal = Journal(budget=room(3, worlds=1))
    for number in range(3):
        write(journal, "a", number)
    journal.forget("a")
    for number in range(3):
        write(journal, "b", number)
    assert len(kept(journal, "b")) == 3
    write(journal, "b", 3)
    assert [number for number, _ in kept(journal, "b")] == [2, 3, 4]


def test_a_world_that_comes_again_begins_at_one() -> None:
    journal = Journal(budget=room(2, worlds=1))
    for number in range(5):
        write(journal, "a", number)
    journal.forget("a")
    write(journal, "a", 9)
    assert kept(journal, "a") == [(1, "/9")]
    assert journal.world_journal("a").lost == 0


@pytest.mark.parametrize("looked_at", [0, 1, 4])
def test_looking_changes_nothing_about_what_is_lost(looked_at: int) -> None:
    """Entries are sorted into their ledgers when somebody looks, and lost in the same order before and after."""
    journal = Journal(budget=room(3, worlds=2))
    for number, world in enumerate("ababab"):
        write(journal, world, number)
        if number == looked_at:
            journal.world_journal("a")
    assert kept(journal, "a") == [(3, "/4")]
    assert kept(journal, "b") == [(2, "/3"), (3, "/5")]


def test_nothing_is_entered_under_a_heading_of_a_forgotten_world() -> None:
    journal = Journal(budget=room(3, worlds=1))
    template = journal.template("a", call(0), EMPTY)
    assert not template.counters.is_closed
    journal.forget("a")
    assert template.counters.is_closed


def test_an_entry_beyond_the_whole_budget_is_lost_at_once() -> None:
    journal = Journal(budget=room(3, worlds=1))
    write(journal, "a", 0)
    write(journal, "a", 1, size=1000)
    assert kept(journal, "a") == []
    assert journal.world_journal("a").lost == 2


def test_worlds_without_entries_count_too() -> None:
    journal = Journal(budget=room(2, worlds=3))
    for number, world in enumerate("aabc"):
        write(journal, world, number)
    assert [len(kept(journal, world)) for world in "abc"] == [0, 1, 1]
    assert journal.size == room(2, worlds=3)
    for world in "abc":
        journal.forget(world)
    assert journal.size == 0


def test_worlds_that_are_not_called_any_more_leave_room_for_the_entries_of_others() -> None:
    budget = 4 * 1024 * 1024
    journal = Journal(budget=budget)
    for number in range(5):
        write(journal, "mine", number)
    cached = journal.template("cached", call(0), EMPTY)
    for number in range(10_000):
        write(journal, f"w{number}", 0)
        if number % 500 == 0:
            write(journal, "mine", number)
            journal.write(cached.repeated(), str(number), number)
    assert [number for number, _ in kept(journal, "mine")] == list(range(1, 26))
    assert len(kept(journal, "cached")) == 20
    assert kept(journal, "w9999") == [(1, "/0")]
    assert kept(journal, "w0") == []
    assert journal.world_journal("w0").lost == 1
    assert journal.size <= budget
    write(journal, "w0", 7)
    assert kept(journal, "w0") == [(2, "/7")]
    journal.forget("w0")
    assert journal.world_journal("w0").lost == 0
    for world in ("mine", "cached", *(f"w{number}" for number in range(10_000))):
        journal.forget(world)
    assert journal.size == 0


def test_what_was_lost_with_a_whole_journal_is_not_forgotten_before_the_world_is() -> None:
    journal = Journal(budget=0)
    for number in range(1000):
        write(journal, f"w{number}", 0)
    assert journal.world_journal("w0").lost == 1
    journal.forget("w0")
    assert journal.world_journal("w0").lost == 0


def test_entries_of_many_calls_are_sorted_while_others_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_NS", -1)
    journal = Journal(budget=10**9)
    for number in range(10_000):
        write(journal, "a" if number % 2 else "b", number)
    journal.forget("b")
    served = 0

    async def serve() -> None:
        nonlocal served
        sorting = asyncio.ensure_future(journal.sort())
        while not sorting.done():
            served += 1
            await asyncio.sleep(0)

    asyncio.run(serve())
    assert served > 3
    assert [number for number, _ in kept(journal, "a")] == list(range(1, 5001))
    assert kept(journal, "b") == []
    journal.forget("a")
    assert journal.size == 0


def test_error_codes_that_fault_rules_make_up_are_counted_one_by_one_up_to_a_limit(operation: Operation) -> None:
    usage = Usage()
    for number in range(3000):
        made_up = call(number)._replace(operation=operation, code=f"Code{number}")
        usage.count_states_and_get_counters(made_up, EMPTY).count += 1
    assert usage.total == 3000
    assert len(usage.calls) == 2001
    assert usage.calls[operation.name, "other", "json"].count == 1000


def test_the_usage_of_a_world_keeps_no_answer(operation: Operation) -> None:
    usage = Usage()
    answer = Body(b"", b'{"ActualState":"RUNNING"}')
    held = getrefcount(answer)
    usage.count_states_and_get_counters(call(0)._replace(operation=operation), answer)
    assert usage.states == {"RUNNING": 1}
    assert getrefcount(answer) == held


def test_names_of_parameters_in_another_order_take_no_further_room(operation: Operation) -> None:
    usage = Usage()
    for names in permutations("abcde"):
        happened = call(0)._replace(operation=operation, code=None, status=200, parameters=dict.fromkeys(names, "1"))
        usage.count_states_and_get_counters(happened, EMPTY)
    assert usage.size == COUNTERS_SIZE


@pytest.mark.parametrize(
    "parameters",
    [
        {"tags": [[] for _ in range(10_000)]},
        {f"n{number}": "" for number in range(5_000)},
        {"a": {"b": [{"c": number} for number in range(3_000)]}},
    ],
)
def test_parameters_count_with_the_memory_they_take(parameters: dict[str, object]) -> None:
    tracemalloc.start()
    copied = deepcopy(parameters)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert memory_of(copied) > used / 2


def test_long_paths_and_keys_count() -> None:
    with open_api(journal_bytes=20_000) as api:
        api.request("GET", "/a")
        assert read(api)["total"] == 1
        api.request("GET", "/" + "a" * 9000, headers={"authorization": f"acs {'k' * 9000}:s"})
        assert read(api)["lost"] == 2


def test_forgetting_worlds_for_ever_takes_no_memory() -> None:
    journal = Journal(budget=10**9)
    tracemalloc.start()
    try:
        for number in range(20_000):
            write(journal, "a", number)
            journal.forget("a")
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < 1_000_000


@pytest.fixture
def narrow() -> Iterator[Api]:
    """An emulator whose journals hold few entries."""
    with open_api(journal_bytes=6000) as opened:
        yield opened


def test_what_is_lost_is_reported(narrow: Api) -> None:
    for _ in range(20):
        narrow.ok("GetInstance", **GET)
    page = read(narrow)
    assert page["lost"] == 20 - page["total"] > 0
    assert page["entries"][0]["number"] == page["lost"] + 1
    there = [entry["number"] for entry in page["entries"]]
    for part in ({"last": 1000}, {"last": 1000, "after": 1}, {"last": 1000, "failed": False}, {"before": 1000}):
        assert [entry["number"] for entry in read(narrow, **part)["entries"]] == there
    assert read(narrow, last=5, before=there[0])["entries"] == read(narrow, before=there[0])["entries"] == []


def test_no_budget_keeps_nothing() -> None:
    with open_api(journal_bytes=0) as api:
        api.ok("GetInstance", **GET)
        assert read(api) == {"entries": [], "total": 0, "after": None, "lost": 1}


@pytest.mark.parametrize(
    ("expected", "status"),
    [
        ({"operation": "GetInstance", "count": {"at_least": 2}}, 200),
        ({"operation": "GetInstance", "count": {"at_least": 50}}, 409),
        ({"operation": "GetInstance", "count": {"at_most": 1}}, 422),
        ({"operation": "GetInstance", "count": {"at_most": 50}}, 409),
        ({"operation": "GetInstance", "count": {"exactly": 1}}, 422),
        ({"operation": "GetInstance", "count": {"exactly": 20}}, 409),
        ({"operation": "DeleteJob", "count": {"exactly": 0}}, 409),
        ({"in_order": ["GetInstance", "GetInstance"]}, 200),
        ({"in_order": ["CreateJob", "GetInstance"]}, 409),
        ({"operation": "GetInstance", "backoff": {"min": 0}}, 409),
        ({"operation": "GetInstance", "count": {"at_most": 1}, "backoff": {"min": 0}}, 422),
    ],
)
def test_what_was_lost_is_never_guessed(narrow: Api, expected: dict[str, object], status: int) -> None:
    for _ in range(20):
        narrow.ok("GetInstance", **GET)
    answered, document = verify(narrow, **expected)
    assert answered == status
    if status == 409:
        assert "has lost the first" in document["error"]


def test_a_cached_response_of_a_forgotten_journal_keeps_no_counters_of_other_calls() -> None:
    journal = Journal(budget=10_000)
    cached = journal.template("mine", call(1), EMPTY)
    write(journal, "mine", 2)
    journal.forget("mine")
    assert cached.counters.is_closed
    assert cached.world_journal.usage.size == 0
