"""Run a server for a program, and judge it by what must hold whatever the program did."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from foas_emulator.settings import Settings
from tests.endurance.figures import Figures
from tests.endurance.victim import Victim, serving

_TRACE = re.compile(r"^Traceback.*\n(?:[ \t].*\n|\n)*.*", re.MULTILINE)


@contextmanager
def judged(
    figures: Figures, settings: Settings, *, lines: bool = False, constants: Mapping[str, int] | None = None
) -> Iterator[Victim]:
    """Run a server for a block; require then that memory is within its budgets, that it stops, and left no traceback.

    `lines` and `constants` are as for `serving`.
    """
    with TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        with serving(settings, log=log, lines=lines, constants=constants) as victim:
            yield victim
            with victim.client() as client:
                budgets = client.get("/_emulator/info").json()["memory"]
            for name, budget in budgets.items():
                figures.require(f"{name} keeps {budget}", holds=budget["bytes"] <= budget["limit"])
            victim.stop()
        for trace in _TRACE.findall(log.read_text("utf-8", "replace")):
            figures.require(trace[-1500:], holds=False)
