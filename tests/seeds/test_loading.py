"""Texts that people write, read safely: every bound is checked before anything is built."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from foas_emulator.seeds import composing, loading
from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.limits import LONGEST_SHOWN, MAX_FAULTS, DocumentError, path_of
from foas_emulator.seeds.loading import load, load_json, load_yaml
from foas_emulator.seeds.reading import parse_seed

ALIAS_GROWTH = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def told(text: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(DocumentError) as refused:
        load(text)
    return [(flaw.line, path_of(flaw.place), flaw.message) for flaw in refused.value.flaws]


@pytest.mark.parametrize(
    ("text", "line", "path", "message"),
    [
        (ALIAS_GROWTH, 6, "f[1]", "its aliases repeat more than 200000 values; use fewer"),
        ("projects: &again\n- *again\n", 2, "projects[0]", "the alias 'again' refers to a value that contains it"),
        ("a: &a\n  <<: *a\n", 2, "a.<<", "the alias 'a' refers to a value that contains it"),
        ("a: 1\nb: *nowhere\n", 2, "b", "there is no anchor 'nowhere'"),
        ("a: !!set {x}\n", 1, "a", "the tag !!set is not read"),
        ("a: !!binary aGk=\n", 1, "a", "the tag !!binary is not read"),
        ("a: !!timestamp 2018-11-11\n", 1, "a", "the tag !!timestamp is not read"),
        ("a: !!python/object/apply:os.system [x]\n", 1, "a", "the tag !!python/object/apply:os.system is not read"),
        ("a: !mine 5\n", 1, "a", "the tag !mine is not read"),
        ("a: 1\na: 2\n", 2, "a", "is repeated"),
        ('{"a": 1,\n"a": 2}', 2, "a", "is repeated"),
        ("<<: {a: 1}\n<<: {b: 1}\n", 2, "<<", "is repeated"),
        ("<<: 5\n", 1, "document", "<< merges a mapping"),
        ("1: a\n", 1, "document", "a name must be a text"),
        ("? [a]\n: 1\n", 1, "document", "a name must be a text"),
        ("a: .inf\n", 1, "a", "the number .inf is not finite"),
        ("a: -.INF\n", 1, "a", "the number -.INF is not finite"),
        ("a: .nan\n", 1, "a", "the number .nan is not finite"),
        (f"b: 1\na: {'1:' * 190}1.0\n", 2, "a", "the number 1:1:1:1:1:1:1:1:1:1:... of 383 characters is not finite"),
        ("a: 1.0e+400\n", 1, "a", "the number 1.0e+400 is not finite"),
        ("a: 9223372036854775808\n", 1, "a", "the number 9223372036854775808 has more than 64 bits"),
        (f"a: {'9' * 400}\n", 1, "a", "of 400 characters has more than 64 bits"),
        (f"a: 0x{'f' * 9999}\n", 1, "a", "has more than 64 bits"),
        (f"a: {'59:' * 100}1\n", 1, "a", "has more than 64 bits"),
        ('{"a": NaN}', 1, "document", "the number NaN is not finite"),
        ('{"a": -Infinity}', 1, "document", "the number -Infinity is not finite"),
        ('{"a":\n1e400}', 2, "document", "the number 1e400 is not finite"),
        (f'{{"a": {"9" * 5000}}}', 1, "document", "of 5000 characters has more than 64 bits"),
        ('["\\ud800"]', 1, "[0]", "half of a surrogate pair"),
        ('{"\\ud800": 1}', 1, "document", "half of a surrogate pair"),
        ("a: \ud800\n", 1, "document", "half of a surrogate pair"),
        ("a: 1\n---\nb: 2\n", 2, "document", "a second document begins"),
        ("a: [b,\n", 2, "document", "not YAML"),
    ],
)
def test_what_no_document_may_hold_is_reported_where_it_stands(text: str, line: int, path: str, message: str) -> None:
    first, *_ = told(text)
    assert first[:2] == (line, path)
    assert message in first[2]


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "- " * 5000, "{a: " * 3000, '{"a":' * 65 + "1" + "}" * 65, "[" * 65 + "]" * 65, "? " * 5000],
    ids=["JSON lists", "block lists", "flow mappings", "JSON mappings", "closed lists", "keys in keys"],
)
def test_what_is_too_deep_is_refused_however_it_is_written(text: str) -> None:
    assert "more than 64 deep" in told(text)[0][2]


def test_a_mapping_with_too_many_members_is_refused_in_both_languages() -> None:
    members = {f"m{number}": 1 for number in range(1001)}
    assert (
        told(json.dumps(members))
        == told(yaml.safe_dump(members))
        == [(1, "document", "a mapping has more than 1000 members")]
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("- &first {a: 1, b: 2}\n- {<<: *first, b: 3}\n", [{"a": 1, "b": 2}, {"a": 1, "b": 3}]),
        ("- &x {a: 1}\n- &y {a: 2, b: 2}\n- {b: 9, <<: [*x, *y]}\n", [{"a": 1}, {"a": 2, "b": 2}, {"b": 9, "a": 1}]),
        ("- &x {a: {b: 1}}\n- &y {<<: *x}\n- {<<: *y, c: 1}", [{"a": {"b": 1}}] * 2 + [{"a": {"b": 1}, "c": 1}]),
        ('- {"<<": 1}\n', [{"<<": 1}]),
        ("- <<\n", ["<<"]),
        ("- 2018-11-11\n- 2018-11-11T00:00:00Z\n- =\n", ["2018-11-11", "2018-11-11T00:00:00Z", "="]),
        ("- !!str 5\n- !!int 5\n- !!seq [x]\n", ["5", 5, ["x"]]),
        ("- 0x1F\n- 017\n- 1_000\n- 1:30\n- 1.5\n- yes\n- ~\n", [31, 15, 1000, 90, 1.5, True, None]),
        ("- &a 1\n- &a 2\n- *a\n", [1, 2, 2]),
        ("- 9223372036854775807\n- -9223372036854775808\n", [2**63 - 1, -(2**63)]),
        ("", None),
        ("# nothing\n", None),
        ("null", None),
    ],
)
def test_what_is_yaml_is_read_as_yaml_says(text: str, value: Any) -> None:
    assert load(text).value == value


def test_every_flaw_of_a_text_is_reported() -> None:
    assert [line for line, _, _ in told("a: !!set {x}\nb: .inf\nb: 1\n2: x\nc: *d\n")] == [1, 2, 3, 4, 5]


def test_lines_are_known_in_yaml_in_aliases_and_in_merged_mappings() -> None:
    document = load("a: &a\n  x: 1\nb:\n  - *a\n  - <<: *a\n    y: 2\n")
    places: dict[tuple[Any, ...], int] = {("a",): 1, ("a", "x"): 2, ("b", 0): 4, ("b", 0, "x"): 2, ("b", 1, "x"): 2}
    assert {place: document.line(place) for place in places} == places
    assert document.line(("b", 1, "y")) == 6
    assert document.line(("b", 1, "nowhere", 5)) == 5


def test_a_mapping_that_was_only_merged_lends_no_other_one_its_lines() -> None:
    document = load("".join(f"- <<: {{a{number}: 1}}\n- x: 1\n" for number in range(50)))
    places = [(position, f"a{number}") for position in range(1, 100, 2) for number in range(50)]
    assert {document.line(place) == place[0] + 1 for place in places} == {True}


def test_what_is_too_deep_or_too_long_in_json_is_reported_with_its_line() -> None:
    deep = f'{{"a": 1,\n"b":\n{"[" * 70}\n{"]" * 70}}}'
    long = f'{{"a": 1,\n"b": {{{", ".join(f"{chr(34)}{number}{chr(34)}: 1" for number in range(1001))}}}}}'
    assert [line for text in (deep, long) for line, _, _ in told(text)] == [3, 2]


def test_lines_are_known_in_json() -> None:
    document = load('{\n\t"a": [\n\t\t{"b": 1},\n\t\t{"b":\n2}]}')
    assert [document.line(place) for place in [("a",), ("a", 0, "b"), ("a", 1, "b")]] == [2, 3, 4]


def test_only_the_first_lines_of_json_are_found_and_the_rest_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing, "MAX_OUTLINED", 10)
    document = load('{\n"a":\n[' + ",\n".join(['{"b": 1}'] * 1000) + "]}")
    assert [document.line(("a", position)) for position in (0, 1, 999)] == [3, 4, None]
    assert [document.line(place) for place in [("a",), ("c",), ("a", 1, "c")]] == [2, None, 4]
    with pytest.raises(DocumentError, match=r"^a\[999\].b: the text holds half"):
        load('{\n"a":\n[' + ",\n".join(['{"b": 1}'] * 999) + ', {"b": "\\ud800"}]}')
    seed = json.dumps({"projects": [{"Name": 1}, *({"Name": f"p{number}"} for number in range(9)), 1]}, indent=1)
    with pytest.raises(SeedError) as refused:
        parse_seed(seed, "seed.json")
    assert [str(fault).partition(" ")[0] for fault in refused.value.faults] == ["seed.json:4:", "seed.json:"]


def test_large_json_is_read_in_steps_to_the_same_value(monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps({"a": [1, -1.5, True, None, "x\\u00fcü", {"b": {}}], "c": "\ud83c\udf88"})
    fast = load_json(text).value
    monkeypatch.setattr(loading, "LARGE", 0)
    assert load_json(text).value == fast
    assert told('{"a": NaN}') == [(1, "document", "the number NaN is not finite")]
    assert told('{"a": 1, "a": 2}') == [(1, "a", "is repeated")]
    assert "more than 64 deep" in told("[" * 100_000)[0][2]


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    # YAML cannot hold every character, and its emitter breaks lines at some.
    | st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufeff\ufffe\uffff")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc<=~1.", max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(_values)
def test_what_pyyaml_and_json_write_is_read_back(value: Any) -> None:
    assert load_json(json.dumps(value)).value == value
    assert load_yaml(yaml.safe_dump(value, allow_unicode=True)).value == value


@given(st.text(alphabet=st.sampled_from("a1:-[]{}&*<>!|'\"\n #,?.")) | st.text())
def test_no_text_makes_loading_fail_otherwise_than_by_its_flaws(text: str) -> None:
    try:
        load(text)
    except DocumentError as error:
        assert error.flaws  # noqa: PT017 - either way is right


@pytest.mark.parametrize(
    "text",
    [
        f'{{"{"a" * 100_000}": [{", ".join([chr(34) + chr(92) + "ud800" + chr(34)] * 1000)}]}}',
        "".join(f"{'  ' * depth}{'a' * 900}{depth}:\n" for depth in range(60)) + f"{' ' * 120}- !x y\n" * 1000,
        "%TAG !e! " + "tag:" + "a" * 100_000 + "\n---\n" + "- !e!x y\n" * 1000,
    ],
    ids=["json", "yaml", "tag"],
)
def test_faults_under_long_names_are_reported_without_repeating_them(text: str) -> None:
    faults = told(text)
    assert len(faults) == MAX_FAULTS
    assert sum(len(path) + len(message) for _, path, message in faults) < MAX_FAULTS * 3 * LONGEST_SHOWN


def test_a_text_with_a_crowd_of_tag_directives_is_refused_at_once() -> None:
    for end in ("\n", "\r", "\u2028"):
        text = "a: b\n...\n" + "".join(f"%TAG !t{number}! x{end}" for number in range(100_000)) + "---\na: b\n"
        assert told(text) == [(1, "document", "more than 100 lines begin with %TAG; leave them out")]
    assert load("%TAG !t! x\n---\na: '%TAG'\n").value == {"a": "%TAG"}


def test_the_parser_of_yaml_is_given_a_text_in_pieces_so_that_others_run_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes = []
    read = loading._Pieces.read

    def counted(self: loading._Pieces, size: int) -> bytes:
        sizes.append(size)
        return read(self, size)

    monkeypatch.setattr(loading._Pieces, "read", counted)
    assert load_yaml("a: " + "x" * 1_000_000).value == {"a": "x" * 1_000_000}
    assert max(sizes) <= 64 * 1024
    assert load_yaml("a: " + "\u20ac\U0001f600" * 100_000).value == {"a": "\u20ac\U0001f600" * 100_000}


@pytest.mark.parametrize("escape", [r"\"", r"\\", r"\u2028", r"\n"])
@pytest.mark.parametrize("shift", range(3))
def test_lines_are_known_in_json_whose_escapes_lie_across_pieces(escape: str, shift: int) -> None:
    text = '{"a": "' + "x" * shift + escape * 50_000 + '",\n"b": 1,\n"b": 2}'
    assert told(text) == [(3, "b", "is repeated")]


def test_a_very_long_plain_scalar_is_a_text_whatever_it_looks_like() -> None:
    text = "1:" * 40_000 + "1"
    assert load_yaml(f"a: {text}").value == {"a": text}


@pytest.mark.parametrize("value", ['"{}"', "[{}]"])
def test_json_with_a_value_that_has_no_end_is_not_read_as_such(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_WINDOW", 10)
    for filling in ("1", "\u20ac", r"\"", r"\\"):
        if filling == "1" or '"' in value:
            with pytest.raises(DocumentError, match="a text, a number or a blank has more than"):
                load_json('{"a": ' + value.format(filling * 70) + "}")
    many = [{"a": 'x"\\'}] * 50
    assert load_json(json.dumps(many)).value == many
    assert load('{"a": "' + "x" * 70 + '"}').value == {"a": "x" * 70}  # as YAML, which is read in pieces
