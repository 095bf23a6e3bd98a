"""Three servers and each proxy before them, for all tests of this package."""

from collections.abc import Iterator

import pytest

from tests.deploy.proxies import SHIPPED, Proxy, proxying
from tests.deploy.shards import Shards


@pytest.fixture(scope="package")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shards]:
    running = Shards(tmp_path_factory.mktemp("shards"))
    yield running
    running.stop()


@pytest.fixture(scope="package", params=SHIPPED)
def proxy(request: pytest.FixtureRequest, shards: Shards, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    ports = [server.port for server in shards.servers]
    with proxying(request.param, ports, tmp_path_factory.mktemp("proxy")) as running:
        yield running
