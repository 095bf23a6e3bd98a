"""The pytest plugin: `foas_emulator`, a server for the session, and `foas_world`, a fresh world for each test.

`foas_environment` is for programs whose endpoint cannot be set: it redirects them to the test's world.
"""

import os
import re
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from foas_emulator.testing.client import ControlClient, EmulatorError
from foas_emulator.testing.coverage import CoverageCollector, check_file
from foas_emulator.testing.redirection import variables_for
from foas_emulator.testing.report import FailureReporter
from foas_emulator.testing.server import Server
from foas_emulator.testing.servers import OwnServers, SharedServer
from foas_emulator.testing.world import World

__tracebackhide__ = True

_COVERAGE = "foas_coverage"
_ENVIRONMENT = "foas_environment"
_REPORTER = "foas_reporter"
_LISTING = ("collectonly", "setuponly", "setupplan", "showfixtures", "show_fixtures_per_test", "cacheshow")
"""Options of pytest with which it runs no tests."""
_SLUG = re.compile(r"[^a-z0-9]+")

_settings_used = pytest.StashKey[object]()
"""The definition of `foas_settings` with which the session's `foas_emulator` was made."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("foas", "foas-emulator")
    group.addoption("--foas-url", metavar="URL", help="Use the foas-emulator that runs there instead of starting one.")
    group.addoption(
        "--foas-control-token",
        metavar="TOKEN",
        default=os.environ.get("FOASEMU_CONTROL_TOKEN"),
        help="Token of its control API; FOASEMU_CONTROL_TOKEN without it.",
    )
    group.addoption(
        "--foas-artifacts",
        metavar="DIR",
        type=Path,
        help="Keep the world of each failed test there, with its calls and the command that replays it.",
    )
    group.addoption(
        "--foas-coverage",
        metavar="FILE",
        type=Path,
        help="Write the coverage of the service by the tests into this file.",
    )
    group.addoption(
        "--foas-coverage-min",
        metavar="PERCENT",
        type=_percent,
        default=0,
        help="Fail the session if the tests exercised less of the operations.",
    )


def _percent(text: str) -> float:
    """Return a percentage. Raise `ArgumentTypeError` for anything but a number from 0 to 100, such as nan."""
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]*)?", text) and float(text) <= 100:  # noqa: PLR2004 - what a percentage is
        return float(text)
    raise ArgumentTypeError(f"{text!r} is not a percentage from 0 to 100")


def pytest_configure(config: pytest.Config) -> None:
    file, least = config.getoption("--foas-coverage"), config.getoption("--foas-coverage-min")
    artifacts = config.getoption("--foas-artifacts")
    directory = config.invocation_params.dir  # a test may change the directory before anything is written
    if (file is not None or least > 0) and _runs_tests(config):
        if file is not None:
            file = directory / file
            check_file(file)
        config.pluginmanager.register(CoverageCollector(file, least=least), _COVERAGE)
    reporter = FailureReporter(artifacts=artifacts and directory / artifacts)
    config.pluginmanager.register(reporter, _REPORTER)


def _runs_tests(config: pytest.Config) -> bool:
    """Whether this session runs tests, and does not only list them or their fixtures."""
    return not any(config.getoption(name, default=None) for name in _LISTING)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse to start if the server does not answer or the token is wrong, once instead of for every test."""
    config = session.config
    url = config.getoption("--foas-url")
    if url is None or hasattr(config, "workerinput") or not _runs_tests(config):
        return
    try:  # what requires the token, as the calls of the tests will
        ControlClient(url, control_token=config.getoption("--foas-control-token")).request("GET", "/info")
    except (EmulatorError, OSError, ValueError) as error:
        if isinstance(error, EmulatorError) and error.status == HTTPStatus.UNAUTHORIZED:
            hint = "Give it as --foas-control-token, or in FOASEMU_CONTROL_TOKEN."
            raise pytest.UsageError(f"--foas-url: {url}: {error.error} {hint}") from None
        raise pytest.UsageError(f"--foas-url: no foas-emulator answers at {url}: {error}") from None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Set `foas_emulator` up again for an item whose `foas_settings` differs from that of the previous item.

    Otherwise pytest would pass on the first server, with the first settings.
    """
    definitions = getattr(item, "_fixtureinfo", None)
    if definitions is None or "foas_emulator" not in item.fixturenames:  # type: ignore[attr-defined]
        return
    (*_, wanted) = definitions.name2fixturedefs.get("foas_settings", (None,))
    used = item.session.stash.get(_settings_used, wanted)
    if used is not wanted:
        for definition in definitions.name2fixturedefs["foas_emulator"]:
            definition.finish(item._request)  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way
    item.session.stash[_settings_used] = wanted


@pytest.fixture(scope="session")
def foas_settings() -> dict[str, Any]:
    """Return the settings of the server that `foas_emulator` starts, as for `foas-emulator serve`; override it."""
    return {}


@pytest.fixture(scope="session")
def _foas_servers(pytestconfig: pytest.Config) -> Iterator[OwnServers | SharedServer]:
    """Yield the servers of this session; stop them at its end."""
    url = pytestconfig.getoption("--foas-url")
    collector: CoverageCollector | None = pytestconfig.pluginmanager.get_plugin(_COVERAGE)
    token = pytestconfig.getoption("--foas-control-token")
    servers = (
        OwnServers(collector=collector) if url is None else SharedServer(url, control_token=token, collector=collector)
    )
    with servers:
        yield servers


@pytest.fixture(scope="session")
def foas_emulator(
    request: pytest.FixtureRequest, _foas_servers: OwnServers | SharedServer, foas_settings: dict[str, Any]
) -> Server:
    """Return the emulator of this session: the one at `--foas-url`, or one in this process, on a free port.

    Tests that have another `foas_settings` get another server.
    """
    return _foas_servers.get(_with_proxy(request.session, foas_settings))


def _with_proxy(session: pytest.Session, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of the session's server, with a proxy only if a test needs one: it takes a while to start."""
    if not isinstance(settings, Mapping) or not all(isinstance(name, str) for name in settings):
        raise pytest.UsageError(
            f"foas_settings returns {settings!r}: a dict of settings is expected, such as "
            '{"start_delay": "30s"}, and {} for the defaults'
        )
    wanted = any(_ENVIRONMENT in getattr(item, "fixturenames", ()) for item in session.items)
    return {"intercept": 0, **settings} if wanted else settings


