"""Prints how many functions are called for a read that was asked before: `python -m tests.hot_read`."""

import asyncio
import sys

from tests.api import Api, open_api

PATH = "/api/v2/projects/project1/jobs/job1/instances/412536"


def _scope() -> dict[str, object]:
    return {
        "type": "http",
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8018"), (b"accept", b"application/json")],
        "state": {},
    }


async def request(api: Api) -> int:
    """One request over ASGI; answers its status."""
    messages: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        messages.append(message)

    await api.app(_scope(), receive, send)
    return int(str(messages[0]["status"]))


async def _count_calls(api: Api) -> int:
    """How many functions, of Python and of C, are called for one request that was asked before."""
    for _ in range(3):
        assert await request(api) == 200
    counted = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        await request(api)
    finally:
        sys.setprofile(None)
    return counted


if __name__ == "__main__":
    with open_api() as opened:
        print(asyncio.run(_count_calls(opened)))  # noqa: T201 - for the test that runs this
