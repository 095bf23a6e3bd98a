"""The pairs of files of a data directory, without the worlds in them."""

import errno
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from foas_emulator.world import soundness
from foas_emulator.world.file_errors import WorldFileError
from foas_emulator.world.files import WorldFiles
from foas_emulator.world.soundness import APPLICATION_ID, damage_of, require_sound
from foas_emulator.world.staging import StagedImage


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[WorldFiles]:
    opened = WorldFiles(tmp_path / "some" / "where")
    yield opened
    opened.close()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "some" / "where"


@pytest.fixture
def other(template: bytes) -> bytes:
    """An image that differs from the template."""
    with sqlite3.connect(":memory:") as opened:
        opened.deserialize(template)
        opened.execute("INSERT INTO counters (name, value) VALUES ('other', 1)")
        opened.commit()
        image = opened.serialize()
    opened.close()
    return image


def names(place: Path) -> set[str]:
    return {path.name for path in place.iterdir()} - {"lock"}


def test_the_size_of_an_origin_is_0_where_there_is_none(kept: WorldFiles, place: Path, template: bytes) -> None:
    kept.put("alice", template)
    assert kept.origin_size("alice") == len(template)
    assert kept.origin_size("nobody") == 0
    (place / "alice.origin").unlink()
    assert kept.origin_size("alice") == 0
    with pytest.raises(WorldFileError, match=r"alice\.origin cannot be used"):
        kept.origin_stamp("alice")


def test_an_origin_of_another_size_is_not_even_read(
    kept: WorldFiles, place: Path, template: bytes, other: bytes
) -> None:
    kept.put("alice", template)
    assert kept.begins_from("alice", template)
    same_size = template[:-1] + bytes([template[-1] ^ 1])
    assert not kept.begins_from("alice", same_size)
    (place / "alice.origin").write_bytes(b"x" * len(template))
    with pytest.raises(WorldFileError):
        kept.begins_from("alice", template)
    assert not kept.begins_from("alice", other + b"longer")


def test_a_stamp_tells_one_origin_from_the_next(kept: WorldFiles, template: bytes, other: bytes) -> None:
    kept.put("alice", template)
    kept.put("bob", template)
    before = kept.origin_stamp("alice")
    assert before[0] == len(template)
    assert kept.origin_stamp("alice") == before
    kept.replace("bob", other)
    assert kept.origin_stamp("alice") == before
    kept.replace("alice", other)
    assert kept.origin_stamp("alice") != before


def test_replacing_leaves_one_pair(kept: WorldFiles, place: Path, template: bytes, other: bytes) -> None:
    kept.put("alice", template)
    kept.put("bob", template)
    kept.replace("alice", other)
    assert names(place) == {"alice.1.db", "alice.1.origin", "bob.db", "bob.origin"}
    assert (place / "alice.1.db").read_bytes() == kept.origin("alice") == other
    assert kept.origin("bob") == template
    assert kept.database("alice") == place / "alice.1.db"
    kept.replace("alice", template)
    assert names(place) == {"alice.2.db", "alice.2.origin", "bob.db", "bob.origin"}


def test_what_is_staged_becomes_the_database_of_a_reset(kept: WorldFiles, place: Path, template: bytes) -> None:
    kept.put("alice", template)
    (staged,) = kept.stage(template)
    (place / "alice.db").write_bytes(b"damaged")
    kept.reset("alice", staged)
    assert not staged.exists()
    assert kept.database("alice").read_bytes() == template
    assert kept.origin("alice") == template
    assert (place / "alice.db").read_bytes() == b"damaged", "what may be somebody else's stays"


