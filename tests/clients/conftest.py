"""The emulator as its user starts it: a process, one for each signature mode that the tour wants."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

import pytest

from tests.clients.tour import SEED
from tests.process import environment


@pytest.fixture(scope="session")
def server() -> Iterator[Callable[[str], str]]:
    """Gives host:port of the emulator in a signature mode; it starts when it is first asked for."""
    with ExitStack() as running:

        @cache
        def endpoint(signature: str) -> str:
            return running.enter_context(emulator("--signature", signature, "--seed", "default", "--seed", str(SEED)))

        yield endpoint


@contextmanager
def emulator(*options: str) -> Iterator[str]:
    command = [sys.executable, "-m", "foas_emulator", "serve", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=environment()) as process:
        assert process.stdout is not None
        first_line = process.stdout.readline().rstrip()
        try:
            assert first_line.startswith("listening on http://")
            yield first_line.removeprefix("listening on http://")
        finally:
            process.terminate()
            process.communicate(timeout=60)
    if sys.platform != "win32":  # where it cannot be asked, and is ended at once
        assert process.returncode == 0
