import sys
import time

import pytest

from foas_emulator.world import clock as clocks
from foas_emulator.world.clock import Clock, ClockRow, Mode, Reading, machine_now, stopwatch
from foas_emulator.world.durations import duration, duration_text, rate
from foas_emulator.world.instants import LAST_INSTANT, instant
from foas_emulator.world.store import Store

NEW_YEAR = 1_767_225_600_000


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("500ms", 500),
        ("30s", 30_000),
        ("2m", 120_000),
        ("1h", 3_600_000),
        ("3d", 259_200_000),
        ("1.5s", 1500),
        ("4m59s", 299_000),
        (" 1d2h3m4s5ms ", 93_784_005),
        (" 1 s ", 1000),
        ("7", 7000),
        (7, 7000),
        (0.25, 250),
        (0, 0),
        ("36525d", 36_525 * 86_400_000),
    ],
)
def test_a_duration_has_a_unit_or_is_seconds(text: str | float, milliseconds: int) -> None:
    assert duration(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        *("", "s", "-1s", "1 week", "1e3s", "１s", "true", "1s2", "59s4m", "4m59", "1.5m3s", " ", "4m 59s"),
        *("9" * 400, "9" * 400 + "d", True, -1, -0.5, float("nan")),
    ],
)
def test_a_text_that_is_not_a_duration_is_refused(text: str | float) -> None:
    with pytest.raises(ValueError, match="is not a duration") as refusal:
        duration(text)
    assert str(refusal.value).startswith(repr(text)[:40])


def test_a_text_of_many_blanks_is_no_duration_and_no_rate() -> None:
    """Each alternative of the patterns would read all blanks: four megabytes of them held all others for 0.2 s."""
    assert duration(" " * 900 + "1s") == 1000
    with pytest.raises(ValueError, match="of 1002 characters is not a duration"):
        duration(" " * 1000 + "1s")
    assert rate(" " * 900 + "1%") == 0.01
    with pytest.raises(ValueError, match="is not a rate"):
        rate(" " * 1000 + "1%")


@pytest.mark.parametrize("text", ["36526d", "36524d25h", 2**63, 10**400, float("inf")])
def test_what_is_too_long_for_a_duration_is_refused(text: str | float) -> None:
    with pytest.raises(ValueError, match="is too long for a duration") as refusal:
        duration(text)
    assert str(refusal.value).startswith("a number of" if text == 10**400 else repr(text))


@pytest.mark.parametrize("text", ["0s", "500ms", "30s", "2m", "1h", "3d", "90s", "1500ms"])
def test_a_duration_is_written_as_it_is_read(text: str) -> None:
    assert duration_text(duration(text)) == text


@pytest.mark.parametrize(
    ("written", "read"), [(0, 0.0), (1, 1.0), (0.25, 0.25), ("5%", 0.05), ("100%", 1.0), ("0.5", 0.5), (-0.0, 0.0)]
)
def test_a_rate_is_a_percentage_or_a_number_up_to_1(written: str | float, read: float) -> None:
    assert rate(written) == pytest.approx(read)


@pytest.mark.parametrize("written", [1.5, 2, -0.1, float("nan"), True, "101%", "1.5", "-1%", "half", ""])
def test_a_text_that_is_not_a_rate_is_refused(written: str | float) -> None:
    with pytest.raises(ValueError, match="is not a rate: give a percentage such as 5%") as refusal:
        rate(written)
    assert str(refusal.value).startswith(repr(written))


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [
        (NEW_YEAR, NEW_YEAR),
        ("2026-01-01T00:00:00Z", NEW_YEAR),
        ("2026-01-01", NEW_YEAR),
        ("20260101", NEW_YEAR),
        (f" {NEW_YEAR}", NEW_YEAR),
        ("946684800000", 946_684_800_000),
        ("253402300799999", LAST_INSTANT),
        ("1210111201314", 1_210_111_201_314),  # and not the year 1210
        ("2026-01-01T08:00:00+08:00", NEW_YEAR),
        ("2026-01-01T00:00:00.250", NEW_YEAR + 250),
    ],
)
def test_an_instant_is_milliseconds_or_an_iso_time(value: str | int, milliseconds: int) -> None:
    assert instant(value) == milliseconds


def test_an_instant_without_a_zone_is_in_utc_wherever_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has one time zone for all programs")
    with monkeypatch.context() as there:
        there.setenv("TZ", "CST-8")
        time.tzset()
        read = instant("2026-01-01T00:00:00")
    time.tzset()
    assert read == NEW_YEAR