def test_what_can_be_neither_used_nor_removed_is_reported_as_what_cannot_be_used(
    kept: WorldFiles, place: Path, template: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.put("alice", template)
    (staged,) = kept.stage(template)
    rename = Path.rename

    def refuse_origins(file: Path, target: Path) -> Path:
        return rename(file, target) if file == staged else refuse(file)

    def refuse(file: Path, **_: bool) -> Path:
        raise PermissionError(errno.EACCES, "another program has it open", file)

    with monkeypatch.context() as locked:
        locked.setattr(Path, "rename", refuse_origins)
        locked.setattr(Path, "unlink", refuse)
        with pytest.raises(WorldFileError, match=r"alice\.origin cannot be used: another program has it open"):
            kept.exchange("alice", staged)
        StagedImage(files=[*kept.stage(template)]).discard()
    assert kept.database("alice") == place / "alice.db"
    kept.close()
    assert [path for path in place.iterdir() if path.name.startswith("+")] == []


@pytest.fixture(params=["at once", "after a start"])
def replaced(
    request: pytest.FixtureRequest, kept: WorldFiles, place: Path, template: bytes, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WorldFiles]:
    """The files of a world that was replaced, and whose first origin cannot be removed."""
    kept.put("alice", template)
    unlink = Path.unlink

    def refuse(file: Path, **options: bool) -> None:
        if file == place / "alice.origin":
            raise PermissionError(errno.EACCES, "another program has it open")
        unlink(file, **options)

    monkeypatch.setattr(Path, "unlink", refuse)
    kept.replace("alice", template)
    if request.param == "after a start":
        kept.close()
        kept = WorldFiles(place)
    yield kept
    kept.close()


@pytest.mark.parametrize(("change", "left"), [(WorldFiles.remove, set()), (WorldFiles.reset, {"alice.2.origin"})])
def test_a_world_that_was_replaced_does_not_come_back_at_the_next_start(
    change: Callable[[WorldFiles, str], None],
    left: set[str],
    replaced: WorldFiles,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = names(place)
    with pytest.raises(WorldFileError, match=r"alice\.origin cannot be used: another program has it open"):
        change(replaced, "alice")
    assert names(place) == before
    monkeypatch.undo()
    change(replaced, "alice")
    assert names(place) == left


def test_a_generation_of_which_any_file_is_there_is_passed_over(kept: WorldFiles, place: Path, template: bytes) -> None:
    kept.put("alice", template)
    for name in ("alice.1.origin", "alice.2.db", "alice.3.db-wal", "alice.4.db-shm", "alice.5.db-journal"):
        (place / name).write_bytes(b"of somebody else")
    kept.replace("alice", template)
    assert kept.generation("alice") == 6
    assert kept.database("alice") == place / "alice.6.db"


def test_a_world_whose_origin_is_gone_can_be_removed(kept: WorldFiles, place: Path, template: bytes) -> None:
    kept.put("alice", template)
    (place / "alice.origin").unlink()
    for beside in ("alice.db-wal", "alice.db-shm", "alice.db-journal"):
        (place / beside).write_bytes(b"")
    kept.remove("alice")
    assert "alice" not in kept.names()
    assert names(place) == set()


def test_only_files_of_another_generation_are_cleaned(kept: WorldFiles, place: Path, template: bytes) -> None:
    kept.put("alice", template)
    for generation in (None, 0):
        kept.clean("alice", generation)
        assert names(place) == {"alice.db", "alice.origin"}
    kept.put("alice", template)
    kept.clean("alice", 0)
    assert names(place) == {"alice.1.db", "alice.1.origin"}


def test_a_world_whose_origin_cannot_be_removed_is_still_there(kept: WorldFiles, place: Path, template: bytes) -> None:
    kept.put("alice", template)
    (place / "alice.origin").unlink()
    (place / "alice.origin").mkdir()
    with pytest.raises(WorldFileError, match=r"alice\.origin cannot be used"):
        kept.remove("alice")
    assert "alice" in kept.names()
    assert (place / "alice.db").read_bytes() == template


@pytest.mark.parametrize("order", [sorted, lambda paths: sorted(paths, reverse=True)])
@pytest.mark.parametrize("is_killed", [True, False])
def test_a_database_that_a_drop_left_when_it_was_killed_goes_and_one_that_is_lone_otherwise_stays_aside(
    order: Callable[[Iterator[Path]], list[Path]],
    tmp_path: Path,
    template: bytes,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_killed: bool,
) -> None:
    used = template[:18] + b"\x02\x02" + template[20:]  # in write-ahead mode, as a world puts it
    (tmp_path / "alice.2.db").write_bytes(used)
    if is_killed:
        (tmp_path / "alice.2.new").write_bytes(template)
    listed = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda path: iter(order(listed(path))))
    WorldFiles(tmp_path).close()
    assert names(tmp_path) == (set() if is_killed else {"alice.2.db.1.lost"})


def test_a_drop_leaves_a_file_of_somebody_else_under_the_name_of_its_mark(
    kept: WorldFiles, place: Path, template: bytes
) -> None:
    kept.put("alice", template)
    (place / "alice.new").write_bytes(b"of somebody else")
    kept.remove("alice")
    assert names(place) == {"alice.new"}
    assert (place / "alice.new").read_bytes() == b"of somebody else"


def test_a_database_that_another_program_has_open_goes_at_the_next_start(
    kept: WorldFiles, place: Path, template: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where it cannot be removed meanwhile."""
    kept.put("alice", template)
    used = template[:18] + b"\x02\x02" + template[20:]
    (place / "alice.db").write_bytes(used)
    unlink = Path.unlink

    def refuse_databases(path: Path, *, missing_ok: bool = False) -> None:
        if path.suffix == ".db":
            raise PermissionError(errno.EACCES, "it is being used by another process")
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as reading:
        reading.setattr(Path, "unlink", refuse_databases)
        kept.remove("alice")
        assert (place / "alice.db").read_bytes() == used
    kept.close()
    WorldFiles(place).close()
    assert names(place) == set()


def test_the_step_of_a_drop_that_counts_leaves_what_the_next_start_needs(
    kept: WorldFiles, place: Path, template: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    kept.put("alice", template)
    monkeypatch.setattr(kept, "_remove_database", interrupt)
    with pytest.raises(KeyboardInterrupt):
        kept.remove("alice")
    assert names(place) == {"alice.db", "alice.new"}


@pytest.mark.parametrize("order", [sorted, lambda paths: sorted(paths, reverse=True)])
def test_the_highest_generation_is_found_and_all_others_go(
    order: Callable[[Iterator[Path]], list[Path]], tmp_path: Path, template: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stem in ("alice", "alice.2", "alice.10", "bob.3"):
        for kind in ("db", "origin"):
            (tmp_path / f"{stem}.{kind}").write_bytes(template)
    for name in ("alice.new", "alice.10.new", "+3.new", "carol.db"):
        (tmp_path / name).write_bytes(template)
    listed = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda path: iter(order(listed(path))))
    found = WorldFiles(tmp_path)
    assert (found.generation("alice"), found.generation("bob"), sorted(found.names())) == (10, 3, ["alice", "bob"])
    found.close()
    assert names(tmp_path) == {"alice.10.db", "alice.10.origin", "bob.3.db", "bob.3.origin"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_files_are_for_their_owner_alone(kept: WorldFiles, place: Path, template: bytes) -> None:
    kept.put("alice", template)
    before = os.umask(0)
    try:
        kept.replace("alice", template)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in place.iterdir() if path.name != "lock"} == {0o600}


def of_somebody_else(**pragmas: int) -> bytes:
    """A database of another program, with these pragmas."""
    with sqlite3.connect(":memory:") as opened:
        for name, value in pragmas.items():
            opened.execute(f"PRAGMA {name} = {value}")
        opened.execute("CREATE TABLE notes (text)")
        opened.commit()
        image = opened.serialize()
    opened.close()
    return image


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (b"", "it is empty"),
        (b"my notes", "it is not a file of foas-emulator"),
        (of_somebody_else(), "it is not a file of foas-emulator"),
        (of_somebody_else(page_size=512), "it is not a file of foas-emulator"),
        (of_somebody_else(page_size=1024, user_version=1), "it is not a file of foas-emulator"),
        (of_somebody_else(page_size=512, user_version=1, application_id=7), "it is not a file of foas-emulator"),
        (of_somebody_else(page_size=512, user_version=1), None),
        (of_somebody_else(page_size=512, application_id=APPLICATION_ID), None),
    ],
)
def test_a_file_is_ours_by_its_header(image: bytes, reason: str | None) -> None:
    assert damage_of(image) == reason


def test_a_file_that_was_cut_anywhere_is_damaged(template: bytes) -> None:
    assert damage_of(template) is None
    for length in (len(template) - 1, len(template) // 2, 100):
        assert damage_of(template[:length]) == "it is incomplete"


def test_a_damaged_page_is_found_however_large_the_image_is(template: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundness, "LARGEST_CHECKED", 0)
    damaged = template[:-512] + b"\xff" * 512
    found = damage_of(damaged)
    assert found is not None
    assert found.startswith("it is damaged (")
    assert "\n" not in found


def test_only_what_comes_from_a_file_is_checked(template: bytes) -> None:
    assert require_sound(b"anything", None) == b"anything"
    assert require_sound(template, Path("alice.db")) == template
    with pytest.raises(WorldFileError, match=r"^alice\.db cannot be used: it is not a file of foas-emulator; PUT"):
        require_sound(b"anything", Path("alice.db"))
