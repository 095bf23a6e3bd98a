"""Finding entries again."""

from typing import Any

import pytest

from tests.api import Api
from tests.journal.reading import GET, JOURNAL, read


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
        ({"faulted": True}, [5]),
        ({"faulted": False}, [1, 2, 3, 4, 6]),
        ({"struck": True}, [5]),
        ({"struck": False}, [1, 2, 3, 4, 6]),
        ({"unread": True}, [6]),
        ({"unknown": True}, [4]),
        ({"unknown": False, "status": 404}, [2]),
        ({"operation": "Nope"}, []),
    ],
)
def test_entries_are_found_by_everything_that_is_given(busy: Api, wanted: dict[str, Any], numbers: list[int]) -> None:
    page = read(busy, **wanted)
    assert [entry["number"] for entry in page["entries"]] == numbers
    assert page["total"] == len(numbers)


def test_pages_follow_each_other(busy: Api) -> None:
    seen, after = [], 0
    while after is not None:
        page = read(busy, operation="GetInstance", limit=3, after=after)
        assert page["total"] == 4
        seen.append([entry["number"] for entry in page["entries"]])
        after = page["after"]
    assert seen == [[1, 2, 5], [6]]


@pytest.mark.parametrize("wanted", [{"limit": 0}, {"limit": 1001}, {"after": -1}, {"status": "x"}])
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
