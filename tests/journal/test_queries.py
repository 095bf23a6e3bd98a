"""Finding entries again."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from itertools import product
from typing import Any

import pytest

from foas_emulator.journal import queries
from foas_emulator.journal.lines import lines_of_call
from foas_emulator.journal.queries import Filter, Page, read_last
from tests.api import Api
from tests.journal.reading import GET, JOURNAL, read
from tests.journal.test_verification import add, world_journal


@pytest.fixture
def busy(api: Api) -> Api:
    """A world with six entries."""
    api.ok("GetInstance", **GET)
    api.call("GetInstance", **GET | {"instanceId": 1})
    api.ok("ListJob", projectName="project1", pageIndex=1, pageSize=10)
    api.request("GET", "/api/v2/project?Extra=1")
    api.request("POST", "/_emulator/worlds/default/faults", json={"effect": {"error": "Forbidden"}, "times": 1})
    api.call("GetInstance", **GET)
    api.request(
        "GET", "/api/v2/projects/project1/jobs/job1/instances/412536?Extra=1", headers={"authorization": "acs me:x"}
    )
    return api


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"operation": "GetInstance"}, [1, 2, 5, 6]),
        ({"operation": "List*"}, [3]),
        ({"status": 200}, [1, 3, 6]),
        ({"code": "*NotFound"}, [2, 4]),
        ({"access_key_id": "me"}, [6]),
        ({"failed": True}, [2, 4, 5]),
        ({"failed": False}, [1, 3, 6]),
        ({"faulted": True}, [5]),
        ({"faulted": False}, [1, 2, 3, 4, 6]),
        ({"struck": True}, [5]),
        ({"struck": False}, [1, 2, 3, 4, 6]),
        ({"unread": True}, [6]),
        ({"unknown": True}, [4]),
        ({"unknown": False, "status": 404}, [2]),
        ({"operation": ""}, [4]),
        ({"operation": "DeleteJob"}, []),
    ],
)
def test_entries_are_found_by_everything_that_is_given(busy: Api, wanted: dict[str, Any], numbers: list[int]) -> None:
    page = read(busy, **wanted)
    assert [entry["number"] for entry in page["entries"]] == numbers
    assert page["total"] == len(numbers)


def test_a_call_without_an_answer_has_failed() -> None:
    made = world_journal((0, "StartJob"))
    add(made, "StartJob", at=1, status=0)
    add(made, "StartJob", at=2, status=200)
    page = asyncio.run(read_last(made, Filter(failed=True), most=10, after=0))
    assert [number for number, _ in page.entries] == [2]


def test_pages_follow_each_other(busy: Api) -> None:
    seen, after = [], 0
    while after is not None:
        page = read(busy, operation="GetInstance", limit=3, after=after)
        assert page["total"] == 4
        seen.append([entry["number"] for entry in page["entries"]])
        after = page["after"]
    assert seen == [[1, 2, 5], [6]]


HUGE = 10**30


@pytest.mark.parametrize(
    ("part", "numbers"),
    [
        ({"last": 1}, [6]),
        ({"last": 3}, [4, 5, 6]),
        ({"last": 6}, [1, 2, 3, 4, 5, 6]),
        ({"last": 1000}, [1, 2, 3, 4, 5, 6]),
        ({"last": 2, "operation": "GetInstance"}, [5, 6]),
        ({"last": 2, "failed": True}, [4, 5]),
        ({"last": 3, "operation": "ListJob"}, [3]),
        ({"last": 3, "operation": "DeleteJob"}, []),
        ({"last": 2, "before": 5}, [3, 4]),
        ({"last": 2, "before": 3, "operation": "GetInstance"}, [1, 2]),
        ({"last": 2, "before": 1}, []),
        ({"last": 2, "before": HUGE}, [5, 6]),
        ({"last": 3, "after": 4}, [5, 6]),
        ({"last": 3, "after": 6}, []),
        ({"last": 3, "after": HUGE}, []),
        ({"last": 2, "after": 1, "before": 5}, [3, 4]),
        ({"last": 2, "after": 4, "before": 4}, []),
        ({"before": 3}, [1, 2]),
        ({"before": 1}, []),
        ({"after": HUGE}, []),
        ({"after": 2, "before": HUGE}, [3, 4, 5, 6]),
        ({"after": 1, "before": 6, "operation": "GetInstance"}, [2, 5]),
    ],
)
def test_the_first_or_the_last_entries_between_two_numbers_are_returned(
    busy: Api, part: dict[str, Any], numbers: list[int]
) -> None:
    page = read(busy, **part)
    assert [entry["number"] for entry in page["entries"]] == numbers
    assert page["after"] is None
    assert (page["total"] is None) == ("last" in part)


@pytest.mark.parametrize("wanted", [{}, {"unknown": False}])
def test_a_page_that_ends_before_a_number_is_followed_only_by_what_is_below_it(
    busy: Api, wanted: dict[str, Any]
) -> None:
    first = read(busy, limit=2, before=4, **wanted)
    assert ([entry["number"] for entry in first["entries"]], first["after"]) == ([1, 2], 2)
    second = read(busy, limit=2, before=4, after=2, **wanted)
    assert ([entry["number"] for entry in second["entries"]], second["after"]) == ([3], None)


def test_a_page_is_the_same_whether_all_entries_match_or_there_is_no_condition(busy: Api) -> None:
    for after, before, limit in product(range(8), range(1, 9), (1, 2, 6, 7)):
        part = {"after": after, "before": before, "limit": limit}
        assert read(busy, **part) == read(busy, operation="*", **part), part


@pytest.mark.parametrize(
    ("wanted", "part", "numbers", "looked_at"),
    [
        (Filter(), {"most": 3}, [998, 999, 1000], 3),
        (Filter(operation="Commit*"), {"most": 3}, [995, 997, 999], 6),
        (Filter(operation="GetJob"), {"most": 3, "after": 900}, [], 100),
        (Filter(operation="GetJob"), {"most": 3}, [], 1000),
        (Filter(), {"most": 2, "before": 10}, [8, 9], 2),
    ],
)
def test_no_more_entries_are_looked_at_than_it_takes_to_find_the_last_ones(
    wanted: Filter, part: dict[str, int], numbers: list[int], looked_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []

    async def watched(items: Iterable[Any]) -> AsyncGenerator[Any, None]:
        for item in items:
            looked.append(item)
            yield item

    monkeypatch.setattr(queries, "in_slices", watched)
    made = world_journal(*[(at, "StartJob" if at % 2 else "CommitJob") for at in range(1000)])
    page = asyncio.run(read_last(made, wanted, **part))
    assert [number for number, _ in page.entries] == numbers
    assert len(looked) == looked_at


@pytest.mark.usefixtures("every_slice_ends_at_once")
def test_the_last_entries_are_found_while_others_are_written_and_dropped() -> None:
    """The answer is of the instant at which the search began."""
    made = world_journal(*[(at, "StartJob") for at in range(100)])

    async def search() -> Page:
        reading = asyncio.ensure_future(read_last(made, Filter(status=200), most=90))
        while not reading.done():
            await asyncio.sleep(0)
            add(made, "CommitJob", at=0, status=200)
            made.entries.popleft()
        return reading.result()

    assert [number for number, _ in asyncio.run(search()).entries] == list(range(11, 101))


@pytest.mark.parametrize(
    ("operation", "told"),
    [("startjob", "'startjob' (the nearest is 'StartJob')"), ("Nope*", "'Nope*'"), ("[" * 257, "256 characters")],
)
def test_an_operation_that_there_is_not_is_refused_as_no_call_would_prove_anything(
    busy: Api, operation: str, told: str
) -> None:
    for part in ({}, {"last": 1}):
        response = busy.request("GET", JOURNAL, params={"operation": operation, **part})
        assert (response.status_code, told in response.text) == (400, True), response.text


def test_the_entries_are_returned_as_the_lines_that_the_command_prints(busy: Api) -> None:
    answer = busy.request("GET", JOURNAL, params={"as": "text", "failed": "true"})
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == "".join(f"{lines_of_call(entry)}\n" for entry in read(busy, failed=True)["entries"])
    first = answer.text.splitlines()[:3]
    assert first[0].startswith('#2 GetInstance {"projectName": "project1"')
    assert first[0].endswith(" -> 404 InvalidInstance.NotFound")
    assert first[2].startswith("   Job 'job1' has no instance 1")


def test_a_cut_or_empty_text_says_so(busy: Api) -> None:
    cut = busy.request("GET", JOURNAL, params={"as": "text", "limit": 2}).text
    assert cut.endswith("\nMore calls follow: after=2 leads to them.\n")
    none = busy.request("GET", JOURNAL, params={"as": "text", "operation": "StartJob"}).text
    assert none == "The journal of world default has no such call.\n"


def test_limit_and_last_are_refused_together(api: Api) -> None:
    response = api.request("GET", JOURNAL, params={"limit": 5, "last": 5})
    assert (response.status_code, "limit and last" in response.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    "wanted",
    [
        {"limit": 0},
        {"limit": 1001},
        {"after": -1},
        {"before": 0},
        {"last": 0},
        {"last": -1},
        {"last": 1001},
        {"last": HUGE},
        {"last": ""},
        {"last": "2.5"},
        {"failed": "perhaps"},
        {"status": "x"},
    ],
)
def test_a_page_that_cannot_be_is_refused(api: Api, wanted: dict[str, Any]) -> None:
    response = api.request("GET", JOURNAL, params=wanted)
    assert response.status_code == 400
    assert response.json().keys() == {"error", "hint"}


def test_an_entry_is_found_by_its_request_id(busy: Api) -> None:
    entry = read(busy)["entries"][2]
    found = busy.request("GET", f"{JOURNAL}/{entry['request_id']}").json()
    assert entry.items() <= found.items()


def test_a_request_id_of_no_entry_is_not_found(busy: Api) -> None:
    response = busy.request("GET", f"{JOURNAL}/nothing")
    assert response.status_code == 404
    assert "journal_bytes" in response.json()["hint"]


def test_deleting_the_journal_begins_it_anew(busy: Api) -> None:
    assert busy.request("DELETE", JOURNAL).status_code == 204
    assert read(busy)["total"] == 0
    busy.ok("GetInstance", **GET)
    assert [entry["number"] for entry in read(busy)["entries"]] == [1]


def test_worlds_have_journals_of_their_own(busy: Api) -> None:
    busy.registry.open_or_create("other")
    assert busy.request("GET", "/_emulator/worlds/other/journal").json()["total"] == 0


@pytest.mark.parametrize("end", ["reset", "drop"])
def test_the_journal_goes_with_its_worlds_past(busy: Api, end: str) -> None:
    getattr(busy.registry, end)("default")
    busy.registry.open_or_create("default")
    assert read(busy)["total"] == 0


@pytest.mark.parametrize("name", ["nobody", "NO"])
def test_forgetting_makes_no_world(api: Api, name: str) -> None:
    assert api.request("DELETE", f"/_emulator/worlds/{name}/journal").status_code in (400, 404)
    assert name not in api.registry.names()
