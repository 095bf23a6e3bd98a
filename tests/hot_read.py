"""Print how many functions are called for a repeated read, unsigned and signed with V1."""

import asyncio
import sys
from collections.abc import Mapping

from tests.api import Api, open_api
from tests.wire import signed_v1

PLAIN = {"host": "127.0.0.1:8018", "accept": "application/json"}
PATH = "/api/v2/projects/project1/jobs/job1/instances/412536"


def _scope(headers: Mapping[str, str]) -> dict[str, object]:
    return {
        "type": "http",
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "state": {},
    }


async def request(api: Api, scope: dict[str, object] | None = None) -> int:
    """One request over ASGI, an unsigned one if nothing else is given; answers its status."""
    messages: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        messages.append(message)

    await api.app(scope or _scope(PLAIN), receive, send)
    return int(str(messages[0]["status"]))


async def _count_calls(api: Api, headers: Mapping[str, str]) -> int:
    """How many functions, of Python and of C, are called for one request that was asked before."""
    for _ in range(3):
        assert await request(api, _scope(headers)) == 200
    scope = _scope(headers)
    counted = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        await request(api, scope)
    finally:
        sys.setprofile(None)
    return counted


if __name__ == "__main__":
    for asked in (PLAIN, signed_v1(PATH, headers=PLAIN)):
        with open_api() as opened:
            print(asyncio.run(_count_calls(opened, asked)))  # noqa: T201 - for the test that runs this
