import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from foas_emulator.world import expiry
from foas_emulator.world.directory_lock import DirectoryInUseError
from foas_emulator.world.expiry import CLOSE_AT_ONCE, EXPIRE_AT_ONCE
from foas_emulator.world.file_errors import LONGEST_PATH, WorldFileError
from foas_emulator.world.ids import Counter
from foas_emulator.world.images import KeptImage
from foas_emulator.world.memory_registry import MemoryRegistry
from foas_emulator.world.names import DEFAULT, WorldLimitError, WorldNameError
from foas_emulator.world.registry import Registry
from foas_emulator.world.staging import NOTHING_STAGED
from foas_emulator.world.store import StoppedError, Store, StoreClosedError
from foas_emulator.world.world import World
from foas_emulator.world.world_cache import Slot
from tests.renewing import renewed
from tests.world.conftest import mark, stage

OpenRegistry = Callable[..., Registry]


def marks(world: World) -> list[str]:
    return [counter.name for counter in world.store.find(Counter)]


def test_a_world_begins_when_it_is_first_asked_for(registry: Registry) -> None:
    assert registry.open_existing("alice") is None
    assert registry.names() == []
    alice = registry.open_or_create("alice")
    assert registry.open_existing("alice") is alice
    assert registry.open_or_create("alice") is alice
    assert registry.names() == ["alice"]


def test_worlds_do_not_share_anything(registry: Registry) -> None:
    mark(registry.open_or_create("alice"))
    assert marks(registry.open_or_create("bob")) == []


@pytest.mark.parametrize("name", ["a", "0", "a-b_c", "x" * 64])
def test_names_that_worlds_can_have(registry: Registry, name: str) -> None:
    assert registry.open_or_create(name).name == name


@pytest.mark.parametrize("name", ["", "A", "-a", "_a", "a.b", "../a", "a/b", "x" * 65, "a\n", "é"])
def test_names_that_no_world_can_have(registry: Registry, name: str) -> None:
    for ask in (
        registry.open_existing,
        registry.open_or_create,
        registry.create_or_replace,
        registry.reset,
        registry.drop,
    ):
        with pytest.raises(WorldNameError, match="cannot name a world"):
            ask(name)


def test_a_reset_returns_to_what_a_world_was_created_from(registry: Registry) -> None:
    template = registry.open_or_create("alice")
    mark(template, "from the beginning")
    bob = registry.create_or_replace("bob", template.store.image())
    mark(bob, "added later")
    registry.reset("bob")
    assert marks(bob) == ["from the beginning"]
    registry.reset("alice")
    assert marks(template) == []


def test_a_reset_begins_a_world_that_is_not_there(registry: Registry) -> None:
    registry.reset("alice")
    assert registry.names() == ["alice"]


def test_a_world_that_is_replaced_resets_to_its_new_beginning(registry: Registry) -> None:
    mark(registry.open_or_create("alice"), "of alice")
    bob = registry.create_or_replace("bob", registry.open_or_create("alice").store.image())
    registry.create_or_replace("bob")
    assert marks(bob) == []
    mark(bob)
    registry.reset("bob")
    assert marks(bob) == []


def test_a_fork_leaves_the_other_untouched(registry: Registry) -> None:
    mark(registry.open_or_create("alice"), "common")
    fork = registry.create_or_replace("fork", registry.open_or_create("alice").store.image())
    mark(fork, "of the fork")
    assert marks(registry.open_or_create("alice")) == ["common"]
    mark(registry.open_or_create("alice"), "of alice")
    assert marks(fork) == ["common", "of the fork"]


def test_a_world_that_is_dropped_is_gone(registry: Registry, data_dir: Path | None) -> None:
    mark(registry.open_or_create("alice"))
    assert registry.drop("alice")
    assert registry.names() == []
    assert not registry.drop("alice")
    assert marks(registry.open_or_create("alice")) == []
    registry.drop("alice")
    if data_dir is not None:
        assert [path.name for path in data_dir.iterdir()] == ["lock"]


