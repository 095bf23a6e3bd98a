"""A world: identity, settings, and changes that come due."""

from sqlite3 import IntegrityError, OperationalError

import pytest

from foas_emulator.world import pending
from foas_emulator.world.clock import machine_now
from foas_emulator.world.connections import Connections
from foas_emulator.world.ids import Counter, seed_of
from foas_emulator.world.registry import Registry
from foas_emulator.world.settings import ErrorOverride
from foas_emulator.world.store import Store
from foas_emulator.world.world import SettledChange, World, WorldRow
from foas_emulator.world.world_cache import Slot
from tests.world.conftest import rung


def freeze(world: World, now: int) -> None:
    with world.transaction():
        world.clock.set(mode="frozen", now=now)


def plan(world: World, at: int, *, bell: str = "door", event: str = "ring", **details: int) -> None:
    with world.transaction():
        world.schedule(event, f"bell:{bell}", at=at, **details)


def test_what_is_made_up_depends_on_the_name_and_on_nothing_else(registry: Registry) -> None:
    def made_up(world: World) -> list[str]:
        with world.transaction():
            return [world.next_request_id(), world.next_token("job"), str(world.next_number("job"))]

    alice = made_up(registry.open_or_create("alice"))
    registry.drop("alice")
    assert made_up(registry.open_or_create("alice")) == alice
    assert made_up(registry.open_or_create("bob"))[:2] != alice[:2]


def test_settings_are_kept_and_leave_the_others_alone(world: World) -> None:
    world.set({"start_delay": "30s"})
    world.set({"not_running": "answer", "error_overrides": {"InvalidJob.NotFound": {"code": "Gone", "status": 410}}})
    assert (world.settings.start_delay, world.settings.not_running) == (30_000, "answer")
    assert world.settings.error_overrides == {"InvalidJob.NotFound": ErrorOverride(code="Gone", status=410)}
    assert world.given_settings == {
        "start_delay": "30s",
        "not_running": "answer",
        "error_overrides": {"InvalidJob.NotFound": {"code": "Gone", "status": 410}},
    }
    again = World("again", world.store, defaults=world._defaults, handlers={})
    assert again.settings == world.settings


def test_every_transaction_and_every_load_is_another_revision(world: World, connections: Connections) -> None:
    seen = [world.store.revision]
    with world.transaction():
        with world.transaction():
            world.next_number("a")
        assert world.store.revision == seen[-1], "nothing has happened yet"
    seen.append(world.store.revision)
    world.load(connections.empty_image)
    seen.append(world.store.revision)
    other = World("other", Store(connections, image=connections.empty_image), defaults=world._defaults, handlers={})
    seen.append(other.store.revision)
    other.close()
    seen.append(other.store.revision)
    assert len(set(seen)) == len(seen)


def test_a_transaction_that_fails_is_no_other_revision(world: World) -> None:
    def insert_twice() -> None:
        for _ in range(2):
            with world.transaction():
                world.store.insert(Counter(name="a", value=1))

    revision = world.store.revision
    with pytest.raises(IntegrityError), world.transaction():
        insert_twice()
    assert world.store.revision == revision
    assert world.store.find(Counter) == []


def test_settings_that_are_wrong_change_nothing(world: World) -> None:
    before, revision = world.settings, world.store.revision
    with pytest.raises(ValueError, match="allowed: fail, answer"):
        world.set({"start_delay": "30s", "not_running": "maybe"})
    assert (world.settings, world.store.revision) == (before, revision)


def test_a_change_comes_due_at_its_instant_and_not_before(world: World) -> None:
    freeze(world, 1000)
    plan(world, 2000)
    freeze(world, 1999)
    assert world.settle() == []
    freeze(world, 2000)
    assert world.settle() == [SettledChange(at=2000, subject="bell:door", event="ring")]
    assert rung(world) == ["door rang at 2000"]
    assert world.settle() == []


