from datetime import timedelta, timezone

import pytest

from foas_emulator.world.durations import LONGEST
from foas_emulator.world.instants import LAST_INSTANT, instant, instant_text, moment


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_599_794_335_007, "2020-09-11T03:18:55.007Z"),
        (32_536_771_199_999, "3001-01-18T23:59:59.999Z"),
        (LAST_INSTANT, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_an_instant_is_shown_in_every_year_that_a_world_may_have(milliseconds: int, text: str) -> None:
    assert instant_text(milliseconds) == text
    assert instant(text) == milliseconds


def test_what_never_happens_is_shown_at_the_last_instant() -> None:
    assert instant_text(LAST_INSTANT + LONGEST) == "9999-12-31T23:59:59.999Z"


def test_a_moment_is_in_the_zone_that_is_asked_for() -> None:
    assert moment(1_599_794_335_000, timezone(timedelta(hours=8))).isoformat() == "2020-09-11T11:18:55+08:00"
