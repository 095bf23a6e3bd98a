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


def test_powershell_reads_the_same_in_every_encoding_of_a_terminal() -> None:
    directory = r"' + [char]0x5f20 + [char]0x4e09 + '\x"
    assert powershell({"A": "C:\\张三\\x"}) == f"$env:A = 'C:\\{directory}'\n"
    assert powershell({"A": "O\u2019Brien"}) == "$env:A = 'O' + [char]0x2019 + 'Brien'\n"
    assert powershell({"A": "\U0001f600\n"}) == "$env:A = '' + [char]0xd83d + [char]0xde00 + [char]0x000a + ''\n"


@pytest.mark.parametrize("value", ["it's", "a\nb"])
def test_a_file_is_refused_what_it_cannot_hold(value: str) -> None:
    with pytest.raises(ValueError, match=r"^A holds a quote or a line end"):
        dotenv({"A": value})


def test_files_hold_the_values_as_they_are() -> None:
    assert dotenv({"A": "b c"}) == "A='b c'\n"
    assert json.loads(as_json(AWKWARD)) == AWKWARD