def test_changes_happen_in_order_each_at_its_own_instant(world: World) -> None:
    freeze(world, 0)
    plan(world, 300, bell="c")
    plan(world, 100, bell="a")
    plan(world, 100, bell="b")
    freeze(world, 1000)
    assert [(change.at, change.what) for change in world.settle()] == [
        (100, "bell:a ring"),
        (100, "bell:b ring"),
        (300, "bell:c ring"),
    ]
    assert rung(world) == ["a rang at 100", "b rang at 100", "c rang at 300"]
    assert world.now() == 1000


def test_a_change_that_another_brings_about_is_settled_with_it(world: World) -> None:
    freeze(world, 0)
    plan(world, 100, again=50)
    freeze(world, 1000)
    assert [change.at for change in world.settle()] == [100, 150]


def test_a_change_that_fails_undoes_all_that_came_due_with_it(world: World) -> None:
    freeze(world, 0)
    plan(world, 100)
    with world.transaction():
        world.schedule("fall", "vase:blue", at=200)
    freeze(world, 1000)
    with pytest.raises(RuntimeError, match="it broke"):
        world.settle()
    assert rung(world) == []
    assert [change.at for change in pending.planned(world.store)] == [100, 200]


def test_what_was_planned_for_a_subject_can_be_dropped(world: World) -> None:
    freeze(world, 0)
    plan(world, 100, bell="a")
    plan(world, 200, bell="a", event="fall")
    plan(world, 300, bell="b")
    with world.transaction():
        world.cancel("bell:a", "fall")
    assert [change.what for change in pending.planned(world.store)] == ["bell:a ring", "bell:b ring"]
    with world.transaction():
        world.cancel("bell:a")
    assert [change.what for change in pending.planned(world.store)] == ["bell:b ring"]
    assert world.next_due == 300


def test_a_clock_set_back_undoes_nothing(world: World) -> None:
    freeze(world, 0)
    plan(world, 100)
    freeze(world, 1000)
    world.settle()
    freeze(world, 0)
    assert world.settle() == []
    assert rung(world) == ["door rang at 100"]


def test_a_template_s_changes_are_as_far_off_for_every_world(connections: Connections, world: World) -> None:
    made_at = machine_now() - 3_600_000
    store = Store(connections, image=connections.empty_image)
    with store.transaction():
        store.insert(WorldRow(template_at=made_at))
        pending.add(store, at=made_at + 60_000, subject="bell:door", event="ring", details={})
    image = store.image()
    store.close()
    before = machine_now()
    world.load(image)
    assert before + 60_000 <= (world.next_due or 0) <= machine_now() + 60_000
    assert world.settle() == []
    assert world.seed == seed_of("alice")


def test_a_template_is_left_once(connections: Connections, world: World) -> None:
    store = Store(connections, image=connections.empty_image)
    with store.transaction():
        store.insert(WorldRow(template_at=1))
        pending.add(store, at=1, subject="bell:door", event="ring", details={})
    image = store.image()
    store.close()
    world.load(image)
    (row,) = world.store.find(WorldRow)
    assert (row.seed, row.template_at) == (seed_of("alice"), None)
    assert row.seed < 2**48
    assert world.postponed_by > 0
    own = world.store.image()
    planned = pending.planned(world.store)
    world.load(own)
    assert world.postponed_by == 0
    assert pending.planned(world.store) == planned


def test_equal_settings_are_kept_alike(world: World) -> None:
    """Snapshots of equal worlds are equal, and people read them."""
    override = {"message": "没有这个作业"}
    world.set({"start_delay": "1s", "error_overrides": {"InvalidJob.NotFound": override}})
    (row,) = world.store.find(WorldRow)
    assert row.settings == (
        '{"error_overrides": {"InvalidJob.NotFound": {"message": "没有这个作业"}}, "start_delay": "1s"}'
    )


def test_notes_are_taken_once_in_their_order(world: World) -> None:
    for sentence in ("b", "a", "b"):
        world.note(sentence)
    assert world.take_notes() == ["b", "a"]
    assert world.take_notes() == []


def test_a_world_moves_on_with_its_request_ids(world: World) -> None:
    before = world.store.image()
    beginning = world.beginning
    first = world.next_request_id()
    with world.transaction():
        world.store.insert(Counter(name="later", value=1))
    world.move_on(before)
    assert [counter.name for counter in world.store.find(Counter)] == []
    assert world.beginning is beginning
    assert world.next_request_id() != first


