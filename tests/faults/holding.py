"""Calls that are held back by a latency until a test lets them go on, however busy the machine is."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from foas_emulator.faults import effects
from foas_emulator.pipeline import impair


class Holding:
    """Takes the place of the time of every latency."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._count = 0
        self._may_go_on = asyncio.Event()
        for module in (effects, impair):
            monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=self._hold))

    async def _hold(self, _seconds: float) -> None:
        self._count += 1
        await self._may_go_on.wait()

    async def begun(self, *calls: asyncio.Task[Any]) -> None:
        """Wait until each of these calls is held back or answered."""
        while self._count + sum(call.done() for call in calls) < len(calls):  # noqa: ASYNC110 - one that ends tells nobody
            await asyncio.sleep(0)

    def end(self) -> None:
        """Let calls go on, now and later."""
        self._may_go_on.set()
