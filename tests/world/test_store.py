import gc
from collections.abc import Callable
from pathlib import Path
from sqlite3 import IntegrityError, OperationalError, ProgrammingError
from threading import Thread, current_thread, main_thread
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError

from foas_emulator.world import store as store_module
from foas_emulator.world.clock import ClockRow
from foas_emulator.world.connections import Connections, _ClosedWhenFreed
from foas_emulator.world.file_errors import NewerStoreError
from foas_emulator.world.ids import Counter
from foas_emulator.world.store import Store, StoreClosedError, WriteOutsideTransactionError
from foas_emulator.world.tables import SCHEMA_VERSION, Row, assign, changed, equal, given_only
from foas_emulator.world.world import WorldRow


def test_rows_come_back_in_order_of_their_key(store: Store) -> None:
    with store.transaction():
        store.insert(Counter(name="b", value=2), Counter(name="a", value=1))
    assert [(row.name, row.value) for row in store.find(Counter)] == [("a", 1), ("b", 2)]


def test_rows_are_found_by_equality(store: Store) -> None:
    with store.transaction():
        store.insert(Counter(name="a", value=1), Counter(name="b", value=1), Counter(name="c", value=2))
    assert [row.name for row in store.find(Counter, equal(Counter.value, 1))] == ["a", "b"]
    assert store.count(Counter, equal(Counter.value, 1)) == 2
    found = store.get(Counter, equal(Counter.name, "c"))
    assert found is not None
    assert found.value == 2
    assert store.get(Counter, equal(Counter.name, "d")) is None


def test_none_matches_what_has_no_value(store: Store) -> None:
    with store.transaction():
        store.insert(WorldRow(id=1), WorldRow(id=2, template_at=5))
    assert [row.id for row in store.find(WorldRow, equal(WorldRow.template_at, None))] == [1]


def test_update_and_delete_tell_how_many_rows_there_were(store: Store) -> None:
    with store.transaction():
        store.insert(Counter(name="a", value=1), Counter(name="b", value=1))
        assert store.update(Counter, assign(Counter.value, 7), where=[equal(Counter.value, 1)]) == 2
        assert store.update(Counter, assign(Counter.value, 7), where=[equal(Counter.name, "c")]) == 0
        assert store.delete(Counter, equal(Counter.name, "a")) == 1
        assert store.delete(Counter, equal(Counter.name, "a")) == 0
    assert [(row.name, row.value) for row in store.find(Counter)] == [("b", 7)]


def test_a_changed_row_is_a_copy_and_no_write(store: Store) -> None:
    row = Counter.model_construct(name="a", value=1)
    copy = changed(row, assign(Counter.value, 2))
    assert (row.value, copy.name, copy.value) == (1, "a", 2)
    assert store.find(Counter) == []


def test_changes_to_none_are_not_given() -> None:
    assert given_only(assign(WorldRow.template_at, None), assign(WorldRow.seed, 0)) == [assign(WorldRow.seed, 0)]


def test_a_statement_of_core_is_run_as_it_is(store: Store) -> None:
    with store.transaction():
        store.insert(Counter(name="a", value=3), Counter(name="b", value=4))
    assert store.execute(select(func.sum(Counter.table().c.value))).scalar_one() == 7


def test_two_rows_with_one_key_are_refused(store: Store) -> None:
    with store.transaction():
        store.insert(Counter(name="a", value=1))
        with pytest.raises(IntegrityError):
            store.insert(Counter(name="a", value=2))


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(IntegrityError), store.transaction():
        store.insert(Counter(name="a", value=1), Counter(name="a", value=1))
    assert store.find(Counter) == []
    assert not store.in_transaction
    with store.transaction():
        store.insert(Counter(name="b", value=1))
    assert store.count(Counter) == 1


def test_a_transaction_inside_another_belongs_to_it(store: Store) -> None:
    def insert_twice() -> None:
        for _ in range(2):
            with store.transaction():
                store.insert(Counter(name="a", value=1))

    with pytest.raises(IntegrityError), store.transaction():
        insert_twice()
    assert store.find(Counter) == []


