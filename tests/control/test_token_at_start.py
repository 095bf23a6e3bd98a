"""The token that a server makes for itself when it does not listen on this machine alone."""

import subprocess
import sys

import pytest

from foas_emulator.testing import EmulatorError, Server

OTHER_ADDRESS = "127.0.0.2"
"""Treated as any address that is not a usual loopback one, and reachable from nowhere else."""

SERVE = (sys.executable, "-m", "foas_emulator", "serve", "--port", "0", "--seed", "empty")


def printed_until(process: subprocess.Popen[str], beginning: str) -> str:
    """The first line that begins so, without its beginning."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(beginning):
            return line.removeprefix(beginning).rstrip()
    raise AssertionError(f"no line begins with {beginning}")


def test_a_token_is_made_and_printed_off_loopback() -> None:
    with subprocess.Popen([*SERVE, "--host", OTHER_ADDRESS], stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            url = printed_until(process, "listening on ")
            token = printed_until(process, "control token: ")
            assert len(token) >= 24
            assert Server(url, control_token=token).worlds() == ["default"]
            for wrong in (None, f"{token}x"):
                with pytest.raises(EmulatorError, match="requires its token"):
                    Server(url, control_token=wrong).worlds()
        finally:
            process.terminate()


@pytest.mark.parametrize("options", [[], ["--host", OTHER_ADDRESS, "--control-token", "given"]])
def test_none_is_printed_where_none_is_made(options: list[str]) -> None:
    with subprocess.Popen([*SERVE, *options], stdout=subprocess.PIPE, encoding="utf-8") as process:
        printed_until(process, "docs: ")
        process.terminate()
        assert process.communicate(timeout=60)[0] == ""
