"""Pending changes, in the order in which they will happen."""

import json

import pytest

from foas_emulator.world import pending
from foas_emulator.world.store import Store


@pytest.fixture
def planned(store: Store) -> Store:
    """A store with changes at 10 and at 20, two each, the later ones scheduled first."""
    with store.transaction():
        for at, key in ((20, "c"), (20, "d"), (10, "a"), (10, "b")):
            pending.add(store, at=at, subject=f"bell:{key}", event="ring", details={})
    return store


def keys(changes: list[pending.PendingChange]) -> str:
    return "".join(change.key for change in changes)


def test_changes_are_planned_by_time_and_then_by_their_order(planned: Store) -> None:
    assert keys(pending.planned(planned)) == "abcd"
    assert pending.next_at(planned) == 10


@pytest.mark.parametrize("most", [1, 2, 3])
def test_pages_of_what_is_planned_leave_out_and_repeat_nothing(planned: Store, most: int) -> None:
    page = pending.planned(planned, most)
    found = keys(page)
    while page:
        assert len(page) <= most
        page = pending.planned(planned, most, after=page[-1])
        found += keys(page)
    assert found == "abcd"


def test_the_oldest_change_is_the_one_that_was_scheduled_first(planned: Store) -> None:
    oldest = pending.oldest(planned)
    assert oldest is not None
    assert oldest.key == "c"
    with planned.transaction():
        pending.cancel(planned, "bell:c")
        pending.postpone(planned, by=5)
    after = pending.oldest(planned)
    assert after is not None
    assert (after.key, after.at) == ("d", 25)


def test_without_a_change_nothing_is_the_oldest_or_the_next(store: Store) -> None:
    assert pending.oldest(store) is None
    assert pending.next_at(store) is None
    assert pending.planned(store) == []


def test_details_are_kept_in_one_form(store: Store) -> None:
    """Snapshots of equal worlds are equal."""
    with store.transaction():
        pending.add(store, at=1, subject="bell:a", event="put_state", details={"b": "铃", "a": 1})
    (change,) = pending.planned(store)
    assert change.details == '{"a": 1, "b": "铃"}'
    assert change.read_details() == {"a": 1, "b": "铃"}


@pytest.mark.parametrize("text", ["x" * 2000, '", "' * 500, "\\" * 1001, "\n, " * 700])
def test_a_list_has_the_state_alone_of_long_details(store: Store, text: str) -> None:
    with store.transaction():
        pending.add(store, at=1, subject="bell:a", event="put_state", details={"ActualState": "RUNG", "text": text})
        pending.add(store, at=2, subject="bell:b", event="put_state", details={"a": text, "text": "b"})
    short, whole = pending.planned(store)
    assert short.read_details() == {"ActualState": "RUNG"}
    assert whole.read_details() == {"a": text, "text": "b"}
    first = pending.earliest(store, until=1)
    assert first is not None
    assert first.read_details() == {"ActualState": "RUNG", "text": text}


def test_a_list_has_no_details_of_what_brings_no_state(store: Store) -> None:
    with store.transaction():
        pending.add(store, at=1, subject="bell:a", event="ring", details={"text": "x" * 2000})
    assert [change.details for change in pending.planned(store)] == ["{}"]


@pytest.mark.parametrize("before", ["x" * 2000, r"\"" + "x" * 2000, r"\""], ids=["long", "quoted", "a quote"])
def test_a_list_has_details_that_can_be_read_where_a_snapshot_has_two_states(store: Store, before: str) -> None:
    details = f'{{"ActualState": "{before}", "ActualState": "RUNG", "text": "{"x" * 1000}"}}'
    change = pending.PendingChange.model_construct(
        sequence=1, at=1, subject="bell:a", event="put_state", details=details
    )
    with store.transaction():
        store.insert(change)
    (found,) = pending.planned(store)
    assert found.read_details()["ActualState"] == "RUNG"


@pytest.mark.parametrize("text", ["a", "a, ", '"', ", "])
def test_a_list_has_the_state_of_long_details_in_any_form(store: Store, text: str) -> None:
    written = {"LastErrorMessage": text, "ActualState": "RUNG"}
    details = json.dumps(written)[:-1] + " " * 1000 + "}"
    change = pending.PendingChange.model_construct(
        sequence=1, at=1, subject="bell:a", event="put_state", details=details
    )
    with store.transaction():
        store.insert(change)
    (found,) = pending.planned(store)
    assert found.read_details() == written


def test_the_changes_of_one_event_are_found_among_many_of_a_subject(store: Store) -> None:
    """Every change of a timeline cancels its instance's archiving: it must not look through the rest of it."""

    def steps() -> int:
        counted: list[None] = []
        store._raw.set_progress_handler(lambda: counted.append(None), 1)
        with store.transaction():
            pending.cancel(store, "instance:1", "archive")
        store._raw.set_progress_handler(None, 1)
        return len(counted)

    def add(times: int) -> None:
        with store.transaction():
            for at in range(times):
                pending.add(store, at=at, subject="instance:1", event="put_state", details={})

    add(10)
    steps()  # the first time, the statement is prepared, too
    few = steps()
    add(1000)
    assert steps() == few
