import json

import pytest

from foas_emulator.blink.properties import LONGEST, MOST_LINES, read

# The template of the console's editor, as the documented answer of GetInstance holds it.
TEMPLATE = (
    "#checkpoint模式：EXACTLY_ONCE 或者 AT_LEAST_ONCE\n#blink.checkpoint.mode=EXACTLY_ONCE\n\n"
    "#checkpoint间隔时间，单位毫秒\n#blink.checkpoint.interval.ms=180000\n\n"
    "#启用项目参数\n#enable.project.config=true\nblink.job.timeZone=Asia/Shanghai"
)


def test_commented_lines_of_the_template_set_nothing() -> None:
    properties = read(TEMPLATE)
    assert properties.values == {"blink.job.timeZone": "Asia/Shanghai"}


def test_settings_that_are_not_set_count_as_the_template_shows_them() -> None:
    properties = read("")
    assert properties.checkpoint_interval == 180_000
    assert properties.state_ttl == 129_600_000


def test_settings_are_read_from_lines_with_spaces_and_any_line_end() -> None:
    properties = read(
        "--完整主类名\r\n -- blink.checkpoint.mode=X\r\n  blink.checkpoint.interval.ms = 60000 \r\n"
        "blink.checkpoint.mode=at_least_once\nstate.backend.niagara.ttl.ms=1000\nblink.job.option=-yD a.b='-Dx=1'"
    )
    assert properties.checkpoint_interval == 60_000
    assert properties.values["blink.checkpoint.mode"] == "at_least_once"
    assert properties.state_ttl == 1000
    assert properties.values["blink.job.option"] == "-yD a.b='-Dx=1'"


def test_later_texts_win_over_earlier_ones() -> None:
    properties = read("a=1\nb=1", '{"b": 2, "c": true}', "c=3")
    assert properties.values == {"a": "1", "b": "2", "c": "3"}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{k:v}", {"k": "v"}),
        (
            '{"blink.checkpoint.interval.ms":"180000", "on": true}',
            {"blink.checkpoint.interval.ms": "180000", "on": "true"},
        ),
        ("{unclosed", {}),
        ("just words", {}),
    ],
)
def test_objects_are_read_and_nonsense_is_passed_over(text: str, values: dict[str, str]) -> None:
    assert read(text).values == values


@pytest.mark.parametrize(("value", "ttl"), [("-5", 0), ("0", 0), ("9" * 18, 10**18 - 1)])
def test_state_is_kept_for_no_negative_time(value: str, ttl: int) -> None:
    assert read(f"blink.state.ttl.ms={value}").state_ttl == ttl


@pytest.mark.parametrize("value", ["", "often", "1.5", "1_0", "٣", "9" * 19, "-" + "9" * 4300, "9" * 4301])
def test_a_setting_that_is_not_a_number_of_milliseconds_has_its_default(value: str) -> None:
    told = read(f"blink.state.ttl.ms={value}\nblink.checkpoint.interval.ms={value}")
    assert (told.state_ttl, told.checkpoint_interval) == (129_600_000, 180_000)


@pytest.mark.parametrize(("value", "interval"), [("0", None), ("-1", None), ("often", 180_000), ("1", 1)])
def test_checkpoint_interval_of_zero_or_less_switches_checkpoints_off(value: str, interval: int | None) -> None:
    assert read(f"blink.checkpoint.interval.ms={value}").checkpoint_interval == interval


def test_settings_beyond_the_limits_are_passed_over() -> None:
    assert read("\n" * (MOST_LINES - 1) + "a=1\nb=2").values == {"a": "1"}
    assert read("x" * LONGEST + "\na=1").values == {}


def test_an_object_has_as_many_settings_as_lines_can_have() -> None:
    members = {f"k{number}": number for number in range(MOST_LINES + 1)}
    assert list(read(json.dumps(members)).values) == [*members][:MOST_LINES]
