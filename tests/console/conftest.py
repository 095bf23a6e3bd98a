"""The console of an emulator in this process, looked at without a browser."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import httpx
import pytest

from tests.api import Api, open_api

CONSOLE = "/_emulator/console"


@dataclass
class Console:
    """A reader of the pages, who keeps cookies and sends the forms as the pages have them."""

    api: Api
    host: str = "127.0.0.1:8018"
    client: tuple[str, int] = ("127.0.0.1", 5000)
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.api.app, client=self.client)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:8018", cookies=self.cookies, headers={"host": self.host}
            ) as client:
                response = await client.request(method, path, **options)
                self.cookies = httpx.Cookies(client.cookies)
                return response

        return asyncio.run(send())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.send("GET", f"{CONSOLE}{path}", **options)

    def page(self, path: str, *, status: int = 200, **headers: str) -> str:
        """The HTML of a page that must be there."""
        response = self.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        assert response.status_code == status, response.text
        return response.text

    def token(self) -> str:
        """The token that forms carry."""
        found = re.search(r'name="token" value="([^"]+)"', self.page("/w/default/"))
        assert found
        return unescape(found[1])

    def post(self, path: str = "/w/default/call", *, token: str | None = None, **members: Any) -> httpx.Response:
        """Send a form; underscores in the names of its fields stand for colons."""
        fields = {name.replace("__", ":"): value for name, value in members.items()}
        headers = {"origin": f"http://{self.host}"}
        return self.send(
            "POST",
            f"{CONSOLE}{path}",
            data={"token": self.token() if token is None else token, **fields},
            headers=headers,
        )

    def done(self, **members: Any) -> str:
        """Send a form that must be accepted; answers the page that follows."""
        response = self.post(**{"back": f"{CONSOLE}/w/default/", **members})
        assert response.status_code == 303, response.text
        return self.page(response.headers["location"].removeprefix(CONSOLE))


@pytest.fixture
def console() -> Iterator[Console]:
    with open_api() as api:
        yield Console(api)


@pytest.fixture
def guarded() -> Iterator[Console]:
    """The console of an emulator that was given a control token."""
    with open_api(control_token="correct horse") as api:
        yield Console(api)
