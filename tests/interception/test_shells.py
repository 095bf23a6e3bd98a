"""Variables as shells and tools read them."""

import json
import subprocess
import sys

import pytest

from foas_emulator.interception.shells import as_json, dotenv, fish, powershell, sh

AWKWARD = {"ONE": 'it\'s $HOME \\ "quoted" `x`', "TWO": 'a b;c|d "/tmp/x y"', "THREE": "!%&<>^"}


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no such shell")
def test_a_posix_shell_reads_them_back() -> None:
    script = sh(AWKWARD) + "".join(f"printf '%s\\n' \"${name}\"\n" for name in AWKWARD)
    ran = subprocess.run(["/bin/sh", "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert ran.stdout.splitlines() == list(AWKWARD.values())


def test_fish_and_powershell_are_quoted_by_their_rules() -> None:
    assert fish({"A": "it's \\"}) == "set -gx A 'it\\'s \\\\'\n"
    assert powershell({"A": "it's $x"}) == "$env:A = 'it''s $x'\n"


def test_typographic_quotes_end_no_text_in_powershell() -> None:
    assert powershell({"A": "O\u2019Brien\u2018\u201b"}) == "$env:A = 'O\u2019\u2019Brien\u2018\u2018\u201b\u201b'\n"


@pytest.mark.parametrize("value", ["it's", "a\nb"])
def test_a_file_is_refused_what_it_cannot_hold(value: str) -> None:
    with pytest.raises(ValueError, match=r"^A holds a quote or a line end"):
        dotenv({"A": value})


def test_files_hold_the_values_as_they_are() -> None:
    assert dotenv({"A": "b c"}) == "A='b c'\n"
    assert json.loads(as_json(AWKWARD)) == AWKWARD
