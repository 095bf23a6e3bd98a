"""The pytest plugin: `foas_emulator`, a server for the session, and `foas_world`, a fresh world for each test.

`foas_environment` is for programs whose endpoint cannot be set: it brings them to the test's world.
"""

import json
import os
import re
import sys
from collections.abc import Generator, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from foas_emulator.testing.client import EmulatorError
from foas_emulator.testing.coverage import CoverageCollector
from foas_emulator.testing.emulator import Emulator
from foas_emulator.testing.redirection import variables_for
from foas_emulator.testing.server import Server
from foas_emulator.testing.world import World

LAST_CALLS = 50
"""Calls that the report of a failed test shows."""

_COVERAGE = "foas_coverage"
_ENVIRONMENT = "foas_environment"
_SLUG = re.compile(r"[^a-z0-9]+")

_world = pytest.StashKey[World]()
_folders = pytest.StashKey[pytest.TempPathFactory]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("foas", "foas-emulator")
    group.addoption("--foas-url", metavar="URL", help="Use the foas-emulator that runs there instead of starting one.")
    group.addoption("--foas-control-token", metavar="TOKEN", help="Token of its control API.")
    group.addoption(
        "--foas-coverage", metavar="FILE", type=Path, help="Write there what of the service the tests exercised."
    )
    group.addoption(
        "--foas-coverage-min",
        metavar="PERCENT",
        type=float,
        default=0,
        help="Fail the session if the tests exercised less of the operations.",
    )


def pytest_configure(config: pytest.Config) -> None:
    file, least = config.getoption("--foas-coverage"), config.getoption("--foas-coverage-min")
    if file is not None or least > 0:
        config.pluginmanager.register(CoverageCollector(file, least=least), _COVERAGE)


@pytest.fixture(scope="session")
def foas_settings() -> dict[str, Any]:
    """The settings of the server that `foas_emulator` starts, as `foas-emulator serve` has them; override it."""
    return {}


@pytest.fixture(scope="session")
def foas_emulator(
    request: pytest.FixtureRequest, pytestconfig: pytest.Config, foas_settings: dict[str, Any]
) -> Iterator[Server]:
    """The emulator of this session: the one at `--foas-url`, or one in this process, on a free port."""
    url = pytestconfig.getoption("--foas-url")
    if url is not None:
        server = Server(url, control_token=pytestconfig.getoption("--foas-control-token"))
        yield server
        _collect_coverage(pytestconfig, server)
    else:
        with Emulator(**_with_proxy(request.session, foas_settings)) as emulator:
            yield emulator
            _collect_coverage(pytestconfig, emulator)


def _with_proxy(session: pytest.Session, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of the session's server, with a proxy if any of its tests wants one: it takes a while to start."""
    wanted = any(_ENVIRONMENT in getattr(item, "fixturenames", ()) for item in session.items)
    return {"intercept": 0, **settings} if wanted else settings


def _collect_coverage(config: pytest.Config, server: Server) -> None:
    collector: CoverageCollector | None = config.pluginmanager.get_plugin(_COVERAGE)
    if collector is not None:
        collector.collect(server.coverage())


@pytest.fixture(scope="session")
def _foas_suffix(pytestconfig: pytest.Config) -> str:
    """Tells apart the sessions that share a server; those that have their own can do with the same names each time."""
    return "" if pytestconfig.getoption("--foas-url") is None else f"-{uuid4().hex[:8]}"


@pytest.fixture
def foas_world(
    request: pytest.FixtureRequest,
    foas_emulator: Server,
    _foas_suffix: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """A fresh world for this test alone, from the server's default seed; it ends with the test."""
    world = foas_emulator.world(_world_name(request.node) + _foas_suffix)
    world.create()
    request.node.stash[_world] = world
    request.node.stash[_folders] = tmp_path_factory
    yield world
    world.drop()


@pytest.fixture
def foas_environment(foas_emulator: Server, foas_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world of this test, in an environment that brings programs there which name no endpoint.

    It holds in the test's process and in the processes that the test starts, until the test ends. Hosts other than the
    service's are refused; the setting `intercept_allow` of the server lets them through.
    """
    given = variables_for(foas_emulator, foas_world.name, os.environ)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    if "certifi" in sys.modules:
        monkeypatch.setattr(sys.modules["certifi"], "where", lambda: given["SSL_CERT_FILE"])
    return foas_world


def _world_name(node: pytest.Item) -> str:
    """A name that is the same in every run, since what a world makes up depends on its name."""
    slug = _SLUG.sub("-", node.name.lower()).strip("-")[:40].strip("-")
    return f"{slug or 'test'}-{sha256(node.nodeid.encode()).hexdigest()[:8]}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call" and report.failed and _world in item.stash:
        report.sections.append(("foas-emulator", _evidence(item)))
    return report


def _evidence(item: pytest.Item) -> str:
    """What a failed test's world was asked, and where a snapshot of it is."""
    world = item.stash[_world]
    file = item.stash[_folders].mktemp("foas") / f"{world.name}.json"
    try:
        world.save(file)
        calls = "\n".join(_line(call) for call in world.journal.entries()[-LAST_CALLS:])
    except (EmulatorError, OSError) as error:
        return f"world {world.name} cannot be asked any more: {error}"
    return f"{calls or 'it was not called'}\nsnapshot of world {world.name}: {file}"


def _line(call: dict[str, Any]) -> str:
    asked = call["operation"] or f"{call['method']} {call['path']}"
    answered = f"{call['status'] or 'no answer'} {call['code'] or ''}".strip()
    return f"{answered} <- {asked} {json.dumps(call['parameters'])}"