def out_of_memory(*_: object) -> None:
    raise MemoryError


def test_a_world_that_cannot_begin_changes_no_reset_and_keeps_no_image(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark(registry.open_or_create("source"))
    image = registry.open_or_create("source").store.image()
    registry.open_or_create("alice")
    own = registry.open_or_create("alice").store.image()
    registry.create_or_replace("own", own)
    size = registry.images.size
    monkeypatch.setattr(World, "_begin", out_of_memory)
    for name in ("alice", "new", "own"):
        with pytest.raises(MemoryError):
            registry.create_or_replace(name, image)
    assert registry.names() == ["alice", "own", "source"]
    assert registry.origin("alice") == registry.image
    assert registry.origin("own") == own
    assert registry.images.size == size


def test_a_world_is_dropped_as_a_whole_where_its_size_cannot_be_told(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    registry.watch(told.append)
    mark(registry.open_or_create("alice"))
    registry.create_or_replace("bob", registry.open_or_create("alice").store.image())
    monkeypatch.setattr(Store, "size", property(out_of_memory))
    assert registry.drop("bob")
    assert (registry.names(), registry.images.size, told) == (["alice"], 0, ["bob"])


def test_whoever_watches_is_told_when_the_past_of_a_world_is_gone(registry: Registry) -> None:
    told: list[str] = []
    registry.watch(told.append)
    registry.open_or_create("alice")
    assert told == []
    registry.reset("alice")
    registry.create_or_replace("alice")
    registry.drop("alice")
    registry.drop("alice")
    assert told == ["alice", "alice", "alice"]


def test_watchers_are_told_of_every_world_that_is_reset(registry: Registry) -> None:
    told: list[str] = []
    registry.watch(told.append)
    for name in ("alice", "bob"):
        mark(registry.open_or_create(name))
    for name in registry.names():
        registry.reset_existing(name)
    assert told == ["alice", "bob"]
    assert [marks(registry.open_or_create(name)) for name in told] == [[], []]


def test_files_are_found_again_with_what_they_were_created_from(open_registry: OpenRegistry, tmp_path: Path) -> None:
    first = open_registry(directory=tmp_path)
    mark(first.open_or_create("alice"), "at first")
    first.create_or_replace("bob", first.open_or_create("alice").store.image())
    mark(first.open_or_create("bob"), "later")
    first.close()
    second = open_registry(directory=tmp_path, image=b"another default")
    assert second.names() == ["alice", "bob"]
    assert second.peek("bob") is None
    assert marks(second.open_or_create("bob")) == ["at first", "later"]
    second.reset("bob")
    assert marks(second.open_or_create("bob")) == ["at first"]
    second.reset("alice")
    assert marks(second.open_or_create("alice")) == []


def test_a_reset_reaches_a_file_that_stays_closed(open_registry: OpenRegistry, tmp_path: Path) -> None:
    first = open_registry(directory=tmp_path)
    mark(first.open_or_create("alice"))
    first.close()
    second = open_registry(directory=tmp_path)
    second.reset_existing("alice")
    assert second.peek("alice") is None
    assert marks(second.open_or_create("alice")) == []


def test_a_file_that_is_not_open_can_be_dropped(open_registry: OpenRegistry, tmp_path: Path) -> None:
    first = open_registry(directory=tmp_path)
    first.open_or_create("alice")
    first.close()
    second = open_registry(directory=tmp_path)
    assert second.drop("alice")
    assert second.names() == []


def test_a_directory_belongs_to_one_process(open_registry: OpenRegistry, tmp_path: Path) -> None:
    first = open_registry(directory=tmp_path)
    with pytest.raises(DirectoryInUseError, match="is in use by another"):
        open_registry(directory=tmp_path)
    first.close()
    open_registry(directory=tmp_path).open_or_create("alice")


def test_a_directory_is_the_same_wherever_the_process_goes(
    open_registry: OpenRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite would take the name for a URI."""
    monkeypatch.chdir(tmp_path)
    registry = open_registry(directory=Path("file:worlds?mode=ro"))
    registry.open_or_create("alice")
    monkeypatch.chdir("/")
    registry.open_or_create("bob")
    assert registry.drop("alice")
    assert (tmp_path / "file:worlds?mode=ro" / "bob.db").is_file()


@pytest.mark.skipif(os.name == "nt", reason="the limit is another one on Windows")
@pytest.mark.parametrize("excess", [0, 1])
def test_a_path_that_is_too_long_for_sqlite_is_refused_with_its_length(
    open_registry: OpenRegistry, tmp_path: Path, excess: int
) -> None:
    above = tmp_path / ("a" * 150) / ("b" * 150)
    directory = above / ("c" * (LONGEST_PATH + excess - len(str(above / "x" / "alice.db")) + 1))
    registry = open_registry(directory=directory)
    if not excess:
        registry.open_or_create("alice")
        return
    with pytest.raises(WorldFileError, match=r"its path has 505 bytes, and SQLite opens none of over 504"):
        registry.open_or_create("alice")


def test_a_directory_is_made_and_may_be_let_go_by_another_thread(open_registry: OpenRegistry, tmp_path: Path) -> None:
    """As a server in a thread does: it takes the directory in one thread and stops in another."""
    place = tmp_path / "made" / "with" / "its" / "parents"
    closing = Thread(target=open_registry(directory=place).close)
    closing.start()
    closing.join()
    open_registry(directory=place).open_or_create("alice")


def test_more_worlds_than_are_allowed_are_refused(open_registry: OpenRegistry) -> None:
    registry = open_registry(max_worlds=2)
    registry.open_or_create("alice")
    registry.open_or_create("bob")
    for ask in (registry.open_or_create, registry.create_or_replace, registry.reset):
        with pytest.raises(WorldLimitError, match="At most 2 worlds may be open"):
            ask("carol")
    assert registry.names() == ["alice", "bob"]
    registry.create_or_replace("alice")
    registry.drop("bob")
    registry.open_or_create("carol")


def test_a_file_counts_while_it_is_open(open_registry: OpenRegistry, tmp_path: Path) -> None:
    first = open_registry(directory=tmp_path)
    first.open_or_create("alice")
    first.open_or_create("bob")
    first.close()
    second = open_registry(directory=tmp_path, max_worlds=1)
    second.open_or_create("alice")
    with pytest.raises(WorldLimitError):
        second.open_existing("bob")


def leave(registry: Registry, name: str, *, seconds: int) -> None:
    """Make it so long ago that somebody used a world."""
    registry.open_or_create(name).last_used -= seconds * 1_000_000_000
    registry._expiry._first = 0


def test_a_world_in_memory_that_nobody_uses_is_dropped(
    open_registry: OpenRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    registry = open_registry(directory=None, idle=60_000)
    told: list[str] = []
    registry.watch(told.append)
    leave(registry, "alice", seconds=61)
    leave(registry, "bob", seconds=59)
    leave(registry, DEFAULT, seconds=61)
    registry.open_or_create("carol")
    assert registry.names() == ["bob", "carol", "default"]
    assert told == ["alice"]
    assert caplog.messages == ["world alice was idle for too long and is dropped; the setting world_idle changes that"]


def test_a_world_in_a_file_that_nobody_uses_is_closed_and_keeps_its_rows(
    open_registry: OpenRegistry, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    registry = open_registry(directory=tmp_path, idle=60_000, max_worlds=1)
    mark(registry.open_or_create("alice"))
    leave(registry, "alice", seconds=61)
    with caplog.at_level(logging.INFO):
        registry.open_or_create("bob")
    assert registry.peek("alice") is None
    assert registry.names() == ["alice", "bob"]
    assert "world alice was idle for too long and is closed; its file stays" in caplog.text
    leave(registry, "bob", seconds=61)
    assert marks(registry.open_or_create("alice")) == ["mark"]


def test_using_a_world_keeps_it(open_registry: OpenRegistry) -> None:
    registry = open_registry(directory=None, idle=60_000)
    leave(registry, "alice", seconds=61)
    registry.open_or_create("alice")
    registry.open_or_create("bob")
    assert registry.names() == ["alice", "bob"]


def test_no_world_expires_unless_it_is_asked_for(open_registry: OpenRegistry) -> None:
    registry = open_registry(directory=None)
    leave(registry, "alice", seconds=1_000_000)
    registry.open_or_create("bob")
    assert registry.names() == ["alice", "bob"]


def test_request_ids_that_belong_to_no_world_never_repeat(registry: Registry) -> None:
    assert len({registry.next_request_id() for _ in range(100)}) == 100


def test_a_dropped_world_gives_back_the_images_kept_with_it(registry: Registry) -> None:
    slot: Slot[KeptImage] = Slot(from_rows=False)
    world = registry.open_or_create("alice")
    world.cache.put(slot, registry.images.keep(b"previous"))
    assert registry.images.size == 8
    registry.drop("alice")
    assert registry.images.size == 0, "although this test still holds the world"
    assert world.name == "alice"


def test_large_images_are_told_apart_by_identity(registry: Registry) -> None:
    large = b"x" * 1_100_000
    kept = [registry.images.keep(large), registry.images.keep(large)]
    assert registry.images.size == len(large)
    kept.append(registry.images.keep(large[:-1] + b"x"))
    assert registry.images.size == 2 * len(large)
    kept.clear()
    assert registry.images.size == 0


def test_what_a_world_resets_to_is_its_own(registry: Registry) -> None:
    mark(registry.open_or_create("alice"), "mine")
    mine = registry.open_or_create("alice").store.image()
    registry.create_or_replace("bob", mine)
    assert registry.origin("alice") == registry.image
    assert registry.origin("bob") == mine
    assert registry.origin_size("alice") == len(registry.image)
    assert registry.origin_size("bob") == len(mine)
    registry.drop("bob")
    assert registry.images.size == 0
    registry.open_or_create("bob")
    assert registry.origin("bob") == registry.image
    assert marks(registry.open_or_create("bob")) == []


def test_a_world_that_is_not_open_is_not_peeked_at(open_registry: OpenRegistry, tmp_path: Path) -> None:
    first = open_registry(directory=tmp_path)
    alice = first.open_or_create("alice")
    assert first.peek("alice") is alice
    assert first.peek("bob") is None
    first.close()
    assert open_registry(directory=tmp_path).peek("alice") is None


def test_the_stamp_of_an_origin_stays_until_another_one_takes_its_place(registry: Registry) -> None:
    assert (registry.origin_stamp("alice"), registry.origin_size("alice")) == (None, 0)
    alice = registry.open_or_create("alice")
    stamp = registry.origin_stamp("alice")
    mark(alice)
    mine = alice.store.image()
    registry.reset("alice")
    registry.reset_existing("alice", stage(registry, registry.origin("alice")))
    assert marks(registry.open_or_create("alice")) == []
    assert registry.origin_stamp("alice") == stamp
    registry.create_or_replace("alice", mine)
    assert registry.origin_stamp("alice") != stamp
    registry.drop("alice")
    assert registry.origin_stamp("alice") is None


def test_a_reset_that_failed_for_another_reason_than_a_lost_origin_replaces_nothing(registry: Registry) -> None:
    mark(registry.open_or_create("alice"))
    error = WorldFileError(Path("alice.db"), "No space left on device")
    with pytest.raises(WorldFileError) as raised:
        registry.replace_lost("alice", error)
    assert raised.value is error
    assert marks(registry.open_or_create("alice")) == ["mark"]


def test_closed_worlds_made_of_the_default_image_are_replaced_with_it(
    open_registry: OpenRegistry, tmp_path: Path
) -> None:
    first = open_registry(directory=tmp_path)
    for name in ("alice", "bob", "carol"):
        mark(first.open_or_create(name), "later")
    mine = first.open_or_create("bob").store.image()
    first.create_or_replace("bob", mine)
    first.close()
    second = open_registry(directory=tmp_path)
    told: list[str] = []
    second.watch(told.append)
    opened = second.open_or_create("alice")
    assert list(renewed(second, mine)) == ["alice", None, "carol"]
    assert told == ["alice", "carol"]
    assert second.peek("alice") is opened
    assert [second.peek(name) for name in ("bob", "carol")] == [None, None]
    for name in ("alice", "bob", "carol"):
        assert second.origin(name) == mine
        assert marks(second.open_or_create(name)) == ["later"]
    assert len(list(tmp_path.glob("*.origin"))) == 3


def test_a_world_whose_file_cannot_be_read_stays_when_the_seed_is_replaced(
    open_registry: OpenRegistry, tmp_path: Path
) -> None:
    first = open_registry(directory=tmp_path)
    for name in ("alice", "bob"):
        mark(first.open_or_create(name), "later")
    mine = first.open_or_create("bob").store.image()
    first.close()
    (tmp_path / "alice.origin").write_bytes(b"of somebody else")
    second = open_registry(directory=tmp_path)
    assert list(renewed(second, mine)) == [None, "bob"]
    assert (tmp_path / "alice.origin").read_bytes() == b"of somebody else"


@pytest.mark.parametrize("state", ["open", "closed"])
def test_a_world_that_cannot_begin_with_the_replaced_seed_stays_and_that_is_reported(
    state: str,
    open_registry: OpenRegistry,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = open_registry(directory=tmp_path)
    mark(registry.open_or_create("alice"), "later")
    if state == "closed":
        registry.close()
        registry = open_registry(directory=tmp_path)

    def find_no_room(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", find_no_room)
        assert list(renewed(registry, b"another")) == [None]
    assert "world alice does not start over before the seeds change again: " in caplog.text
    assert marks(registry.open_or_create("alice")) == ["later"]


def test_what_a_world_resets_to_makes_room_for_its_next(open_registry: OpenRegistry) -> None:
    registry = open_registry(directory=None)
    images = []
    for name in ("first", "second"):
        mark(registry.open_or_create("alice"), name)
        images.append(registry.open_or_create("alice").store.image())
    registry.images.limit = len(images[1])
    for image in images:
        registry.create_or_replace("bob", image)
        assert registry.images.size == len(image)


@pytest.mark.parametrize("kind", ["staged database", "image"])
def test_a_world_in_a_file_has_one_pair_of_files_after_each_reset(
    kind: str, open_registry: OpenRegistry, tmp_path: Path
) -> None:
    registry = open_registry(directory=tmp_path)
    mark(registry.open_or_create("bob"), "mine")
    mine = registry.open_or_create("bob").store.image()
    registry.create_or_replace("alice", mine)
    for _ in range(2):
        mark(registry.open_or_create("alice"), "later")
        origin = registry.origin("alice")
        registry.reset("alice", NOTHING_STAGED if kind == "image" else stage(registry, origin))
        assert marks(registry.open_or_create("alice")) == ["mine"]
        assert len(list(tmp_path.glob("alice*.db"))) == len(list(tmp_path.glob("alice*.origin"))) == 1


def test_a_registry_that_is_closed_does_not_say_that_there_is_no_such_world(registry: Registry) -> None:
    registry.open_or_create("alice")
    registry.close()
    for ask in (registry.exists, registry.open_existing, registry.open_or_create, registry.drop):
        with pytest.raises(StoppedError):
            ask("alice")


def test_nothing_is_prepared_once_the_registry_is_closed(open_registry: OpenRegistry) -> None:
    registry = open_registry(directory=None)
    assert isinstance(registry, MemoryRegistry)
    registry.close()
    registry.prewarm()
    assert registry._prepared is None


def test_calls_that_go_on_after_the_end_open_and_remove_nothing(open_registry: OpenRegistry, tmp_path: Path) -> None:
    registry = open_registry(directory=tmp_path)
    mark(registry.open_or_create("alice"))
    nobody_takes = registry.stage(registry.image, origin=None)
    registry.close()
    for ask in (registry.open_or_create, registry.create_or_replace, registry.reset, registry.reset_existing):
        with pytest.raises(StoppedError):
            ask("alice")
    later = open_registry(directory=tmp_path)
    staged = later.stage(later.image, origin=None)
    with pytest.raises(StoreClosedError):
        registry.stage(registry.image, origin=None)
    nobody_takes.discard()
    registry.close()
    assert [file.exists() for file in staged.files] == [True]
    assert marks(later.open_or_create("alice")) == ["mark"]


def test_a_world_whose_renewal_found_no_room_is_renewed_when_the_seed_is_replaced_again(
    open_registry: OpenRegistry, tmp_path: Path
) -> None:
    registry = open_registry(directory=tmp_path)
    mark(registry.open_or_create("alice"), "mine")
    registry.open_or_create("bob")
    mine = registry.open_or_create("alice").store.image()
    registry.drop("alice")
    first = registry.image
    (renewal,) = registry.replace_image(b"there was no room for it")
    assert renewal.is_due()
    assert registry.origin("bob") == first
    assert list(renewed(registry, mine)) == ["bob"]
    assert marks(registry.open_or_create("bob")) == ["mine"]
    registry.create_or_replace("bob", first)
    assert list(renewed(registry, first)) == [None]


def test_worlds_that_begin_anew_while_the_seed_is_replaced_stay_as_they_are(registry: Registry) -> None:
    for name in ("alice", "bob", "carol"):
        registry.open_or_create(name)
    mark(registry.open_or_create("alice"), "own")
    own = registry.open_or_create("alice").store.image()
    registry.create_or_replace("zoe", own)
    mark(registry.open_or_create("alice"), "mine")
    mine = registry.open_or_create("alice").store.image()
    replaced = renewed(registry, mine)
    assert next(replaced) == "alice"
    registry.create_or_replace("bob", own)
    registry.drop("carol")
    mark(registry.open_or_create("dave"), "late")
    assert "carol" not in list(replaced)
    assert "late" in marks(registry.open_or_create("dave"))
    for name, expected in (("alice", ["mine", "own"]), ("bob", ["own"]), ("zoe", ["own"])):
        assert sorted(marks(registry.open_or_create(name))) == expected


def test_others_are_served_while_worlds_that_stay_are_looked_at(registry: Registry) -> None:
    mark(registry.open_or_create("alice"))
    mine = registry.open_or_create("alice").store.image()
    registry.create_or_replace("alice", mine)
    registry.open_or_create("bob")
    assert list(renewed(registry, mine)) == [None, "bob"]


def test_few_worlds_in_files_are_closed_at_a_time(
    open_registry: OpenRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is written to the disk, and others wait."""
    monkeypatch.setattr(expiry, "SLICE_NS", 10**12)
    registry = open_registry(directory=tmp_path, idle=1_000_000)
    for number in range(2 * CLOSE_AT_ONCE + 1):
        mark(registry.open_or_create(f"w{number}"))
    registry._expiry._idle = 1
    for left in (CLOSE_AT_ONCE + 1, 1, 0):
        registry._expiry._first = 0
        registry.expire()
        assert len(registry._worlds) == left


def test_many_worlds_expire_in_several_looks(open_registry: OpenRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "SLICE_NS", 10**12)
    registry = open_registry(directory=None, idle=1)
    for number in range(EXPIRE_AT_ONCE + 5):
        registry._open(f"w{number}")
    for world in registry._worlds.values():
        world.last_used = 0
    registry._expiry._first = 0
    registry.expire()
    assert len(registry.names()) == 5
    registry.expire()
    assert registry.names() == []
