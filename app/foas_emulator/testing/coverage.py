"""What of the service a test session exercised: collected from every server it used, written to a file, judged."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from foas_emulator.testing.client import ControlClient

__tracebackhide__ = True

_OUTPUT = "foas_coverage"
_WORLD = re.compile(r"/worlds/([^/?]+)")
_ENDS_JOURNAL = frozenset(
    {("DELETE", ""), ("PUT", ""), ("POST", "/reset"), ("PUT", "/snapshot"), ("DELETE", "/journal")}
)


class CoverageCollector:
    """Gathers the reports of the session's servers, over all xdist workers, and writes them as one.

    A session that exercised less than `least` percent of the operations has failed.
    """

    def __init__(self, file: Path | None, *, least: float) -> None:
        self._file = file
        self._least = least
        self._reports: list[Mapping[str, Any]] = []
        self._told = ""

    def collect(self, report: Mapping[str, Any]) -> None:
        """Take what one server has seen."""
        self._reports.append(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of xdist has ended and left its reports."""
        self._reports += getattr(node, "workeroutput", {}).get(_OUTPUT, [])

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_OUTPUT] = self._reports
            return
        report = combine(self._reports)
        if self._file is not None:
            self._file.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", "utf-8")
        percent = percent_of(report["all"])
        self._told = f"foas-emulator: {percent:.1f} % of the operations exercised"
        if percent < self._least:
            self._told += f", {self._least:g} % wanted; missing: {', '.join(report['all']['operations_missing'])}"
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_line(self._told)


class CountingClient(ControlClient):
    """Notices which worlds are used through it, and collects what they exercised before their journals begin anew."""

    def __init__(self, url: str, *, control_token: str | None, collect: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__(url, control_token=control_token)
        self._collect = collect
        self._worlds: set[str] = set()

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Send as any client does."""
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
        """Collect what the worlds that are left exercised."""
        self._collect_from(self._worlds)

    def _collect_from(self, names: AbstractSet[str]) -> None:
        found = json.loads(super().send("GET", "/coverage"))["worlds"]
        for name in names & found.keys():
            self._collect({"all": found[name], "worlds": {name: found[name]}})


def _world_in(path: str) -> str | None:
    """The world that a path of the control API is about."""
    match = _WORLD.match(path)
    return None if match is None else unquote(match[1])


def _ends_journal(method: str, path: str) -> bool:
    """Whether a request makes the journal of its world begin anew: a drop, a reset, a new beginning."""
    rest = _WORLD.sub("", path, count=1)
    return (method, rest) in _ENDS_JOURNAL


def percent_of(exercise: Mapping[str, Any]) -> float:
    """The share of the operations that was exercised; none if nothing was asked for."""
    called, missing = len(exercise["operations"]), len(exercise["operations_missing"])
    return 100 * called / (called + missing) if called else 0.0


def combine(reports: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The reports of several servers as if one server had served all."""
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