@pytest.fixture(scope="session")
def _foas_suffix(pytestconfig: pytest.Config) -> str:
    """Return a suffix for names of worlds: unique if sessions share a server, else empty, the same in every session."""
    return "" if pytestconfig.getoption("--foas-url") is None else f"-{uuid4().hex[:8]}"


@pytest.fixture
def foas_world(
    request: pytest.FixtureRequest,
    foas_emulator: Server,
    _foas_suffix: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """Yield a fresh world for this test only, from the server's default seed; drop it after the test."""
    world = foas_emulator.world(_world_name(request.node) + _foas_suffix)
    try:
        world.create()
    except BaseException:  # a KeyboardInterrupt or a timeout, after which a shared server would keep the world
        with suppress(EmulatorError, OSError):
            world.drop()
        raise
    reporter: FailureReporter | None = request.config.pluginmanager.get_plugin(_REPORTER)
    assert reporter is not None
    reporter.watch(request.node, world, temporary=tmp_path_factory)
    yield world
    _drop(world)


def _drop(world: World) -> None:
    """Drop a world, which the test may have done itself."""
    try:
        world.drop()
    except BaseException as error:
        if not isinstance(error, Exception):  # a KeyboardInterrupt or a timeout, as in `foas_world`
            with suppress(EmulatorError, OSError):
                world.drop()
        raise


@pytest.fixture
def foas_environment(foas_emulator: Server, foas_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return the world of this test, and redirect programs that name no endpoint to it by environment variables.

    They apply to the test's process and to the processes that it starts, until the test ends. The proxy refuses hosts
    other than the service's unless the server's setting `intercept_allow` names them.
    """
    given = variables_for(foas_emulator, foas_world.name, os.environ)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    if "certifi" in sys.modules:
        monkeypatch.setattr(sys.modules["certifi"], "where", lambda: given["SSL_CERT_FILE"])
    return foas_world


def _world_name(node: pytest.Item) -> str:
    """Return a name that is the same in every run, since the values that a world makes up depend on its name."""
    slug = _SLUG.sub("-", node.name.lower()).strip("-")[:40].strip("-")
    return f"{slug or 'test'}-{sha256(node.nodeid.encode()).hexdigest()[:8]}"
