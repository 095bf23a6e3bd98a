"""Temporary directories and signals, whose handlers may raise at any line."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from foas_emulator.serving import server
from foas_emulator.settings import Settings
from foas_emulator.temporary import temporary_directory

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself these signals there")


class Ended(BaseException):
    """What the handler raises."""


@pytest.fixture
def handled() -> Iterator[None]:
    def end(*_: object) -> None:
        raise Ended

    before = signal.signal(signal.SIGTERM, end)
    yield
    assert signal.signal(signal.SIGTERM, before) is end, "the handler is in place again"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", None)  # so that it is looked for, by writing a file
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def interrupting(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> None:
    """Have a function raise SIGTERM when it is done."""
    original = getattr(module, name)

    def interrupted(*arguments: object, **named: object) -> object:
        result = original(*arguments, **named)
        signal.raise_signal(signal.SIGTERM)
        return result

    monkeypatch.setattr(module, name, interrupted)


@pytest.mark.usefixtures("handled")
@pytest.mark.parametrize("name", ["open", "mkdir"])
def test_a_signal_while_it_is_made_leaves_nothing_behind(
    name: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupting(monkeypatch, os, name)
    with pytest.raises(Ended), temporary_directory():
        pytest.fail("the block is not entered")
    assert list(place.iterdir()) == []


@pytest.mark.usefixtures("place")
def test_where_no_place_can_be_written_it_says_what_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere"])
    with (
        pytest.raises(OSError, match=r"No usable temporary directory .*: TMPDIR may name another"),
        temporary_directory(),
    ):
        pytest.fail("the block is not entered")


def _raise_signal(file: Path) -> None:
    file.touch()
    signal.raise_signal(signal.SIGTERM)


@pytest.mark.usefixtures("handled")
def test_a_signal_while_it_is_used_leaves_nothing_behind(place: Path) -> None:
    with pytest.raises(Ended), temporary_directory() as directory:
        _raise_signal(directory / "file")
    assert list(place.iterdir()) == []


@pytest.mark.usefixtures("handled")
def test_a_signal_while_it_is_removed_leaves_nothing_behind(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupting(monkeypatch, os, "rmdir")
    with pytest.raises(Ended), temporary_directory() as directory:
        (directory / "directory").mkdir()
    assert list(place.iterdir()) == []


@pytest.mark.usefixtures("handled")
def test_it_is_made_in_any_thread(place: Path) -> None:
    found: list[bool] = []

    def make() -> None:
        with temporary_directory() as directory:
            found.append(directory.parent == place)
            shutil.rmtree(directory)  # which is no error afterwards

    thread = Thread(target=make)
    thread.start()
    thread.join()
    assert (found, list(place.iterdir())) == ([True], [])


def test_what_the_system_refuses_while_it_is_removed_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.close

    def refuse(handle: int) -> None:
        real(handle)
        raise OSError(errno.EIO, "Input/output error")

    with temporary_directory() as directory:
        monkeypatch.setattr(os, "close", refuse)
    monkeypatch.undo()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: nullcontext(server._certificate(Settings(tls=True))),
        lambda: server.prepare_interception(Settings(intercept=0), host="127.0.0.1"),
    ],
)
def test_a_full_disk_under_temporary_files_is_reported_as_theirs(
    make: Callable[[], AbstractContextManager[Any]], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", find_no_room)
    with pytest.raises(OSError, match="No space left") as raised, make():
        pass
    assert raised.value.filename == str(place)
    assert not list(place.iterdir())


@pytest.mark.parametrize("end", ["sys.exit()", "os._exit(0)"])
def test_a_fork_that_ends_leaves_it_to_the_process_that_made_it(end: str, place: Path) -> None:
    program = f"""if True:
        import os, sys
        from foas_emulator.temporary import temporary_directory
        with temporary_directory() as made:
            child = os.fork()
            if child == 0:
                {end}
            os.waitpid(child, 0)
            assert made.is_dir()
    """
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert list(place.iterdir()) == []
