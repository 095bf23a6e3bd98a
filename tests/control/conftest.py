"""The control API of an emulator in this process, over both kinds of store."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api import Api, open_api

INSTANCE = "/api/v2/projects/project1/jobs/job1/instances/412536"


@dataclass(frozen=True)
class Control:
    """Asks the control API; a body that is no text is sent as JSON."""

    api: Api

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        content = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.api.request(method, f"/_emulator{path}", content=content, headers=named)

    def ok(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """The document that answers a request that must succeed."""
        response = self.send(method, path, body)
        assert response.status_code == status, response.text
        return response.json() if response.content else None

    def refused(self, method: str, path: str, body: Any = None, *, status: int = 400) -> str:
        """What a request that must be refused is told, in one line."""
        response = self.send(method, path, body)
        assert response.status_code == status, response.text
        document = response.json()
        assert document["error"]
        assert document["hint"]
        return f"{document['error']} {document['hint']}"

    def get_instance(self, world: str) -> httpx.Response:
        """GetInstance of the documented instance, in a world."""
        return self.api.request("GET", INSTANCE, headers={"x-emulator-world": world})


@pytest.fixture
def control(data_dir: Path | None) -> Iterator[Control]:
    with open_api(data_dir=data_dir) as api:
        yield Control(api)