@pytest.mark.parametrize(
    "text",
    [
        "tomorrow",
        str(NEW_YEAR // 1000),
        "9" * 16,
        "20260101120",
        "202601011200",
        "20260101120000",
        "20260101120000000",
        "20260101120Z",
        "2026-01-01120",
    ],
)
def test_a_text_that_is_not_an_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither milliseconds since the epoch \(13 digits\) nor an ISO 8601 time"):
        instant(text)


def test_a_long_text_that_is_no_instant_is_cut() -> None:
    with pytest.raises(ValueError, match=r"^'x{80}'\.\.\. of 1000 characters is neither"):
        instant("x" * 1000)


def test_a_new_clock_goes_as_the_machine_does(store: Store) -> None:
    clock = Clock(store)
    clock.reload()
    before = machine_now()
    assert before <= clock.now() <= machine_now()
    assert (clock.mode, clock.offset_ms) == ("real", 0)


def test_a_frozen_clock_stands_still(store: Store) -> None:
    clock = Clock(store)
    with store.transaction():
        clock.set(mode="frozen", now=NEW_YEAR + 1234)
    assert (clock.mode, clock.now(), clock.second()) == ("frozen", NEW_YEAR + 1234, NEW_YEAR + 1000)
    before = machine_now()
    assert NEW_YEAR + 1234 - machine_now() <= clock.offset_ms <= NEW_YEAR + 1234 - before


def test_a_running_clock_goes_on_from_where_it_was_set(store: Store) -> None:
    clock = Clock(store)
    before = machine_now()
    with store.transaction():
        clock.set(mode="real", now=NEW_YEAR)
    assert NEW_YEAR <= clock.now() <= NEW_YEAR + machine_now() - before
    assert clock.mode == "real"


def test_equal_clocks_are_kept_alike(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots of equal worlds are equal: no column holds what is left of another state."""
    monkeypatch.setattr(clocks, "machine_now", lambda: NEW_YEAR)
    clock = Clock(store)

    def set_to(mode: Mode, now: int) -> None:
        with store.transaction():
            clock.set(mode=mode, now=now)

    def advance(by: int) -> None:
        with store.transaction():
            clock.put(clock.ahead(by))

    for move, given, kept in (
        (set_to, ("frozen", NEW_YEAR), ClockRow(mode="frozen", offset_ms=0, frozen_at=NEW_YEAR)),
        (advance, (1,), ClockRow(mode="frozen", offset_ms=0, frozen_at=NEW_YEAR + 1)),
        (set_to, ("real", NEW_YEAR + 5), ClockRow(mode="real", offset_ms=5, frozen_at=0)),
        (advance, (1,), ClockRow(mode="real", offset_ms=6, frozen_at=0)),
        (set_to, ("frozen", 0), ClockRow(mode="frozen", offset_ms=0, frozen_at=0)),
        (advance, (0,), ClockRow(mode="frozen", offset_ms=0, frozen_at=0)),
    ):
        move(*given)
        assert [row.model_dump() for row in store.find(ClockRow)] == [kept.model_dump()]
        assert clock.reading == kept.reading()


def test_a_clock_stays_within_the_years_it_has() -> None:
    assert Reading(-5, None).at(3) == 0
    assert Reading(5, None).at(LAST_INSTANT) == LAST_INSTANT


def test_reading_a_clock_is_counted_and_looking_at_it_is_not(store: Store) -> None:
    clock = Clock(store)
    assert clock.reads == 0
    clock.peek()
    clock.now()
    clock.second()
    assert clock.reads == 2


@pytest.mark.parametrize("mode", ["real", "frozen"])
def test_a_clock_advances_by_exactly_what_it_is_told(store: Store, mode: str) -> None:
    clock = Clock(store)
    with store.transaction():
        clock.set(mode=mode, now=NEW_YEAR)  # type: ignore[arg-type]
        before = clock.reading
        clock.put(clock.ahead(30_000))
    assert clock.reading.at(NEW_YEAR) - before.at(NEW_YEAR) == 30_000
    assert clock.mode == mode


def test_a_clock_is_kept_in_the_store(store: Store) -> None:
    with store.transaction():
        Clock(store).set(mode="frozen", now=NEW_YEAR)
    other = Clock(store)
    other.reload()
    assert (other.mode, other.now()) == ("frozen", NEW_YEAR)


def test_a_held_clock_shows_the_instant_it_is_held_at(store: Store) -> None:
    clock = Clock(store)
    with clock.held_at(NEW_YEAR + 1):
        with clock.held_at(NEW_YEAR + 2):
            assert clock.now() == NEW_YEAR + 2
        assert clock.now() == NEW_YEAR + 1
    assert clock.now() > NEW_YEAR + 2


def test_a_stopwatch_never_goes_back() -> None:
    first = stopwatch()
    assert stopwatch() >= first