def test_an_image_holds_everything(store: Store, connections: Connections) -> None:
    with store.transaction():
        store.insert(Counter(name="a", value=1), ClockRow(mode="frozen", frozen_at=5))
    image = store.image()
    with store.transaction():
        store.delete(Counter, equal(Counter.name, "a"))
    copy = Store(connections, image=image)
    assert copy.counts()["counters"] == copy.counts()["clock"] == 1
    copy.close()
    store.load(image)
    assert store.count(Counter, equal(Counter.name, "a")) == 1


def test_rows_are_filled_in_as_they_are(store: Store) -> None:
    with store.transaction():
        store.fill(Counter.table(), [{"value": 1, "name": "a"}, {"name": "b", "value": 2}])
        store.fill(Counter.table(), [])
    assert [(row.name, row.value) for row in store.find(Counter)] == [("a", 1), ("b", 2)]


def test_a_connection_to_memory_is_used_again_and_keeps_nothing(connections: Connections) -> None:
    first = Store(connections, image=connections.empty_image)
    with first.transaction():
        first.insert(Counter(name="a", value=1))
    first.close()
    second = Store(connections, image=connections.empty_image)
    assert second.find(Counter) == []
    second.close()
    assert Store(Connections(), image=connections.empty_image).counts() == dict.fromkeys(Row.metadata.tables, 0)


