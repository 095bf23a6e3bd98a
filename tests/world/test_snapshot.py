import copy
import json
from types import GeneratorType
from typing import Any

import pytest

from foas_emulator.world.connections import Connections
from foas_emulator.world.durations import LONGEST
from foas_emulator.world.ids import Counter
from foas_emulator.world.instants import LAST_INSTANT
from foas_emulator.world.registry import Registry
from foas_emulator.world.snapshot import SnapshotError, read_snapshot, snapshot_of_image, write_snapshot
from foas_emulator.world.tables import SCHEMA_VERSION, Row, assign, equal
from foas_emulator.world.world import World
from tests.machine_clock import MachineClock
from tests.snapshots import take_snapshot

Document = dict[str, Any]


@pytest.fixture
def lived_in(world: World) -> World:
    """A world with something in every table of its own."""
    world.set({"start_delay": "30s", "not_running": "answer"})
    with world.transaction():
        world.clock.set(mode="frozen", now=1_767_225_600_000)
        world.schedule("ring", "bell:über", at=1_767_225_660_000, again=5)
        world.store.insert(Counter(name="z", value=0), Counter(name="a\n\u2028😀\x85", value=2**63 - 1))
    return world


@pytest.fixture
def restore(registry: Registry) -> Any:
    def restore_(document: Any, name: str = "bob") -> World:
        image = read_snapshot(document, connections=registry.connections, kinds=registry.handlers)
        return registry.create_or_replace(name, image)

    return restore_


def test_a_snapshot_restored_is_the_same_world(lived_in: World, restore: Any) -> None:
    taken = take_snapshot(lived_in)
    restored = restore(json.loads(write_snapshot(taken)))
    assert take_snapshot(restored) == taken
    assert restored.settings == lived_in.settings
    assert (restored.now(), restored.next_due, restored.seed) == (lived_in.now(), lived_in.next_due, lived_in.seed)


@pytest.mark.parametrize("end", [0, LAST_INSTANT])
@pytest.mark.parametrize("passed", [-5, 5])
def test_a_world_at_either_end_of_time_is_restored_with_what_never_happens(
    world: World, restore: Any, machine_clock: MachineClock, end: int, passed: int
) -> None:
    with world.transaction():
        world.clock.set(mode="real", now=end)
        world.schedule("ring", "bell:last", at=LAST_INSTANT + LONGEST)
    machine_clock.let_pass(passed)
    taken = take_snapshot(world)
    assert take_snapshot(restore(taken)) == taken


def test_what_is_restored_goes_on_alike(lived_in: World, restore: Any) -> None:
    taken = take_snapshot(lived_in)

    def go_on(world: World) -> tuple[Any, ...]:
        with world.transaction():
            world.clock.put(world.clock.ahead(120_000))
            token = world.next_token("job")
        return world.next_request_id(), token, world.settle(), take_snapshot(world)

    assert go_on(restore(taken, "bob")) == go_on(restore(taken, "carol"))


def test_an_image_is_written_row_by_row_and_its_rows_are_never_held_together(
    lived_in: World, connections: Connections
) -> None:
    with snapshot_of_image(lived_in.store.image(), connections=connections) as document:
        assert {type(rows) for rows in document["tables"].values()} == {GeneratorType}
        assert write_snapshot(document) == write_snapshot(take_snapshot(lived_in))


def test_a_snapshot_is_sorted_and_has_a_row_on_each_line(lived_in: World) -> None:
    document = take_snapshot(lived_in)
    text = write_snapshot(document).decode()
    assert list(document["tables"]) == sorted(document["tables"])
    assert [row["name"] for row in document["tables"]["counters"]] == ["a\n\u2028😀\x85", "pending_change", "z"]
    assert json.loads(text) == document
    assert text.startswith(f'{{"snapshot_version": {SCHEMA_VERSION}, "tables": {{\n')
    (line,) = [line for line in text.split("\n") if '"name": "z"' in line]
    assert json.loads(line.strip().rstrip(",]")) == {"name": "z", "value": 0}


def test_two_snapshots_differ_in_what_changed(lived_in: World) -> None:
    before = write_snapshot(take_snapshot(lived_in)).decode().split("\n")
    with lived_in.transaction():
        lived_in.store.update(Counter, assign(Counter.value, 5), where=[equal(Counter.name, "z")])
    after = write_snapshot(take_snapshot(lived_in)).decode().split("\n")
    assert [line for line in after if line not in before] == ['  {"name": "z", "value": 5}],']


def test_every_table_must_be_there(lived_in: World, restore: Any) -> None:
    for name in take_snapshot(lived_in)["tables"]:
        document = take_snapshot(lived_in)
        del document["tables"][name]
        with pytest.raises(SnapshotError, match=f"it has no table {name}: a snapshot is whole"):
            restore(document)


def changed(document: Document, table: str, **members: Any) -> Document:
    document = copy.deepcopy(document)
    document["tables"][table][0] |= members
    return document


