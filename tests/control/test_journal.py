"""How pages of a journal are written."""

import asyncio
from time import sleep
from typing import Any

import httpx
import pytest

from foas_emulator.control import journal
from tests.api import open_api

HOST = "http://127.0.0.1"


def test_pages_of_a_journal_are_written_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several threads that write would keep the event loop, and so all others, from the processor."""
    at_work, most, write = 0, 0, journal._written_page

    def watched(*given: Any) -> bytes:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        sleep(0.02)
        at_work -= 1
        return write(*given)

    monkeypatch.setattr(journal, "_written_page", watched)

    async def ask(app: Any) -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport) as client:
            return await asyncio.gather(*(client.get(f"{HOST}/_emulator/worlds/default/journal") for _ in range(8)))

    with open_api() as api:
        assert api.request("GET", f"{HOST}/api/v2/projects").status_code == 200
        answers = asyncio.run(asyncio.wait_for(ask(api.app), 60))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert most == 1