def test_a_file_keeps_what_was_written(connections: Connections, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    for value in (1, 2):
        store = Store(connections, image=connections.empty_image, path=path)
        with store.transaction():
            store.insert(Counter(name=f"{value}", value=value))
        store.close()
    store = Store(connections, image=connections.empty_image, path=path)
    assert store.count(Counter) == 2
    store.load(connections.empty_image)
    store.close()
    store = Store(connections, image=b"not needed", path=path)
    assert store.count(Counter) == 0
    store.close()


def test_a_file_of_a_newer_version_is_refused_and_left_alone(connections: Connections, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    store = Store(connections, image=connections.empty_image, path=path)
    store._raw.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    store.close()
    before = path.read_bytes()
    with pytest.raises(NewerStoreError, match=f"schema version {SCHEMA_VERSION + 1}"):
        Store(connections, image=connections.empty_image, path=path)
    assert path.read_bytes() == before


def test_nothing_is_left_of_a_file_that_was_being_created(connections: Connections, tmp_path: Path) -> None:
    Store(connections, image=connections.empty_image, path=tmp_path / "a.db").close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


WRITES: list[Callable[[Store], object]] = [
    lambda store: store.insert(Counter(name="a", value=1)),
    lambda store: store.fill(Counter.table(), [{"name": "a", "value": 1}]),
    lambda store: store.update(Counter, assign(Counter.value, 2), where=[]),
    lambda store: store.delete(Counter),
    lambda store: store.execute(Counter.table().delete()),
    lambda store: store.execute(text("DELETE FROM counters")),
]


@pytest.mark.parametrize("write", WRITES)
def test_a_write_outside_of_a_transaction_is_refused(store: Store, write: Callable[[Store], object]) -> None:
    revision = store.revision
    with pytest.raises(WriteOutsideTransactionError):
        write(store)
    assert store.revision is revision
    with store.transaction():
        write(store)
    assert store.revision is not revision, "every write makes a new revision"


def test_every_method_that_could_write_is_among_those() -> None:
    """`update_without_revision` is the one exception, for the counts of fault rules, and `load` replaces everything."""
    # `make mutants` puts methods beside each one that it changes, under names that are not ASCII.
    public = {name for name in vars(Store) if not name.startswith("_") and name.isascii()}
    reads = {"path", "revision", "prepare", "in_transaction", "transaction", "close"}
    reads |= {"size", "writes", "image", "image_beside", "own_image", "budget", "count_in"}
    reads |= {"fetch", "find", "get", "count", "counts", "first", "least"}
    assert public - reads == {
        *("execute", "insert", "fill", "update", "delete"),
        *("update_without_revision", "load"),
    }


def test_update_without_revision_keeps_the_revision(store: Store) -> None:
    with store.transaction():
        store.insert(Counter(name="a", value=1))
    revision = store.revision
    store.update_without_revision(Counter, assign(Counter.value, 2), where=[equal(Counter.name, "a")])
    assert store.find(Counter)[0].value == 2
    assert store.revision is revision


def test_a_closed_store_touches_no_other_database(connections: Connections) -> None:
    """Connections to memory are used again: the next world may have the one that this store had."""
    store = Store(connections, image=connections.empty_image)
    store.close()
    other = Store(connections, image=connections.empty_image)
    with pytest.raises(StoreClosedError):
        store.find(Counter)
    with pytest.raises(StoreClosedError):
        store.execute(select(Counter))
    with pytest.raises(StoreClosedError):
        store.fetch(Counter, select(Counter))
    with pytest.raises(StoreClosedError), store.transaction():
        pass
    store.close()
    other.close()


@pytest.mark.parametrize("is_large", [False, True])
def test_a_connection_is_used_again_unless_it_holds_much(
    connections: Connections, monkeypatch: pytest.MonkeyPatch, *, is_large: bool
) -> None:
    monkeypatch.setattr(store_module, "LARGE", 0 if is_large else 10**6)
    store = Store(connections, image=connections.empty_image)
    raw = store._raw
    for _ in range(2):  # to close it once more changes nothing
        store.close()
    if is_large:
        with pytest.raises(ProgrammingError, match="closed"):
            raw.execute("SELECT 1")
    else:
        assert raw.execute("SELECT count(*) FROM counters").fetchone() == (0,)


def test_a_commit_that_fails_leaves_no_transaction_open(connections: Connections) -> None:
    class FullDisk:
        """A connection whose commits fail."""

        def __init__(self, raw: Any) -> None:
            self.raw = raw

        def __getattr__(self, name: str) -> Any:
            return getattr(self.raw, name)

        def execute(self, statement: str, *given: Any) -> Any:
            if statement == "COMMIT":
                raise OperationalError("database or disk is full")
            return self.raw.execute(statement, *given)

    store = Store(connections, image=connections.empty_image)
    raw, store._raw = store._raw, FullDisk(store._raw)  # type: ignore[assignment]
    with pytest.raises(OperationalError), store.transaction():
        store.insert(Counter(name="a", value=1))
    store._raw = raw
    assert not store.in_transaction
    assert store.find(Counter) == []
    store.close()


def test_a_pool_closes_its_connections_when_it_is_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.13 warns of one that is freed without: in the tests of whoever has the emulator in theirs, too."""
    gc.collect()  # those of other tests
    connections = Connections()
    store = Store(connections, image=connections.empty_image)
    ours = id(store._raw)
    store.close()
    closed: list[int] = []
    monkeypatch.setattr(_ClosedWhenFreed, "close", lambda connection: closed.append(id(connection)))
    del connections, store
    gc.collect()
    assert ours in closed


def test_a_connection_that_could_not_be_opened_is_freed_in_silence(
    connections: Connections, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DBAPIError):
        connections.connect(tmp_path / "none" / "world.db")
    gc.collect()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("file", [None, "world.db"])
def test_what_is_deleted_is_not_overwritten(connections: Connections, tmp_path: Path, file: str | None) -> None:
    """That would take seconds for a world of a gigabyte; it is the default of many builds of SQLite."""
    path = None if file is None else tmp_path / file
    store = Store(connections, image=connections.empty_image, path=path)
    for _ in range(2):
        assert store._raw.execute("PRAGMA secure_delete").fetchone() == (0,)
        store.load(connections.empty_image)
    store.close()


def test_a_thread_that_opens_a_database_meanwhile_changes_no_other(tmp_path: Path) -> None:
    class Interrupted(Connections):
        def _open(self) -> DBAPIConnection:
            if current_thread() is main_thread():
                other = Thread(target=self.connect, args=[None])
                other.start()
                other.join()
            return super()._open()

    with Interrupted().connect(tmp_path / "own.db") as connection:
        assert connection.exec_driver_sql("PRAGMA database_list").one()[2] == str(tmp_path / "own.db")
