"""Files that commands write: the previous one survives a full disk, and special files keep working."""

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from foas_emulator.writing import write_file

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes, links and pipes are those of POSIX")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_disk_that_refuses_the_last_step_leaves_the_older_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "world.json"
    file.write_bytes(b"older")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "replace", refuse)
        with pytest.raises(OSError, match="No space left"):
            write_file(file, b"newer")
    assert file.read_bytes() == b"older"
    assert names(tmp_path) == ["world.json"]


@pytest.mark.parametrize("fails", ["write", "flush"])
def test_a_full_disk_leaves_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    file = tmp_path / "world.json"
    file.write_bytes(b"older")

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        if fails == "flush":
            full.setattr(os, "fsync", refuse)
            content = b"newer"
        else:
            resource = pytest.importorskip("resource")
            limits = resource.getrlimit(resource.RLIMIT_FSIZE)
            content = b"x" * 100_000
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
        try:
            with pytest.raises(OSError, match=r"No space left|too large") as told:
                write_file(file, content)
        finally:
            if fails == "write":
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert told.value.filename == str(file)
    assert file.read_bytes() == b"older"
    assert names(tmp_path) == ["world.json"]
    write_file(file, b"newer")
    assert file.read_bytes() == b"newer"
    assert names(tmp_path) == ["world.json"]


def test_a_file_keeps_its_mode_and_a_new_one_gets_that_of_any_other(tmp_path: Path) -> None:
    old, new, other = tmp_path / "old", tmp_path / "new", tmp_path / "other"
    old.write_bytes(b"")
    other.write_bytes(b"")
    old.chmod(0o640)
    for file in (old, new):
        write_file(file, b"x")
        assert file.read_bytes() == b"x"
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert new.stat().st_mode == other.stat().st_mode


def test_a_link_stays_a_link_and_another_name_goes_on_naming_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for target in ("there", "not there"):
        link = tmp_path / f"link to {target}"
        link.symlink_to(Path("elsewhere") / target)
        if target == "there":
            (tmp_path / "elsewhere" / target).write_bytes(b"older and longer")
        write_file(link, b"x")
        assert link.is_symlink()
        assert (tmp_path / "elsewhere" / target).read_bytes() == b"x"
    (tmp_path / "hard").hardlink_to(tmp_path / "elsewhere" / "there")
    write_file(tmp_path / "hard", b"y")
    assert (tmp_path / "elsewhere" / "there").read_bytes() == b"y"
    assert names(tmp_path / "elsewhere") == ["not there", "there"]


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    if sys.platform == "win32":
        return
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_file(pipe, b"x")
    reader.join(60)
    assert read == [b"x"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("name", ["/dev/stdout", "its own name", "a link"])
def test_standard_output_is_written_into_even_if_it_is_a_file(tmp_path: Path, name: str) -> None:
    output = tmp_path / "output"
    (tmp_path / "link").symlink_to("/dev/stdout")
    given = {"its own name": str(output), "a link": str(tmp_path / "link")}.get(name, name)
    code = (
        "import sys; from pathlib import Path; from foas_emulator.writing import write_file;"
        "write_file(Path(sys.argv[1]), b'x'); print('told')"
    )
    with output.open("ab") as stream:
        subprocess.run([sys.executable, "-c", code, given], check=True, stdout=stream)
    assert output.read_bytes() == b"xtold\n"
    done = subprocess.run([sys.executable, "-c", code, "/dev/stdout"], check=True, stdout=subprocess.PIPE)
    assert done.stdout == b"xtold\n"


def test_an_error_names_the_file_that_was_meant(tmp_path: Path) -> None:
    for file in (tmp_path / "absent" / "world.json", tmp_path):
        with pytest.raises(OSError, match=r".") as told:
            write_file(file, b"x")
        assert told.value.filename == str(file)
    assert names(tmp_path) == []


def test_nobody_reads_the_newer_content_who_may_not_read_the_older(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, seen = tmp_path / "world.json", []
    file.write_bytes(b"older")
    file.chmod(0o600)
    flush = os.fsync

    def look(descriptor: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    write_file(file, b"newer")
    assert seen == [0o600]
    assert file.read_bytes() == b"newer"
