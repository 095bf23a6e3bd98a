"""Seeds of a directory, and seeds that are read again when they change."""

import asyncio
import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from foas_emulator import worlds
from foas_emulator.control import staging
from foas_emulator.control.off_loop import LARGE
from foas_emulator.seeds import watching
from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.reading import seed_files
from foas_emulator.settings import Settings
from foas_emulator.testing import Emulator, in_thread
from foas_emulator.world.file_errors import WorldFileError
from foas_emulator.world.registry import Registry
from foas_emulator.world.staging import StagedImage
from foas_emulator.worlds import open_registry, watch_seeds

OpenWatched = Callable[..., tuple[Settings, Registry]]


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_EVERY", 0.01)


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """A seed with the project `first`."""
    file = tmp_path / "a.yaml"
    write(file, "first")
    return file


@pytest.fixture
def open_watched() -> Iterator[OpenWatched]:
    """Open the worlds of a seed; they are closed at the end of the test."""
    with ExitStack() as opened:

        def open_(source: Path, **options: Any) -> tuple[Settings, Registry]:
            settings = Settings(seed=(str(source),), **options)
            registry = open_registry(settings)
            opened.callback(registry.close)
            return settings, registry

        yield open_


def write(file: Path, name: str) -> None:
    file.write_text(f"projects: [{{Name: {name}}}]", "utf-8")


def projects(registry: Registry, world: str) -> set[str]:
    store = registry.open_or_create(world).store
    return {str(row[0]) for row in store._raw.execute("select name from projects")}


def test_a_directory_means_its_documents_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("20.yaml", "10.json", "30.YML", "notes.txt"):
        (tmp_path / name).write_text("{}", "utf-8")
    (tmp_path / "sub.yaml").mkdir()
    assert [Path(file).name for file in seed_files(str(tmp_path))] == ["10.json", "20.yaml", "30.YML"]
    assert seed_files("default") == ["default"]


def test_a_directory_without_a_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match="no document whose name ends in"):
        seed_files(str(tmp_path))


def watch(settings: Settings, registry: Registry, change: Callable[[], None], until: Callable[[], bool]) -> None:
    async def body() -> None:
        async with watch_seeds(settings, registry, since=watching.marks(settings.seed)):
            change()
            async with asyncio.timeout(60):
                while not until():  # noqa: ASYNC110 - what is waited for tells nobody
                    await asyncio.sleep(0.01)

    asyncio.run(body())


@pytest.mark.parametrize("in_files", [False, True])
def test_worlds_that_began_with_a_seed_begin_anew_when_it_changes(
    *, in_files: bool, open_watched: OpenWatched, tmp_path: Path
) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    write(seeds / "a.yaml", "first")
    settings, registry = open_watched(seeds, data_dir=tmp_path / "data" if in_files else None)
    registry.open_or_create("mine")
    registry.create_or_replace("other", registry.connections.empty_image)
    watch(
        settings,
        registry,
        lambda: write(seeds / "b.yaml", "second"),
        lambda: "second" in projects(registry, "mine"),
    )
    assert projects(registry, "default") == {"first", "second"}
    assert projects(registry, "other") == set()
    assert projects(registry, "new") == {"first", "second"}
    registry.reset("mine")
    assert projects(registry, "mine") == {"first", "second"}


@pytest.mark.parametrize("in_files", [False, True])
def test_a_large_seed_that_changes_is_written_beside_the_loop(
    *, in_files: bool, seed: Path, open_watched: OpenWatched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "LARGE", 1000)
    settings, registry = open_watched(seed, data_dir=tmp_path / "data" if in_files else None)
    made = ["closed", "default", "open"] if in_files else ["default", "open"]
    for name in made:
        registry.open_or_create(name)
    if in_files:
        registry._shut("closed")
    stage, staged = registry.stage, []

    def stage_and_tell(image: bytes, **options: Any) -> StagedImage:
        assert threading.current_thread() is not threading.main_thread()
        staged.append(stage(image, **options))
        return staged[-1]

    monkeypatch.setattr(registry, "stage", stage_and_tell)
    watch(settings, registry, lambda: write(seed, "second"), lambda: projects(registry, "open") == {"second"})
    assert len(staged) == len(made)
    assert not any(file.exists() for each in staged for file in each.files)
    for name in made:
        assert projects(registry, name) == {"second"}
        registry.reset(name)
        assert projects(registry, name) == {"second"}


