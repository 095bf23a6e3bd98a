"""Coverage of the service by a test session: collect it from all servers, write it to a file, and check it."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from foas_emulator.testing.client import ControlClient
from foas_emulator.writing import write_file

__tracebackhide__ = True

_OUTPUT = "foas_coverage"
_BEGINNING = b'{\n  "all": '
"""How every file that `CoverageCollector` writes begins."""
_WORLD = re.compile(r"/worlds/([^/?]+)")
_ENDS_JOURNAL = frozenset({("DELETE", ""), ("PUT", ""), ("POST", "/reset"), ("DELETE", "/journal")})


class CoverageCollector:
    """A plugin that collects the reports of all servers and xdist workers of a session, and writes them as one.

    The session fails if it exercised less than `least` percent of the operations.
    """

    def __init__(self, file: Path | None, *, least: float) -> None:
        self._file = file
        self._least = least
        self._reports: list[Mapping[str, Any]] = []
        self._summary = ""

    def collect(self, report: Mapping[str, Any]) -> None:
        """Add the report of one server."""
        self._reports.append(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add the reports of an xdist worker that has ended."""
        self._reports += getattr(node, "workeroutput", {}).get(_OUTPUT, [])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Report what was exercised, after the servers have ended: those of an interrupted session end no earlier."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_OUTPUT] = self._reports
            return
        report = combine(self._reports)
        percent = percent_of(report["all"])
        self._summary = f"foas-emulator: {percent:.1f} % of the operations exercised"
        if percent < self._least:
            self._summary += f", {self._least:g} % wanted; missing: {', '.join(report['all']['operations_missing'])}"
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self._file is not None:
            try:
                write_file(self._file, f"{json.dumps(report, ensure_ascii=False, indent=2)}\n".encode())
            except OSError as error:
                self._summary += f"\n--foas-coverage: {self._file} cannot be written: {error.strerror}"
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        terminalreporter.write_line(self._summary)


def check_file(file: Path) -> None:
    """Raise `UsageError` for what the coverage must not replace, such as a test that was named after the option.

    The directory of the file is created, as that of a report in JUnit XML is.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(f"--foas-coverage: {file} cannot be written: {error.strerror}") from None
    with suppress(OSError):  # one that cannot be read is reported when it is written
        if file.is_dir():
            raise pytest.UsageError(f"--foas-coverage: {file} is a directory; name a file: --foas-coverage=FILE")
        if not file.is_file() or not file.stat().st_size:
            return
        with file.open("rb") as opened:
            if opened.read(len(_BEGINNING)) == _BEGINNING:
                return
        raise pytest.UsageError(
            f"--foas-coverage: {file} exists and holds something else; name another file: --foas-coverage=FILE"
        )


class CountingClient(ControlClient):
    """A client that records the worlds that are used through it, and collects their coverage before it is reset."""

    def __init__(self, url: str, *, control_token: str | None, collect: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__(url, control_token=control_token)
        self._collect = collect
        self._worlds: set[str] = set()

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Send a request as `ControlClient` does, after collecting coverage that it would reset."""
        name = _world_in(path)
        if name is not None and name in self._worlds and _ends_journal(method, path):
            self._collect_from({name})
        elif (method, path) == ("POST", "/reset"):
            self._collect_from(self._worlds)
        answer = super().send(method, path, body, headers)
        if name is not None:
            self._worlds.add(name)
        return answer

    def collect_all(self) -> None:
        """Collect the coverage of the remaining worlds."""
        self._collect_from(self._worlds)

    def _collect_from(self, names: AbstractSet[str]) -> None:
        found = json.loads(super().send("GET", "/coverage"))["worlds"]
        for name in names & found.keys():
            self._collect({"all": found[name], "worlds": {name: found[name]}})


def _world_in(path: str) -> str | None:
    """Return the name of the world in a path of the control API, None if there is none."""
    match = _WORLD.match(path)
    return None if match is None else unquote(match[1])


def _ends_journal(method: str, path: str) -> bool:
    """Whether a request makes its world forget its journal, as a drop, a reset or a replacement does."""
    rest = _WORLD.sub("", path, count=1)
    return (method, rest) in _ENDS_JOURNAL


def percent_of(exercise: Mapping[str, Any]) -> float:
    """Return the percentage of operations that were exercised; 0 if there are none."""
    called, missing = len(exercise["operations"]), len(exercise["operations_missing"])
    return 100 * called / (called + missing) if called else 0.0


def combine(reports: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Combine the reports of several servers as if one server had served all."""
    whole: dict[str, Any] = {"all": {"operations": {}, "operations_missing": []}, "worlds": {}}
    for report in reports:
        whole["all"] = _merged(whole["all"], report["all"])
        for name, exercise in report["worlds"].items():
            whole["worlds"][name] = _merged(whole["worlds"].get(name, {}), exercise)
    return whole


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    if not one.get("operations") and not one.get("operations_missing"):
        return dict(other)
    operations = dict(one["operations"])
    for name, called in other["operations"].items():
        operations[name] = _merged_calls(operations[name], called) if name in operations else called
    exercise = {
        "operations": dict(sorted(operations.items())),
        "operations_missing": _in_both(one, other, "operations_missing"),
        "states": _sums(one, other, "states"),
        "states_missing": _in_both(one, other, "states_missing"),
        "error_codes": _sums(one, other, "error_codes"),
    }
    return exercise | {"operations_percent": round(percent_of(exercise), 1)}


def _merged_calls(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    missing = _in_both(one, other, "parameters_missing")
    given = dict.fromkeys((*one["parameters"], *other["parameters"]))
    return {
        "calls": one["calls"] + other["calls"],
        "outcomes": _sums(one, other, "outcomes"),
        "formats": _sums(one, other, "formats"),
        "parameters": list(given),
        "parameters_missing": missing,
    }


def _sums(one: Mapping[str, Any], other: Mapping[str, Any], member: str) -> dict[str, int]:
    return dict(sorted((Counter(one[member]) + Counter(other[member])).items()))


def _in_both(one: Mapping[str, Any], other: Mapping[str, Any], member: str) -> list[str]:
    return [each for each in one[member] if each in other[member]]