@pytest.mark.parametrize("document", [None, [], "text", {}, {"tables": {}}])
def test_a_document_that_is_not_a_snapshot_is_refused(restore: Any, document: Any) -> None:
    with pytest.raises(SnapshotError, match="an object with snapshot_version and tables"):
        restore(document)


def test_another_version_is_refused(restore: Any) -> None:
    with pytest.raises(SnapshotError, match=rf"is {SCHEMA_VERSION + 1}, and this emulator restores {SCHEMA_VERSION}"):
        restore({"snapshot_version": SCHEMA_VERSION + 1, "tables": {}})


class Large(dict[str, int]):
    """A mapping that is not written: a large one would take a quarter of a second, in which no thread runs."""

    __repr__ = None  # type: ignore[assignment]


LARGE = Large()


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        (None, "its tables are not an object"),
        ({"planets": []}, "there is no table 'planets'; there are: "),
        ({"counters": None}, "counters is not a list of rows"),
        ({"counters": [5]}, r"counters\[0\] is not a row: an object with the members name, value"),
        ({"counters": [{"name": "a"}]}, r"counters\[0\] lacks the member value"),
        ({"counters": [{"name": "a", "value": 1, "more": 1}]}, "has an unknown member 'more'"),
        ({"counters": [{"name": "a", "value": "1"}]}, r"counters\[0\]\.value is '1', which is not valid there"),
        ({"counters": [{"name": "a", "value": True}]}, r"counters\[0\]\.value is True"),
        ({"counters": [{"name": "a", "value": [LARGE]}]}, r"counters\[0\]\.value is a list, which is not valid there"),
        ({"counters": [{"name": LARGE, "value": 1}]}, r"counters\[0\]\.name is a mapping"),
        ({"x" * 81: []}, "there is no table 'x{80}'... of 81 characters; there are: "),
        ({"counters": [{"name": None, "value": 1}]}, r"counters\[0\]\.name is None"),
        (
            {"counters": [{"name": "a", "value": 2**63}]},
            r"counters\[0\]\.value is 9223372036854775808, which is not valid",
        ),
        ({"counters": [{"name": "a", "value": 9**999}]}, r"counters\[0\]\.value is a number of 3167 bits"),
        ({"counters": [{"name": "\ud800", "value": 1}]}, r"counters\[0\]\.name is '\\ud800'"),
        ({"counters": "abc"}, "counters is not a list of rows"),
        ({"counters": [{"name": "a", "value": 1}] * 2}, "its rows cannot be stored"),
        ({}, "world does not hold one row, with id 1 and no template_at"),
    ],
)
def test_tables_that_cannot_be_are_refused(restore: Any, tables: Any, reason: str) -> None:
    if isinstance(tables, dict):
        tables = {name: [] for name in Row.metadata.tables} | tables
    with pytest.raises(SnapshotError, match=reason):
        restore({"snapshot_version": SCHEMA_VERSION, "tables": tables})


@pytest.mark.parametrize(
    ("table", "members", "reason"),
    [
        ("world", {"id": 2}, "world does not hold one row"),
        ("world", {"template_at": 5}, "world does not hold one row"),
        ("world", {"settings": "{"}, "no JSON is in the settings of world"),
        ("world", {"settings": "[]"}, "no JSON object is in the settings of world"),
        ("world", {"settings": "[" * 9999}, "its world is not valid"),
        ("world", {"settings": '{"start_delay": 1e999}'}, "is too long for a duration"),
        ("clock", {"frozen_at": 253_402_300_800_000}, "beyond the year 9999"),
        ("clock", {"frozen_at": -1}, "before 1970"),
        ("clock", {"mode": "real", "offset_ms": 2**62}, "beyond the year 9999"),
        ("clock", {"mode": "real", "offset_ms": -(2**62)}, "before 1970"),
        ("counters", {"value": -1}, "it may be 0 to"),
        ("pending_changes", {"at": 2**62}, "due before 1970 or long beyond the year 9999"),
        ("pending_changes", {"at": -1}, "due before 1970 or long beyond the year 9999"),
        ("pending_changes", {"details": "[]"}, "no JSON object is in the details"),
        ("world", {"settings": '{"start_delay": "soon"}'}, "'soon' is not a duration"),
        ("world", {"settings": '{"gravity": 1}'}, "there is no setting 'gravity'"),
        ("clock", {"mode": "broken"}, "clock does not hold at most one row"),
        ("clock", {"id": 2}, "clock does not hold at most one row"),
        ("pending_changes", {"details": "{"}, "no JSON is in the details of"),
        ("pending_changes", {"subject": "cup:1"}, "there is no kind of pending change such as 'cup:1 ring'"),
    ],
)
def test_worlds_that_cannot_be_are_refused(
    lived_in: World, restore: Any, table: str, members: Document, reason: str
) -> None:
    with pytest.raises(SnapshotError, match=reason):
        restore(changed(take_snapshot(lived_in), table, **members))
