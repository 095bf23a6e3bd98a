"""What of the service a test session exercised: collected from every server it used, written to a file, judged."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

_OUTPUT = "foas_coverage"


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
