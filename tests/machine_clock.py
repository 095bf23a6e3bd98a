"""A machine clock that a test controls: time passes when the test says so, without notice to any world."""

from types import SimpleNamespace

import pytest

NOON = 1_800_000_000_000


class MachineClock:
    """Shows `now` milliseconds since the epoch to every world."""

    def __init__(self, now: int = NOON) -> None:
        self.now = now

    def let_pass(self, milliseconds: int) -> None:
        self.now += milliseconds

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        replaced = SimpleNamespace(time_ns=lambda: self.now * 1_000_000)
        monkeypatch.setattr("foas_emulator.world.clock.time", replaced)


@pytest.fixture
def machine_clock(monkeypatch: pytest.MonkeyPatch) -> MachineClock:
    clock = MachineClock()
    clock.install(monkeypatch)
    return clock
