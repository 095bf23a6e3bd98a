"""Images that another thread takes of a store while its user continues to read and write."""

import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from time import sleep

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foas_emulator.world import online_backup
from foas_emulator.world.connections import Connections
from foas_emulator.world.ids import Counter
from foas_emulator.world.store import Store, StoreClosedError
from foas_emulator.world.tables import assign, equal

ACCOUNTS = 400
"""Rows of one page each: they are read in many steps."""
TRANSFERS = "zz-transfers"

pytestmark = pytest.mark.skipif(
    not online_backup.IS_POSSIBLE, reason="this SQLite has a connection for one thread only"
)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go; a page is read at a time."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    monkeypatch.setattr(online_backup, "PAGES", 1)
    return directory


def fill(store: Store) -> None:
    with store.transaction():
        store.insert(*(Counter(name=name(number), value=100) for number in range(ACCOUNTS)))
        store.insert(Counter(name=TRANSFERS, value=0))


def name(account: int) -> str:
    return f"{account:03}-{'x' * 300}"


def value(store: Store, account: str) -> int:
    row = store.get(Counter, equal(Counter.name, account))
    assert row is not None
    return row.value


def transfer(store: Store, one: int, other: int) -> None:
    """Move something from the first account to the last ones, or the other way round, and count it: three pages."""
    for account, by in ((name(one), -1), (name(other), 1), (TRANSFERS, 1)):
        changed = assign(Counter.value, value(store, account) + by)
        store.update(Counter, changed, where=[equal(Counter.name, account)])


def between_steps(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], None]) -> list[int]:
    """Have `act` called with the number of each pause; return the pauses that there were."""
    pauses: list[int] = []

    def pause(_: float) -> None:
        pauses.append(len(pauses))
        act(pauses[-1])

    monkeypatch.setattr(online_backup, "sleep", pause)
    return pauses


def require_consistent(image: bytes, transfers: range) -> None:
    """Every transfer is in an image wholly or not at all, and with it all before it."""
    copy = Store(Connections(), image=image)
    rows = {row.name: row.value for row in copy.find(Counter)}
    copy.close()
    count = rows.pop(TRANSFERS)
    assert count in transfers
    assert sum(rows.values()) == 100 * ACCOUNTS
    assert sum(abs(amount - 100) for amount in rows.values()) <= 2 * count


def test_an_image_needs_no_lock_on_its_temporary_file(
    store: Store, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    cleanup = tempfile.TemporaryDirectory.cleanup
    held: list[sqlite3.Connection] = []

    def lock_it(self: "tempfile.TemporaryDirectory[str]") -> None:
        for file in temporary.glob("*/copy.db"):
            held.append(sqlite3.connect(file))
            held[-1].execute("BEGIN EXCLUSIVE")
        cleanup(self)

    monkeypatch.setattr(tempfile.TemporaryDirectory, "cleanup", lock_it)
    between_steps(monkeypatch, lambda number: sys.exit("it waits") if number > 10 * ACCOUNTS else None)
    require_consistent(store.image_beside(), range(1))
    held[0].close()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    writes=st.dictionaries(
        st.integers(0, ACCOUNTS), st.tuples(st.integers(0, ACCOUNTS - 1), st.integers(0, ACCOUNTS - 1)), max_size=20
    )
)
def test_a_write_between_two_steps_is_wholly_in_the_image(
    store: Store, monkeypatch: pytest.MonkeyPatch, writes: dict[int, tuple[int, int]]
) -> None:
    with store.transaction():
        store.delete(Counter)
    fill(store)
    done: list[int] = []

    def act(pause: int) -> None:
        if pause in writes:
            with store.transaction():
                transfer(store, *writes[pause])
            done.append(pause)

    pauses = between_steps(monkeypatch, act)
    image = store.image_beside()
    assert len(pauses) > ACCOUNTS
    assert len(done) == len(writes)
    require_consistent(image, range(len(done), len(done) + 1))


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_transaction_that_is_open_is_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch, *, is_kept: bool
) -> None:
    fill(store)
    raw = store._raw

    def act(pause: int) -> None:
        if pause == 50:
            raw.execute("BEGIN IMMEDIATE")
            transfer(store, 0, ACCOUNTS - 1)
        if pause == 60:
            raw.execute("COMMIT" if is_kept else "ROLLBACK")

    between_steps(monkeypatch, act)
    require_consistent(store.image_beside(), range(1, 2) if is_kept else range(1))


def test_what_another_thread_copies_is_written_by_the_store_s_own_meanwhile(store: Store) -> None:
    fill(store)
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(store.image_beside)
        written = 0
        while not taken.done():
            with store.transaction():
                transfer(store, written % ACCOUNTS, ACCOUNTS - 1 - written % ACCOUNTS)
            written += 1
            sleep(0.001)
        require_consistent(taken.result(), range(written + 1))
    assert store.image_beside()[18:20] == b"\x01\x01"


def test_an_image_of_a_store_that_nobody_writes_to_is_the_store(store: Store, temporary: Path) -> None:
    fill(store)
    copy = Store(Connections(), image=store.image_beside())
    assert copy.find(Counter) == store.find(Counter)
    assert copy.counts() == store.counts()
    copy.close()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    "end", [Store.close, lambda store: store.load(Connections().empty_image)], ids=["close", "load"]
)
def test_a_store_that_is_closed_or_loaded_meanwhile_ends_it_in_the_middle(
    store: Store, monkeypatch: pytest.MonkeyPatch, temporary: Path, end: Callable[[Store], None]
) -> None:
    fill(store)
    has_begun = Event()

    def wait_for_the_end(_: int) -> None:
        has_begun.set()
        for _ in range(20_000):
            if store._backup._is_ending:
                return
            sleep(0.001)

    pauses = between_steps(monkeypatch, wait_for_the_end)
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(store.image_beside)
        assert has_begun.wait(60)
        end(store)
        with pytest.raises(StoreClosedError):
            taken.result()
    assert len(pauses) == 1
    assert list(temporary.iterdir()) == []


def test_a_store_that_was_closed_has_no_image(store: Store) -> None:
    store.close()
    with pytest.raises(StoreClosedError):
        store.image_beside()


def test_the_image_of_a_large_store_of_one_s_own_needs_no_room_for_a_file(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fill(store)
    monkeypatch.setattr("foas_emulator.world.store.LARGE", 0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(OSError, match="missing"):
        store.image_beside()
    assert len(store.own_image()) == store.size


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be removed there")
def test_a_kill_during_a_backup_could_leave_no_file(
    store: Store, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    there: set[Path] = set()
    pauses = between_steps(monkeypatch, lambda _: there.update(temporary.iterdir()))
    store.image_beside()
    assert pauses
    assert there == set()