def test_a_world_stays_if_what_is_staged_for_it_cannot_be_written(
    seed: Path, open_watched: OpenWatched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(staging, "LARGE", 1000)
    settings, registry = open_watched(seed)

    def find_no_room(*_: Any, **__: Any) -> StagedImage:
        raise WorldFileError(seed, "No space left on device")

    monkeypatch.setattr(registry, "stage", find_no_room)
    watch(settings, registry, lambda: write(seed, "second"), lambda: "world default does not start over" in caplog.text)
    assert projects(registry, "default") == {"first"}


def test_a_seed_with_a_fault_is_logged_and_changes_nothing(
    seed: Path, open_watched: OpenWatched, caplog: pytest.LogCaptureFixture
) -> None:
    settings, registry = open_watched(seed)
    watch(settings, registry, seed.unlink, lambda: "cannot be used" in caplog.text)
    assert projects(registry, "default") == {"first"}


def test_a_seed_that_changes_before_the_first_look_is_read_again(seed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_before_it_changes(settings: Settings) -> Registry:
        registry = open_registry(settings)
        write(seed, "second")
        return registry

    monkeypatch.setattr(in_thread, "open_registry", open_before_it_changes)
    deadline = time.monotonic() + 60
    with Emulator(seed=seed, watch=True) as emulator:
        found: list[str] = []
        while found != ["second"] and time.monotonic() < deadline:
            snapshot = emulator.control.request("GET", "/worlds/default/snapshot")
            found = [project["name"] for project in snapshot["tables"]["projects"]]
            time.sleep(0.01)
    assert found == ["second"]


def test_a_server_that_listens_watches_too() -> None:
    with pytest.raises(ValueError, match="watch: there is no file to watch"), Emulator(watch=True):
        pass


def test_a_mark_tells_a_change_of_the_same_length(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    write(file, "aaa")
    os.utime(file, (1, 1))
    before = watching.marks([str(file)])
    write(file, "bbb")
    assert watching.marks([str(file)]) != before


def test_there_must_be_something_to_watch(open_watched: OpenWatched) -> None:
    settings, registry = open_watched(Path("default"))
    with pytest.raises(ValueError, match="watch: there is no file to watch"):
        watch_seeds(settings, registry)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in its file system")
def test_a_seed_that_became_a_pipe_is_not_waited_for(
    seed: Path, open_watched: OpenWatched, caplog: pytest.LogCaptureFixture
) -> None:
    settings, registry = open_watched(seed)

    def become_a_pipe() -> None:
        seed.unlink()
        if sys.platform != "win32":
            os.mkfifo(seed)

    watch(settings, registry, become_a_pipe, lambda: "a seed has become a pipe" in caplog.text)
    assert projects(registry, "default") == {"first"}


def test_a_directory_that_cannot_be_listed_ends_no_watch(
    seed: Path, open_watched: OpenWatched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings, registry = open_watched(seed.parent)

    def refuse(_: Path) -> None:
        raise PermissionError("no")

    with monkeypatch.context() as patched:
        watch(
            settings,
            registry,
            lambda: patched.setattr(Path, "iterdir", refuse),
            lambda: "cannot be used" in caplog.text,
        )
    assert projects(registry, "default") == {"first"}


def test_files_that_cannot_be_looked_at_for_a_while_have_not_changed(
    seed: Path, open_watched: OpenWatched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings, registry = open_watched(seed)
    beginning = registry.open_or_create("default").beginning
    looks: list[Path] = []

    def refuse_a_few(file: Path) -> tuple[int, int] | None:
        looks.append(file)
        if len(looks) in range(5, 10):
            raise OSError(errno.EIO, "Input/output error", str(file))
        return mark(file)

    mark = watching._mark
    monkeypatch.setattr(watching, "_mark", refuse_a_few)
    watch(settings, registry, lambda: None, lambda: len(looks) > 20)
    assert caplog.text.count("cannot be used for now") == 1
    assert registry.open_or_create("default").beginning is beginning


def test_a_change_of_a_file_that_cannot_be_read_for_a_while_is_seen_afterwards(
    seed: Path, open_watched: OpenWatched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings, registry = open_watched(seed)
    refused: list[Path] = []
    open_ = Path.open

    def refuse_a_few(file: Path, *options: Any, **named: Any) -> Any:
        if file == seed and len(refused) < 3:
            refused.append(file)
            raise PermissionError(errno.EACCES, "Permission denied", str(file))
        return open_(file, *options, **named)

    def change() -> None:
        write(seed, "second")
        monkeypatch.setattr(Path, "open", refuse_a_few)

    watch(settings, registry, change, lambda: projects(registry, "default") == {"second"})
    assert len(refused) == 3
    assert caplog.text.count("cannot be used for now") == 1


def test_a_change_that_comes_while_the_system_allows_no_thread_is_seen_afterwards(
    seed: Path, open_watched: OpenWatched, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, registry = open_watched(seed)
    refused: list[int] = []

    async def refuse_twice(size: int, work: Callable[[], bytes]) -> bytes:
        if len(refused) < 2:
            refused.append(size)
            raise RuntimeError("can't start new thread")
        return work()

    monkeypatch.setattr(worlds, "off_loop", refuse_twice)
    watch(settings, registry, lambda: write(seed, "second"), lambda: projects(registry, "default") == {"second"})
    assert len(refused) == 2
    assert min(refused) > LARGE, "a seed may be large: what is small must not wait for it"
