import json
import re
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foas_emulator.blink.lenient_json import LONGEST, MOST_TOKENS, MOST_VALUES, parse, parse_strictly

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a:b}", {"a": "b"}),
        (
            '{metric: "clusterid.system.mem.memtotal", aggregator: "avg", downsample: "avg"}',
            {"metric": "clusterid.system.mem.memtotal", "aggregator": "avg", "downsample": "avg"},
        ),
        ("{'a': 'it\\'s', \"b\": \"c\\td\\n\",}", {"a": "it's", "b": "c\td\n"}),
        ('{"a": "it\'s", b: \'say "x"\'}', {"a": "it's", "b": 'say "x"'}),
        ("{limit: avg:sample:50, start: 1606291390000}", {"limit": "avg:sample:50", "start": 1606291390000}),
        ("{a=1, b= two words , c: -1.5e3, d: 007}", {"a": 1, "b": "two words", "c": -1500.0, "d": "007"}),
        ("[true, false, null, yes,, [], {},]", [True, False, None, "yes", [], {}]),
        ("  bare  ", "bare"),
        ('\ufeff{"a": 1}', {"a": 1}),
        ("\ufeff{a: 1, b: 2}", {"a": 1, "b": 2}),
        ("{a: {b: [c, {d: e}]}}", {"a": {"b": ["c", {"d": "e"}]}}),
        ('// head\n{"a": 1, // one\n// "a": 2,\n"b": [ //\n 3]} // end', {"a": 1, "b": [3]}),
        ("{a: http://host/path, b=//c, 'd': 'e // f'}", {"a": "http://host/path", "b": "//c", "d": "e // f"}),
    ],
)
def test_what_people_write_is_understood(text: str, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "{a",
        "{a:",
        "{a:1",
        "{a b}",
        "{{}:1}",
        "[1",
        "{a:}",
        "{} {}",
        "'a",
        '{"a": "b}',
        "[" * 5000,
        "{a:[}",
        "// nothing",
        "{a: // 1}",
    ],
)
def test_what_has_no_end_or_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)


@given(VALUES)
def test_strict_json_means_what_it_means(value: object) -> None:
    assert parse(json.dumps(value)) == value


@given(VALUES)
def test_a_trailing_comma_changes_nothing(value: object) -> None:
    assert parse(f"[{json.dumps(value)},]") == [value]


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ValueError):
        json.dumps(parse(text))


@given(st.lists(st.sampled_from(["\\\\", "\\n", "\\t", "\\r", "\\x", "\\'", "\\\n", "a", "n", "\n"])))
def test_an_escape_that_json_does_not_have_means_its_character(parts: list[str]) -> None:
    meanings = {"\\n": "\n", "\\t": "\t", "\\r": "\r"}
    assert parse("'\\x" + "".join(parts) + "'") == "x" + "".join(meanings.get(part, part[-1]) for part in parts)


def test_a_long_text_of_escapes_is_read_in_less_than_a_function_call_for_each() -> None:
    escapes = "\\x" * (LONGEST // 2 - 1)

    def work(act: Callable[[], object]) -> float:
        begun = time.process_time()
        act()
        return time.process_time() - begun

    assert parse(f"'{escapes}'") == "x" * (len(escapes) // 2)
    one_by_one = min(work(lambda: re.sub(r"\\(.)", lambda escape: escape[1], escapes)) for _ in range(3))
    assert min(work(lambda: parse(f"'{escapes}'")) for _ in range(3)) < one_by_one


def test_a_text_has_limits() -> None:
    with pytest.raises(ValueError, match="over 1048576 characters"):
        parse(json.dumps("x" * LONGEST))
    assert len(parse("[" + "a," * (MOST_TOKENS // 2 - 1) + "]")) == MOST_TOKENS // 2 - 1
    with pytest.raises(ValueError, match="over 10000 words and signs"):
        parse("[" + "a," * (MOST_TOKENS // 2) + "]")


def test_an_error_names_the_beginning_of_a_long_word() -> None:
    with pytest.raises(ValueError, match=r"^unexpected x{100}$"):
        parse("{a:b} " + "x" * 100_000)


@pytest.mark.parametrize("text", [r'"\ud800"', r'{"\uDC00a": 1}', r"[{a: '\ud800'}]", r'"\ud83dx\ude00"'])
def test_half_of_a_surrogate_pair_is_refused(text: str) -> None:
    for read in (parse, parse_strictly):
        with pytest.raises(ValueError, match="half of a surrogate pair" if read is parse or "'" not in text else r"\w"):
            read(text)
    assert parse_strictly(r'"\ud83d\ude00"') == parse(r'"\ud83d\ude00"') == "😀"
    assert parse(r'"\\ud800"') == r"\ud800", "a backslash that is escaped begins no surrogate"


def test_a_strict_text_of_any_depth_is_read_or_refused() -> None:
    for depth in range(1, 1100):
        with suppress(ValueError):
            parse_strictly("[" * depth + r'"\ud83d\ude00"' + "]" * depth)


@pytest.mark.parametrize("read", [parse, parse_strictly])
@pytest.mark.parametrize(("opening", "inner", "closing"), [("[", "", "]"), ('{"a":', "1", "}")])
def test_json_nests_a_hundred_levels_and_no_more(
    read: Callable[[str], object], opening: str, inner: str, closing: str
) -> None:
    deepest = opening * 100 + inner + closing * 100

    assert json.dumps(read(deepest), separators=(",", ":")) == deepest
    with pytest.raises(ValueError, match="nested too deeply"):
        read(opening * 101 + inner + closing * 101)


@pytest.mark.parametrize("read", [parse, parse_strictly])
@pytest.mark.parametrize("value", ["1", "[]", "{}", '[{"a":1}]'])
def test_json_of_too_many_values_is_refused(read: Callable[[str], object], value: str) -> None:
    each = 1 + value.count("[") + value.count("{")
    most = MOST_VALUES // each

    assert len(read_list(read, value, most)) == most
    with pytest.raises(ValueError, match=f"over {MOST_VALUES} values"):
        read_list(read, value, most + 1)


def read_list(read: Callable[[str], object], value: str, count: int) -> list[object]:
    items = read(f"[{','.join([value] * count)}]")
    assert isinstance(items, list)
    return items


@pytest.mark.parametrize("form", ['{{"a": {}}}', "{{a: {}}}", "[{}]"])
def test_a_long_number_is_refused_before_it_is_read(form: str) -> None:
    parse(form.format("9" * 400))
    for reader in (parse, parse_strictly) if '"' in form else (parse,):
        with pytest.raises(ValueError, match="over 400 digits"):
            reader(form.format("-" + "9" * 400))
