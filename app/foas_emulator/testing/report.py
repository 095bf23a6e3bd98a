"""The section about its world in the report of a failed test: in the terminal, in JUnit XML and in Allure."""

import os
import shlex
import subprocess
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest

from foas_emulator.journal.lines import describe_call
from foas_emulator.showing import harmless
from foas_emulator.testing.artifacts import save_artifact, save_state
from foas_emulator.testing.world import World

__tracebackhide__ = True

LAST_CALLS = 50
"""The most calls in the report of a failed test."""

_TITLE = "foas-emulator"

_ANYTHING = (Exception, pytest.fail.Exception, pytest.skip.Exception)
"""What a request or a file may raise here: the test's own mocks, such as one for sockets, are still in place."""


class FailureReporter:
    """A plugin that adds the calls of its world, and the path of a snapshot, to the report of every failed test.

    `artifacts` is the directory with a folder for each failed test; without it, only a snapshot is kept, in the
    session's temporary directory. A world that a fixture shares among tests is not kept, and only the calls during the
    test are shown.
    """

    def __init__(self, *, artifacts: Path | None) -> None:
        self._artifacts = artifacts
        self._world = pytest.StashKey[World]()
        self._shared = pytest.StashKey[tuple[World, int]]()
        """A world that the test shares with others, and the number of its latest call before the test."""
        self._temporary = pytest.StashKey[pytest.TempPathFactory]()

    def watch(self, item: pytest.Item, world: World, *, temporary: pytest.TempPathFactory) -> None:
        """Report about this world if the test fails."""
        item.stash[self._world] = world
        item.stash[self._temporary] = temporary

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        # `isinstance` would also take mocks of worlds, and let lazy objects, such as those of Django, do their work.
        shared = [each for each in getattr(item, "funcargs", {}).values() if issubclass(type(each), World)]
        if self._world in item.stash or not shared:
            return
        with suppress(*_ANYTHING):
            before = shared[0].journal.entries(last=1) if shared[0].exists else []
            item.stash[self._shared] = shared[0], before[0]["number"] if before else 0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.when != "teardown" and report.failed and (self._world in item.stash or self._shared in item.stash):
            self._add(item, report)
        return report

    def _add(self, item: pytest.Item, report: pytest.TestReport) -> None:
        own = item.stash.get(self._world, None)
        world, number = item.stash[self._shared] if own is None else (own, 0)
        try:
            entries = world.journal.entries(last=LAST_CALLS)
            if entries and entries[-1]["number"] < number:  # the test has cleared the journal, which counts anew
                number = 0
            calls = "\n".join(describe_call(entry) for entry in entries if entry["number"] > number)
        except _ANYTHING as error:
            text = f"world {world.name} cannot be asked any more: {error}"
        else:
            calls = calls or "it was not called, or its calls have not ended yet"
            if own is None:
                text = f"{calls}\nin world {world.name}, which other tests use too"
            else:
                text = f"{calls}\n{self._keep(item, world, calls)}"
        text = harmless(text)
        _add_section(report, text)
        properties = [("foas-world", world.name), ("foas-emulator", text)]
        item.user_properties += properties  # JUnit XML takes those that the test has at its end
        report.user_properties += properties
        allure = sys.modules.get("allure")
        if allure is not None:
            allure.attach(text, name=_TITLE, attachment_type=allure.attachment_type.TEXT)

    def _keep(self, item: pytest.Item, world: World, calls: str) -> str:
        """Save the world, and return a line that says where, or why it is not saved."""
        try:
            if self._artifacts is None:
                file = item.stash[self._temporary].mktemp("foas") / f"{world.name}.json"
                save_state(world, file)
                return f"snapshot of world {world.name}: {file}"
            folder = self._artifacts / world.name
            save_artifact(folder, world, test=item.nodeid, report=calls)
        except _ANYTHING as error:
            return f"world {world.name} is not kept: {error}"
        return f"kept in {folder}; foas-emulator replay {_quoted(str(folder))}"


def _quoted(path: str) -> str:
    """Return a path as a word of a command line; cmd.exe takes single quotes for a part of it."""
    return subprocess.list2cmdline([path]) if os.name == "nt" else shlex.quote(path)


def _add_section(report: pytest.TestReport, text: str) -> None:
    """Add a section to the failure itself, which JUnit XML and Allure show too, or to the report if it is a text."""
    add = getattr(report.longrepr, "addsection", None)
    if add is not None:
        add(_TITLE, text, "-")
    else:
        report.sections.append((_TITLE, text))
