"""One emulator for all tests, a world for each test, and its journal in the report of a failed test."""

import json
import os
import uuid
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

TOKEN = "of-the-tests"


@dataclass(frozen=True)
class World:
    """The world of one test: sign with `access_key_id` and the secret "test"."""

    endpoint: str
    token: str
    name: str

    @property
    def access_key_id(self) -> str:
        return f"world-{self.name}"

    def control(self, method: str, path: str, document: Any = None) -> Any:
        """Call the control API for this world; docs/control-api.md describes it."""
        request = Request(
            f"{self.endpoint}/_emulator/worlds/{self.name}{path}",
            method=method,
            data=None if document is None else json.dumps(document).encode(),
            headers={"authorization": f"Bearer {self.token}"},
        )
        with urlopen(request) as answer:
            text = answer.read().decode()
            return json.loads(text) if answer.headers.get_content_subtype() == "json" else text


@pytest.fixture(scope="session")
def foas_server() -> Iterator[tuple[str, str]]:
    """The address of the emulator, and the token of its control API."""
    if "FOAS_ENDPOINT" in os.environ:  # a running server, for example in CI
        yield os.environ["FOAS_ENDPOINT"].rstrip("/"), os.environ.get("FOASEMU_CONTROL_TOKEN", "")
        return
    container = (
        DockerContainer("foas-emulator")
        .with_exposed_ports(8018)
        .with_env("FOASEMU_CONTROL_TOKEN", TOKEN)
        .waiting_for(HttpWaitStrategy(8018, "/_emulator/health"))
    )
    with container:
        yield f"http://{container.get_container_host_ip()}:{container.get_exposed_port(8018)}", TOKEN


@pytest.fixture
def world(foas_server: tuple[str, str]) -> Iterator[World]:
    world = World(*foas_server, name=str(uuid.uuid4()))
    world.control("PUT", "/settings", {})
    yield world
    world.control("DELETE", "")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    world = item.funcargs.get("world")
    if report.when == "call" and report.failed and isinstance(world, World):
        try:
            journal = world.control("GET", "/journal?last=1000&as=text")
        except OSError as gone:  # from the world or the server; raised here, it would end the session
            journal = str(gone)
        report.sections.append(("foas-emulator", journal))
    return report