def test_a_database_that_is_ready_takes_the_place_of_the_rows(world: World, connections: Connections) -> None:
    plan(world, at=5)
    freeze(world, 3)
    for take in (world.load, world.move_on):
        ready = Store(connections, image=world.store.image())
        take(ready)
        assert world.store is ready
        assert (world.clock.now(), world.next_due) == (3, 5)


def test_what_has_happened_tells_the_state_that_it_brought(world: World) -> None:
    def wake(_: World, change: pending.PendingChange) -> str:
        return f"{change.key} is awake"

    world._handlers = {"cat": wake}
    freeze(world, 10)
    with world.transaction():
        world.schedule("wake", "cat:tom", at=7)
    assert world.settle() == [SettledChange(at=7, subject="cat:tom", event="wake", state="tom is awake")]


def test_what_others_keep_with_a_world_goes_with_its_rows(world: World) -> None:
    read, counted = Slot[int](from_rows=True), Slot[int](from_rows=False)
    world.cache.put(read, 1)
    world.cache.put(counted, 2)
    world.load(world.store.image())
    assert (world.cache.get(read), world.cache.get(counted)) == (None, None)


def test_what_others_read_from_rows_is_read_anew_after_a_rollback(world: World) -> None:
    read, counted = Slot[int](from_rows=True), Slot[int](from_rows=False)
    world.cache.put(read, 1)
    world.cache.put(counted, 2)
    with pytest.raises(ZeroDivisionError), world.transaction():
        raise ZeroDivisionError
    assert (world.cache.get(read), world.cache.get(counted)) == (None, 2)


def test_what_was_rolled_back_is_forgotten_though_nothing_can_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_store: Store) -> None:
        raise OperationalError("disk I/O error")

    def be_refused() -> None:
        with world.transaction():
            world.clock.set(mode="frozen", now=9000)
            world.schedule("ring", "bell:door", at=2000)
            monkeypatch.setattr(pending, "next_at", fail)
            raise ZeroDivisionError

    freeze(world, 1000)
    plan(world, 5000)
    with pytest.raises(ZeroDivisionError):
        be_refused()
    monkeypatch.undo()
    assert (world.clock.peek(), world.next_due) == (1000, 5000)
    assert rung(world) == []


def test_a_world_that_is_loaded_begins_its_request_ids_anew(world: World) -> None:
    image = world.store.image()
    given = [world.next_request_id() for _ in range(3)]
    world.load(image)
    assert [world.next_request_id() for _ in range(3)] == given


def test_tokens_count_on_after_a_reload(world: World) -> None:
    with world.transaction():
        first = world.next_token("job")
    world.load(world.store.image())
    with world.transaction():
        assert world.next_token("job") != first
    assert [(row.name, row.value) for row in world.store.find(Counter)] == [("job", 2)]


def test_what_was_rolled_back_leaves_nothing_behind_beside_the_database(world: World) -> None:
    freeze(world, 1_000)
    plan(world, 5_000)
    before = (world.now(), world.next_due, world.settings, world.given_settings)

    def change_everything_and_fail() -> None:
        with world.transaction():
            world.clock.set(mode="frozen", now=2_000)
            world.schedule("ring", "bell:door", at=3_000)
            world.set({"start_delay": "30s"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_everything_and_fail()
    assert (world.now(), world.next_due, world.settings, world.given_settings) == before


def test_what_is_due_next_is_the_earliest_change_whatever_the_order_of_planning(world: World) -> None:
    freeze(world, 0)
    plan(world, 10)
    plan(world, 20, bell="gate")
    assert world.next_due == 10
    plan(world, 5, bell="shop")
    assert world.next_due == 5


def test_settling_takes_at_most_so_many_changes_and_leaves_the_next_one_due(world: World) -> None:
    freeze(world, 0)
    for at in (10, 20, 30):
        plan(world, at, bell=str(at))
    assert [change.at for change in world.settle(until=25, most=1)] == [10]
    assert world.next_due == 20
    assert [change.at for change in world.settle(until=25, most=5)] == [20]
    assert world.next_due == 30
