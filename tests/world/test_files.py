"""Files of worlds: replaced in one step, mended where they are damaged, and never taken from somebody else."""

import asyncio
import errno
import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

import pytest

from foas_emulator.world import files, pending, soundness, store
from foas_emulator.world.file_errors import WorldFileError
from foas_emulator.world.files import WorldFiles
from foas_emulator.world.ids import Counter
from foas_emulator.world.names import WorldLimitError
from foas_emulator.world.owned_files import write_file
from foas_emulator.world.registry import Registry
from foas_emulator.world.staging import NOTHING_STAGED, StagedImage
from foas_emulator.world.world import World
from tests.world.conftest import mark, stage

OpenRegistry = Callable[..., Registry]


@pytest.fixture
def data_dir() -> None:
    """Each test says itself where its files are."""


def failing(error: Exception) -> Callable[..., NoReturn]:
    """In the place of any call of the system."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


io_error = failing(OSError(errno.EIO, "Input/output error"))


class Killed(BaseException):
    """The process ends here."""


def marks(registry: Registry, name: str) -> list[str]:
    return [counter.name for counter in registry.open_or_create(name).store.find(Counter)]


@pytest.fixture
def directory(open_registry: OpenRegistry, tmp_path: Path) -> Path:
    """A directory with the world `alice`, created with the mark `old` and then marked `later`."""
    place = tmp_path / "kept"
    registry = open_registry(directory=place)
    mark(registry.create_or_replace("alice", image_with(registry, "old")), "later")
    registry.close()
    return place


def image_with(registry: Registry, name: str) -> bytes:
    world = registry.create_or_replace("scratch")
    mark(world, name)
    image = world.store.image()
    registry.drop("scratch")
    return image


def test_a_name_that_means_a_device_has_files_all_the_same(
    open_registry: OpenRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "DEVICES", {"nul"})
    place = tmp_path / "kept"
    registry = open_registry(directory=place)
    for name in ("nul", "nulls"):
        mark(registry.open_or_create(name), name)
    registry.close()
    kept = {"_nul.db", "_nul.origin", "nulls.db", "nulls.origin"}
    assert kept <= {path.name for path in place.iterdir()}
    (place / "_nulls.origin").write_bytes(b"of somebody else")
    again = open_registry(directory=place)
    assert again.names() == ["nul", "nulls"]
    assert marks(again, "nul") == ["nul"]
    again.reset("nul")
    assert marks(again, "nul") == []
    assert again.drop("nul")
    assert [path.name for path in place.iterdir() if path.name.startswith("_")] == ["_nulls.origin"]


STEPS = ("open", "fsync", "replace", "rename", "unlink")
"""The system calls between which a process can be killed."""


def die_at(monkeypatch: pytest.MonkeyPatch, number: int) -> list[str]:
    """Raise `Killed` instead of the step of this number, and instead of all that follow."""
    done: list[str] = []

    def step(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            if len(done) >= number:
                raise Killed
            done.append(name)
            return call(*given, **named)

        return run

    for name in STEPS:
        monkeypatch.setattr(os, name, step(name, getattr(os, name)))
    return done


def exchange(registry: Registry, image: bytes) -> None:
    world = registry.open_or_create("alice")
    registry.exchange(world, world.load, image, stage(registry, image))


def reset_to_staged(registry: Registry) -> None:
    registry.open_or_create("alice")
    registry.reset("alice", stage(registry, registry.origin("alice")))


CHANGES: dict[str, Callable[[Registry, bytes], object]] = {
    "replace": lambda registry, image: registry.create_or_replace("alice", image),
    "replace by staged files": lambda registry, image: registry.create_or_replace(
        "alice", image, stage(registry, image, with_origin=True)
    ),
    "load a staged file": exchange,
    "reset": lambda registry, _: registry.reset("alice"),
    "reset to a staged file": lambda registry, _: reset_to_staged(registry),
    "reset existing": lambda registry, _: registry.reset_existing("alice"),
    "drop": lambda registry, _: registry.drop("alice"),
}
AFTER: dict[str, tuple[list[str], list[str]]] = {
    "replace": (["new"], ["new"]),
    "replace by staged files": (["new"], ["new"]),
    "load a staged file": (["new"], ["old"]),
    "reset": (["old"], ["old"]),
    "reset to a staged file": (["old"], ["old"]),
    "reset existing": (["old"], ["old"]),
    "drop": ([], []),
}
"""What the world holds after each of them, and what it resets to."""


@pytest.mark.parametrize("state", ["open", "closed"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_world_and_what_it_resets_to_are_old_or_new_together_wherever_a_kill_comes(
    change: str, state: str, directory: Path, open_registry: OpenRegistry, tmp_path: Path
) -> None:
    for number in range(100):
        place = tmp_path / f"copy{number}"
        shutil.copytree(directory, place)
        registry = open_registry(directory=place)
        image = image_with(registry, "new")
        if state == "open":
            registry.open_existing("alice")
        with pytest.MonkeyPatch.context() as monkeypatch:
            done = die_at(monkeypatch, number)
            was_killed = False
            try:
                CHANGES[change](registry, image)
            except Killed:
                was_killed = True
        left = tmp_path / f"left{number}"
        shutil.copytree(place, left)  # with the write-ahead log, as a killed process leaves it
        after = open_registry(directory=left)
        rows = marks(after, "alice")
        after.reset("alice")
        outcome = (rows, marks(after, "alice"))
        assert outcome in (AFTER[change], (["later", "old"], ["old"]))
        if not was_killed:
            assert outcome == AFTER[change]
            assert not [path.name for path in left.iterdir() if path.suffix == ".new"]
            break
    else:
        pytest.fail("it never came to its end")
    assert number == len(done)
    assert number > 0 or (change.startswith("reset") and state == "open"), "only a transaction has no steps of ours"


@pytest.mark.parametrize("state", ["open", "closed"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_finds_no_descriptor_changes_nothing(
    change: str, state: str, directory: Path, open_registry: OpenRegistry, tmp_path: Path
) -> None:
    opened = os.open
    for number in count():
        place = tmp_path / f"copy{number}"
        shutil.copytree(directory, place)
        registry = open_registry(directory=place)
        image = image_with(registry, "new")
        if state == "open":
            registry.open_existing("alice")
        left = iter(range(number))

        def open_some(*given: Any, left: Iterator[int] = left, **more: Any) -> int:
            if next(left, None) is None:
                raise OSError(errno.EMFILE, "Too many open files")
            return opened(*given, **more)

        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(os, "open", open_some)
            refused = ""
            try:
                CHANGES[change](registry, image)
            except WorldFileError as error:
                refused = error.advice
        registry.close()
        after = open_registry(directory=place)
        rows = marks(after, "alice")
        after.reset("alice")
        assert (rows, marks(after, "alice")) == ((["later", "old"], ["old"]) if refused else AFTER[change])
        if not refused:
            break
        assert refused.endswith("(ulimit -n)")


def make_pipe(path: Path) -> None:
    if sys.platform != "win32":
        os.mkfifo(path)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in its file system")
def test_a_pipe_is_no_file_and_nobody_waits_for_it(directory: Path, open_registry: OpenRegistry) -> None:
    for name in ("alice.3.origin", "alice.new", "bob.origin", "carol.new"):
        make_pipe(directory / name)
    registry = open_registry(directory=directory)
    assert registry.names() == ["alice"]
    assert marks(registry, "bob") == []
    assert marks(registry, "carol") == []
    assert (directory / "carol.new").is_fifo()
    for name in ("alice.db", "alice.origin"):
        (directory / name).unlink()
        make_pipe(directory / name)
    for use in (registry.open_existing, registry.origin):
        with pytest.raises(WorldFileError, match="it is not a file; move it away"):
            use("alice")
    with pytest.raises(WorldFileError) as raised:
        registry.reset("alice")
    registry.replace_lost("alice", raised.value)
    assert marks(registry, "alice") == []


def test_a_file_that_cannot_even_be_looked_at_is_reported(
    directory: Path, open_registry: OpenRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = open_registry(directory=directory)

    monkeypatch.setattr(Path, "stat", failing(PermissionError(errno.EACCES, "Permission denied")))
    for use in (registry.open_existing, registry.origin):
        with pytest.raises(WorldFileError, match=r"alice\.(db|origin) cannot be used: Permission denied"):
            use("alice")


def test_a_file_that_cannot_be_looked_at_is_neither_made_anew_nor_removed(
    directory: Path, open_registry: OpenRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = open_registry(directory=directory)
    look = Path.stat

    def fail(self: Path, **options: bool) -> os.stat_result:
        if self.name.startswith("alice"):
            raise OSError(errno.ESTALE, "Stale file handle", str(self))
        return look(self, **options)

    monkeypatch.setattr(Path, "stat", fail)
    for method in ("exists", "is_file"):  # from Python 3.14 on, both take what cannot be looked at for nothing
        monkeypatch.setattr(Path, method, lambda self: not self.name.startswith("alice"))
    with pytest.raises(WorldFileError, match="Stale file handle"):
        registry.open_existing("alice")
    registry.close()
    with pytest.raises(OSError, match="Stale file handle"):
        open_registry(directory=directory)
    monkeypatch.undo()
    assert marks(open_registry(directory=directory), "alice") == ["later", "old"]


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "Input/output error"), PermissionError(errno.EACCES, "Permission denied")]
)
@pytest.mark.parametrize("state", ["open", "closed"])
def test_an_origin_that_cannot_be_read_for_now_is_not_lost(
    state: str, error: OSError, directory: Path, open_registry: OpenRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = open_registry(directory=directory)
    if state == "open":
        registry.open_existing("alice")

    monkeypatch.setattr(Path, "read_bytes", failing(error))
    with pytest.raises(WorldFileError, match=rf"alice\.origin cannot be used: {error.strerror}; ") as raised:
        registry.reset("alice")
    with pytest.raises(WorldFileError):
        registry.replace_lost("alice", raised.value)
    monkeypatch.undo()
    assert marks(registry, "alice") == ["later", "old"]
    registry.reset("alice")
    assert marks(registry, "alice") == ["old"]


def test_staged_files_are_used_up_or_removed_at_the_end_or_the_next_start(
    directory: Path, open_registry: OpenRegistry
) -> None:
    registry = open_registry(directory=directory)
    image = image_with(registry, "new")
    before = {path.name for path in directory.iterdir()}
    files = stage(registry, image, with_origin=True).files
    assert {path.name for path in directory.iterdir()} - before == {path.name for path in files}
    assert [path.read_bytes() for path in files] == [image, image]
    registry.create_or_replace("carol", image, StagedImage(files=files))
    assert marks(registry, "carol") == ["new"]
    assert not [path for path in files if path.exists()]
    left = [*stage(registry, image).files, directory / "+mine.new"]
    left[-1].write_bytes(image)
    registry.close()
    assert not left[0].exists()
    left[0].write_bytes(image)  # as a kill leaves it
    again = open_registry(directory=directory)
    assert marks(again, "carol") == ["new"]
    assert [path for path in left if path.exists()] == [directory / "+mine.new"], "nobody but its owner removes that"


def test_files_that_cannot_be_staged_leave_none(
    directory: Path, open_registry: OpenRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = open_registry(directory=directory)
    image = image_with(registry, "new")
    before = list(directory.iterdir())
    synced: list[int] = []

    def refuse_the_second(file: int) -> None:
        synced.append(file)
        if len(synced) > (2 if os.name == "posix" else 1):  # the first file, and where that can be, its directory
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", refuse_the_second)
        with pytest.raises(WorldFileError, match="make room"):
            stage(registry, image, with_origin=True)
    assert list(directory.iterdir()) == before


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def make_foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE t (c)")
    other.close()


def garble(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE", b"CREATE T\xe8BLE"))


def settle_for(settings: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with closing(sqlite3.connect(path)) as opened, opened:
            opened.execute("UPDATE world SET settings = ?", (settings,))

    return write


DAMAGES: dict[str, Callable[[Path], object]] = {
    "malformed": cut,
    "it contains bytes that are not text": garble,
    "it is empty": lambda path: path.write_bytes(b""),
    "not a database": lambda path: path.write_bytes(b"my notes\n" * 99),
    "it is not a world of foas-emulator": make_foreign,
    "no JSON is in the settings of world .Expecting": settle_for("{"),
    "no JSON object is in the settings of world": settle_for("[]"),
}
MENDS: dict[str, Callable[[Registry], object]] = {
    "put": lambda registry: registry.create_or_replace("alice"),
    "reset": lambda registry: registry.reset("alice"),
    "delete": lambda registry: registry.drop("alice"),
    "reset existing": lambda registry: registry.reset_existing("alice"),
}


@pytest.mark.parametrize("mend", MENDS)
@pytest.mark.parametrize("reason", DAMAGES)
def test_a_damaged_file_is_named_and_replacing_the_world_mends_it(
    reason: str, mend: str, directory: Path, open_registry: OpenRegistry
) -> None:
    path = directory / "alice.db"
    DAMAGES[reason](path)
    content = path.read_bytes()
    registry = open_registry(directory=directory)
    for _ in range(2):
        with pytest.raises(WorldFileError, match=reason) as raised:
            registry.open_or_create("alice")
        assert raised.value.hint.startswith("The file alice.db of the data directory cannot be used: ")
    assert path.read_bytes() == content
    assert marks(registry, "bob") == []
    MENDS[mend](registry)
    assert marks(registry, "alice") == (["old"] if "reset" in mend else [])
    is_somebody_elses = reason in ("not a database", "it is not a world of foas-emulator")
    assert (path.exists() and path.read_bytes() == content) is is_somebody_elses


def test_a_database_that_may_not_be_written_is_reported_as_that(
    directory: Path, open_registry: OpenRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = open_registry(directory=directory)
    opened = Path.open

    def read_only(path: Path, mode: str = "r", **more: Any) -> Any:
        if "+" in mode:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, mode, **more)

    monkeypatch.setattr(Path, "open", read_only)
    with pytest.raises(WorldFileError, match=r"alice\.db cannot be used: Permission denied; let the user"):
        registry.open_or_create("alice")


def put_noise(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:512] + b"x" * (len(content) - 512))


@pytest.mark.parametrize("damage", [cut, put_noise, garble])
@pytest.mark.parametrize("state", ["open", "closed"])
def test_a_lost_origin_is_said_and_the_default_one_takes_its_place(
    damage: Callable[[Path], object],
    state: str,
    directory: Path,
    open_registry: OpenRegistry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    damage(directory / "alice.origin")
    registry = open_registry(directory=directory)
    if state == "open":
        assert marks(registry, "alice") == ["later", "old"]
    with pytest.raises(WorldFileError) as raised:
        registry.reset("alice")
    registry.replace_lost("alice", raised.value)
    assert (registry.peek("alice") is not None) is (state == "open")
    assert marks(registry, "alice") == []
    assert "what it was created from is lost" in caplog.text
    assert re.search(r"alice\.origin cannot be used: .*(incomplete|malformed|bytes that are not text)", caplog.text)


@pytest.mark.parametrize("state", ["open", "closed"])
@pytest.mark.parametrize("change", ["replace", "replace by staged files", "load a staged file", "create"])
@pytest.mark.parametrize("fails", ["store", "world"])
def test_a_world_stays_as_it_was_if_what_replaces_it_cannot_be_opened(
    fails: str, change: str, state: str, directory: Path, open_registry: OpenRegistry
) -> None:
    registry = open_registry(directory=directory)
    image = image_with(registry, "new")
    if state == "open" or change == "load a staged file":
        registry.open_existing("alice")
    before = {path.name for path in directory.iterdir() if path.suffix in (".db", ".origin")}

    find_no_room = failing(WorldFileError(directory / "alice.1.db", "database or disk is full"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        if fails == "store":
            monkeypatch.setattr(store, "use_file", find_no_room)
        else:
            monkeypatch.setattr(World, "_begin", find_no_room)
        with pytest.raises(WorldFileError):
            registry.open_or_create("bob") if change == "create" else CHANGES[change](registry, image)
    assert {path.name for path in directory.iterdir() if path.suffix in (".db", ".origin", ".new")} == before
    assert registry.names() == ["alice"]
    assert marks(registry, "alice") == ["later", "old"]
    registry.close()
    again = open_registry(directory=directory)
    assert marks(again, "alice") == ["later", "old"]
    again.reset("alice")
    assert marks(again, "alice") == ["old"]


@pytest.mark.parametrize("change", ["replace", "load a staged file", "create"])
@pytest.mark.parametrize("refused", ["descriptors", "looks"])
def test_what_cannot_be_opened_is_taken_back_though_the_system_refuses_everything_else(
    refused: str, change: str, directory: Path, open_registry: OpenRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = open_registry(directory=directory)
    image = image_with(registry, "new")
    registry.open_existing("alice")

    refuse = failing(OSError(errno.EMFILE, "Too many open files"))

    def find_no_descriptor(*_: object, **__: object) -> NoReturn:
        for name in ("open",) if refused == "descriptors" else ("stat", "lstat"):
            monkeypatch.setattr(os, name, refuse)
            monkeypatch.setattr(Path, name, refuse)
        raise WorldFileError(directory / "alice.1.db", "Too many open files")

    monkeypatch.setattr(store, "use_file", find_no_descriptor)
    with pytest.raises(WorldFileError):
        registry.open_or_create("bob") if change == "create" else CHANGES[change](registry, image)
    monkeypatch.undo()
    assert registry.names() == ["alice"]
    assert marks(registry, "alice") == ["later", "old"]
    registry.reset("alice")
    assert marks(registry, "alice") == ["old"]
    registry.close()
    assert open_registry(directory=directory).names() == ["alice"]
    assert {path.name for path in directory.iterdir()} == {"alice.db", "alice.origin", "lock"}


def test_a_name_that_cannot_be_looked_at_is_not_taken_for_a_free_one(
    directory: Path, open_registry: OpenRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = open_registry(directory=directory)
    (directory / "alice.1.db").write_bytes(b"of somebody else")

    monkeypatch.setattr(os, "lstat", io_error)
    monkeypatch.setattr(Path, "lstat", io_error)
    with pytest.raises(WorldFileError, match="Input/output error"):
        registry.create_or_replace("alice")
    monkeypatch.undo()
    assert (directory / "alice.1.db").read_bytes() == b"of somebody else"


def test_a_directory_that_cannot_be_closed_undoes_no_rename(
    directory: Path, open_registry: OpenRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = open_registry(directory=directory)
    close = os.close

    def fail(handle: int) -> None:
        close(handle)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "close", fail)
    registry.drop("alice")
    monkeypatch.undo()
    assert registry.names() == []


def test_a_database_that_could_not_be_removed_goes_with_its_world(
    directory: Path, open_registry: OpenRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = open_registry(directory=directory)
    unlink = Path.unlink

    def fail(self: Path, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002 - as Path has it
        if self.name == "alice.db":
            raise OSError(errno.EIO, "Input/output error")
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", fail)
    registry.create_or_replace("alice")
    monkeypatch.undo()
    assert (directory / "alice.db").exists()
    registry.drop("alice")
    assert [path.name for path in directory.iterdir()] == ["lock"]


def test_no_older_pair_is_forgotten_because_another_one_cannot_be_removed_yet(
    directory: Path, open_registry: OpenRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = open_registry(directory=directory)

    with monkeypatch.context() as refusing:
        refusing.setattr(Path, "unlink", io_error)
        for _ in range(3):
            registry.create_or_replace("alice")
        with pytest.raises(WorldFileError, match="Input/output error"):
            registry.drop("alice")
    assert len(list(directory.glob("*.origin"))) == 4
    registry.drop("alice")
    registry.close()
    assert open_registry(directory=directory).names() == []
    assert [path.name for path in directory.iterdir()] == ["lock"]


def test_an_older_pair_does_not_decide_because_the_newer_one_cannot_be_read(
    directory: Path, open_registry: OpenRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("db", "origin"):
        shutil.copy(directory / f"alice.{kind}", directory / f"alice.1.{kind}")
    look = Path.open

    def fail(self: Path, *given: Any, **named: Any) -> Any:
        if self.name == "alice.1.origin":
            raise OSError(errno.EIO, "Input/output error")
        return look(self, *given, **named)

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(OSError, match="Input/output error"):
        open_registry(directory=directory)


def test_a_reset_that_only_cannot_begin_has_happened(
    directory: Path, open_registry: OpenRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = open_registry(directory=directory)
    registry.create_or_replace("alice")
    mark(registry.open_or_create("alice"), "later")

    find_no_room = failing(WorldFileError(directory / "alice.db", "database or disk is full"))
    monkeypatch.setattr("foas_emulator.world.world.leave_template", find_no_room)
    monkeypatch.setattr(WorldFiles, "put", find_no_room)
    registry.reset("alice")
    with pytest.raises(WorldFileError, match="disk is full"):
        registry.open_existing("alice")
    monkeypatch.undo()
    assert marks(registry, "alice") == []


def test_a_replacement_that_can_neither_be_opened_nor_taken_back_stays(
    directory: Path, open_registry: OpenRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    registry = open_registry(directory=directory)

    with pytest.MonkeyPatch.context() as monkeypatch:

        def refuse_from_now_on(*_: object, **__: object) -> NoReturn:
            for name in ("rename", "unlink"):
                monkeypatch.setattr(Path, name, io_error)
            io_error()

        monkeypatch.setattr(store, "use_file", refuse_from_now_on)
        with pytest.raises(WorldFileError):
            registry.create_or_replace("alice")
    assert "world alice stays replaced, though it cannot be opened: " in caplog.text
    assert marks(registry, "alice") == []
    registry.drop("alice")
    registry.close()
    assert open_registry(directory=directory).names() == []


def test_a_replacement_is_taken_back_where_no_file_can_be_removed(
    directory: Path, open_registry: OpenRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = open_registry(directory=directory)

    with monkeypatch.context() as refusing:
        refusing.setattr(store, "use_file", io_error)
        refusing.setattr(Path, "unlink", io_error)
        with pytest.raises(WorldFileError):
            registry.create_or_replace("alice")
    registry.close()
    later = open_registry(directory=directory)
    assert marks(later, "alice") == ["later", "old"]
    assert {path.name for path in directory.iterdir()} >= {"alice.db", "alice.origin"}
    assert not [path.name for path in directory.iterdir() if path.name.startswith("alice.1")]


def test_a_world_whose_database_is_gone_begins_from_its_origin(directory: Path, open_registry: OpenRegistry) -> None:
    (directory / "alice.db").unlink()
    assert marks(open_registry(directory=directory), "alice") == ["old"]


def test_a_world_whose_database_is_gone_takes_over_nothing_that_a_kill_left_beside_it(
    directory: Path, open_registry: OpenRegistry
) -> None:
    registry = open_registry(directory=directory)
    mark(registry.open_or_create("alice"), "last")
    log = (directory / "alice.db-wal").read_bytes()
    registry.close()
    (directory / "alice.db-wal").write_bytes(log)
    (directory / "alice.db").unlink()
    assert marks(open_registry(directory=directory), "alice") == ["old"]


def test_a_world_takes_over_nothing_that_a_kill_left_while_the_one_before_was_opened_for_the_first_time(
    directory: Path, open_registry: OpenRegistry
) -> None:
    with closing(sqlite3.connect(directory / "alice.db", isolation_level=None)) as opened:
        opened.execute("PRAGMA journal_mode = DELETE")
        opened.execute("PRAGMA cache_size = 1")  # so that the journal is complete on the disk
        opened.execute("BEGIN")
        for number in range(500):
            opened.execute("INSERT INTO counters (name, value) VALUES (?, 1)", (f"counter {number}",))
        journal = (directory / "alice.db-journal").read_bytes()
        opened.execute("ROLLBACK")
    registry = open_registry(directory=directory)
    (directory / "alice.db-journal").write_bytes(journal)
    registry.drop("alice")
    assert marks(registry, "alice") == []
    assert not (directory / "alice.db-journal").exists()


def test_files_of_others_are_neither_overwritten_nor_removed(open_registry: OpenRegistry, tmp_path: Path) -> None:
    names = ("alice.db", "alice.db-wal", "alice.1.db-shm", "bob.new", "bob.txt")
    for name in names:
        (tmp_path / name).write_bytes(b"of somebody else")
    registry = open_registry(directory=tmp_path)
    for world in ("alice", "bob"):
        mark(registry.open_or_create(world), "mine")
        registry.reset_existing(world)
        registry.drop(world)
    registry.close()
    open_registry(directory=tmp_path).close()
    assert {path.name for path in tmp_path.iterdir()} == {*names, "lock"}
    assert all((tmp_path / name).read_bytes() == b"of somebody else" for name in names)


def test_a_database_without_its_origin_is_kept_aside_with_all_that_it_holds(
    directory: Path, open_registry: OpenRegistry, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    registry = open_registry(directory=directory)
    mark(registry.open_or_create("alice"), "in the log")
    place = tmp_path / "place"
    shutil.copytree(directory, place)  # with the write-ahead log, as a killed process leaves it
    origin = (place / "alice.origin").rename(tmp_path / "alice.origin")
    assert (place / "alice.db-wal").stat().st_size > 0
    (place / "alice.db.1.lost").write_bytes(b"of an earlier time")
    for _ in range(2):
        found = open_registry(directory=place)
        assert not found.exists("alice")
        found.close()
    assert "alice.db has no .origin file and so is not a world: it is kept as alice.db.2.lost" in caplog.text
    assert (place / "alice.db.1.lost").read_bytes() == b"of an earlier time"
    assert not (place / "alice.db.3.lost").exists()
    for suffix in ("", "-wal"):
        (place / f"alice.db.2.lost{suffix}").rename(place / f"alice.db{suffix}")
    origin.rename(place / "alice.origin")
    assert marks(open_registry(directory=place), "alice") == marks(registry, "alice")


NO_NEWER_ORIGINS: dict[str, Callable[[Path, Path], object]] = {
    "somebody else's": lambda _, copy: copy.write_bytes(b"of somebody else"),
    "empty": lambda _, copy: copy.touch(),
    "cut": lambda origin, copy: copy.write_bytes(origin.read_bytes()[:-1]),
    "without its database": lambda origin, copy: copy.write_bytes(origin.read_bytes()),
}


@pytest.mark.parametrize("kind", NO_NEWER_ORIGINS)
def test_a_file_that_only_has_the_name_of_a_newer_origin_decides_nothing(
    kind: str, directory: Path, open_registry: OpenRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    copy = directory / "alice.2.origin"
    NO_NEWER_ORIGINS[kind](directory / "alice.origin", copy)
    content = copy.read_bytes()
    for _ in range(2):
        registry = open_registry(directory=directory)
        assert marks(registry, "alice") == ["later", "old"]
        registry.close()
        assert f"{copy} is passed over" in caplog.text
        assert copy.read_bytes() == content
    for kept in (["new"], ["new", "newer"], ["newest"]):
        registry = open_registry(directory=directory)
        registry.create_or_replace("alice", image_with(registry, kept[0]))
        for name in kept[1:]:
            mark(registry.open_or_create("alice"), name)
        registry.close()
        registry = open_registry(directory=directory)
        assert marks(registry, "alice") == kept
        registry.close()


@pytest.mark.parametrize("kind", ["file", "link", "directory"])
def test_a_lock_of_somebody_else_is_not_emptied(tmp_path: Path, kind: str) -> None:
    lock, target = tmp_path / "data" / "lock", tmp_path / "notes"
    lock.parent.mkdir()
    target.write_bytes(b"of somebody else")
    if kind == "file":
        target = target.rename(lock)
    elif kind == "link":
        lock.symlink_to(target)
    else:
        lock.mkdir()
        target = target.rename(lock / "notes")
    with pytest.raises(WorldFileError, match="lock cannot be used: it is not a file of foas-emulator; move it away"):
        WorldFiles(lock.parent)
    assert target.read_bytes() == b"of somebody else"


def test_a_directory_of_the_first_version_is_read_as_it_is(directory: Path, open_registry: OpenRegistry) -> None:
    """Its files do not say whose they are."""
    for path in (directory / "alice.db", directory / "alice.origin"):
        with sqlite3.connect(path) as opened:
            opened.execute("PRAGMA application_id = 0")
        opened.close()
    registry = open_registry(directory=directory)
    assert marks(registry, "alice") == ["later", "old"]
    registry.create_or_replace("alice")
    assert {path.name for path in directory.glob("*.origin")} == {"alice.1.origin"}
    assert not (directory / "alice.db").exists()


def test_a_full_disk_is_said_and_changes_nothing(directory: Path, open_registry: OpenRegistry) -> None:
    registry = open_registry(directory=directory)
    alice = registry.open_existing("alice")
    before = sorted(directory.iterdir())
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(os, "fsync", failing(OSError(errno.ENOSPC, "No space left on device")))
        for name in ("alice", "bob"):
            with pytest.raises(WorldFileError, match="No space left on device; make room on the disk"):
                registry.create_or_replace(name)
    assert sorted(directory.iterdir()) == before
    assert registry.names() == ["alice"]
    assert registry.open_existing("alice") is alice
    assert marks(registry, "alice") == ["later", "old"]
    registry.create_or_replace("alice")
    assert marks(registry, "alice") == []


def test_a_commit_that_finds_no_room_is_said_with_the_file_and_undone(
    directory: Path, open_registry: OpenRegistry
) -> None:
    registry = open_registry(directory=directory)
    alice = registry.open_or_create("alice")
    pages = alice.store._raw.execute("PRAGMA page_count").fetchone()[0]
    alice.store._raw.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(WorldFileError, match=r"alice\.db cannot be used: database or disk is full; make room"):
        mark(alice, "x" * 5000)
    assert marks(registry, "alice") == ["later", "old"]
    alice.store._raw.execute(f"PRAGMA max_page_count = {pages + 100}")
    mark(alice, "x" * 5000)


def test_a_world_that_cannot_be_read_once_it_is_restored_is_opened_anew(
    directory: Path, open_registry: OpenRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = open_registry(directory=directory)
    alice = registry.open_or_create("alice")
    with alice.transaction():
        alice.clock.set(mode="frozen", now=1000)
    image = alice.store.image()
    with alice.transaction():
        alice.clock.set(mode="frozen", now=2000)

    monkeypatch.setattr(pending, "next_at", failing(sqlite3.OperationalError("disk I/O error")))
    with pytest.raises(sqlite3.OperationalError):
        registry.exchange(alice, alice.load, image, NOTHING_STAGED)
    monkeypatch.undo()
    assert registry.open_or_create("alice").clock.peek() == 1000


def test_the_world_used_least_recently_is_closed_before_files_run_out(
    open_registry: OpenRegistry, tmp_path: Path
) -> None:
    registry = open_registry(directory=tmp_path, max_files=2, max_worlds=3)
    for name in ("alice", "bob", "carol"):
        mark(registry.open_or_create(name), f"of {name}")
    assert [registry.peek(name) is None for name in ("alice", "bob", "carol")] == [True, False, False]
    assert [marks(registry, name) for name in ("alice", "bob", "carol")] == [["of alice"], ["of bob"], ["of carol"]]


def test_request_ids_go_on_when_a_closed_world_is_opened_again(open_registry: OpenRegistry, tmp_path: Path) -> None:
    registry = open_registry(directory=tmp_path, max_files=1)
    first = registry.open_or_create("alice").next_request_id()
    registry.open_or_create("bob")
    assert registry.peek("alice") is None
    assert registry.open_or_create("alice").next_request_id() != first


def test_request_ids_go_on_though_a_world_could_not_be_dropped_or_replaced(
    open_registry: OpenRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = open_registry(directory=tmp_path)

    fail = failing(OSError(errno.EROFS, "Read-only file system"))
    given = {registry.open_or_create("alice").next_request_id()}
    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", fail)
        with pytest.raises(WorldFileError, match="Read-only file system"):
            registry.drop("alice")
    given.add(registry.open_or_create("alice").next_request_id())
    with monkeypatch.context() as broken:
        broken.setattr(store, "use_file", fail)
        with pytest.raises(WorldFileError, match="Read-only file system"):
            registry.create_or_replace("alice")
    given.add(registry.open_or_create("alice").next_request_id())
    assert len(given) == 3


def test_a_world_in_use_is_neither_closed_nor_dropped(open_registry: OpenRegistry, tmp_path: Path) -> None:
    for directory, limit in ((tmp_path, {"max_files": 1}), (None, {})):
        registry = open_registry(directory=directory, idle=1, **limit)
        alice = registry.open_or_create("alice")
        with alice.in_use():
            alice.last_used = 0
            registry._expiry._first = 0
            registry.expire()
            assert registry.holds(alice)
            if directory is not None:
                with pytest.raises(WorldLimitError, match="ulimit -n"):
                    registry.open_or_create("bob")
        registry.expire()
        assert registry.holds(alice), "it was used just now"
        alice.last_used = 0
        registry._expiry._first = 0
        registry.expire()
        assert not registry.holds(alice)


def test_worlds_that_are_being_settled_are_not_closed(open_registry: OpenRegistry, tmp_path: Path) -> None:
    registry = open_registry(directory=tmp_path, max_files=1)

    async def need_room() -> None:
        async with registry.open_or_create("alice").settling:
            with pytest.raises(WorldLimitError, match="ulimit -n"):
                registry.open_or_create("bob")

    asyncio.run(need_room())
    assert registry.names() == ["alice"]


def test_a_file_in_its_place_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    sync = os.fsync

    def note(handle: int) -> None:
        synced.append("directory" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")  # noqa: PTH112
        sync(handle)

    monkeypatch.setattr(os, "fsync", note)
    write_file(tmp_path / "a.db", b"content")
    if Path("/proc/self/fd").exists():
        assert synced == ["file", "directory"]
    assert (tmp_path / "a.db").read_bytes() == b"content"


def test_an_open_world_has_no_file_whose_contents_are_mapped(directory: Path, open_registry: OpenRegistry) -> None:
    registry = open_registry(directory=directory)  # its database has been in use already, that of `bob` has not
    for name in ("alice", "bob"):
        mark(registry.open_or_create(name), "last")
        assert {path.name for path in directory.glob(f"{name}.*")} == {
            f"{name}.{kind}" for kind in ("db", "db-wal", "origin")
        }


def test_a_file_too_large_to_be_checked_at_once_is_opened(
    directory: Path, open_registry: OpenRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soundness, "LARGEST_CHECKED", 0)
    assert marks(open_registry(directory=directory), "alice") == ["later", "old"]


def test_a_directory_that_cannot_be_read_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Path, "iterdir", failing(PermissionError(errno.EACCES, "Permission denied")))
        with pytest.raises(PermissionError):
            WorldFiles(tmp_path)
    WorldFiles(tmp_path).close()
