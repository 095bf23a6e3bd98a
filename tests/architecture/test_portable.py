"""Code names what differs between systems: encodings, and modules that not every system has."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [file for name in ("app", "tests", "scripts", "benchmarks") for file in (ROOT / name).rglob("*.py")]
RULES = "PLW1514"
"""A file that is opened as text without an encoding has that of the system, which on Windows is not UTF-8."""


def ruff(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ruff", "check", "--preview", "--select", RULES, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)


def test_every_text_file_has_an_encoding(tmp_path: Path) -> None:
    found = ruff("--output-format", "concise", ".")
    assert found.returncode == 0, found.stdout
    (tmp_path / "wrong.py").write_text("from pathlib import Path\n\nPath('a').read_text()\n", "utf-8")
    assert ruff("--isolated", str(tmp_path)).returncode == 1


def test_every_process_that_is_read_as_text_has_an_encoding() -> None:
    mode = re.compile(r"\b(text|universal_newlines)=" + "True")
    assert SOURCES
    assert not [str(file) for file in SOURCES if mode.search(file.read_text("utf-8"))]


def test_no_file_is_written_by_a_descriptor_that_was_opened_without_the_flags_of_open() -> None:
    """On Windows `os.open` alone makes a text file, in which each line feed of what is written becomes two bytes."""
    wrong = re.compile(r"\bfdopen\(|os\.open\([^)]*O_(?:RDWR|CREAT)")
    written = [file for file in SOURCES if "app" in file.relative_to(ROOT).parts]
    assert written
    assert not [str(file) for file in written if wrong.search(file.read_text("utf-8"))]
