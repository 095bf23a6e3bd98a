import difflib
from collections.abc import Callable
from time import process_time

import pytest

from foas_emulator.faults.rules import MOST_RULES
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.patterns import (
    LONGEST_GLOB,
    LONGEST_TEXT,
    MOST_COMPILED,
    CallPattern,
    _compiled,
    check_glob,
    matches_glob,
)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("*", "", True),
        ("Get*", "GetJob", True),
        ("Get*", "get", False),
        ("job?", "job1", True),
        ("job?", "job", False),
        ("[ab]*", "bcd", True),
        ("a.c", "abc", False),
        ("[ab]", "[ab]", True),
        ("", "", True),
    ],
)
def test_a_pattern_is_exact_or_a_glob(pattern: str, text: str, *, matches: bool) -> None:
    assert matches_glob(text, pattern) == matches


def test_an_exact_pattern_may_be_as_long_as_a_value() -> None:
    code = "SELECT 1; " * 10_000
    assert CallPattern(params={"code": code}).differing({"code": code}) == []
    assert CallPattern(params={"code": code}).differing({"code": "SELECT 2"}) == ["code"]


def test_an_exact_pattern_of_megabytes_takes_next_to_no_time() -> None:
    """Each of its characters was looked at for itself: a fault rule cost ten milliseconds a call, a check fifty."""
    code = "a" * 4_000_000

    def work(act: Callable[[], object]) -> float:
        begun = process_time()
        act()
        return process_time() - begun

    pattern = CallPattern(params={"code": code})
    by_character = min(work(lambda: {"*"}.isdisjoint(code)) for _ in range(3))
    assert min(work(lambda: pattern.differing({"code": "b"})) for _ in range(3)) < by_character / 4


def test_a_long_glob_is_refused_before_it_is_compiled() -> None:
    with pytest.raises(ValueError, match="a glob has at most 256 characters, and this one has 257"):
        check_glob("*" + "a" * LONGEST_GLOB)
    for given in ({"operation": "*a" * 30_000}, {"params": {"code": "*a" * 30_000}}):
        with pytest.raises(ValueError, match="a glob has at most"):
            CallPattern.model_validate(given)


def test_the_globs_of_a_pattern_are_bounded_together() -> None:
    names = [f"p{number}" for number in range(20)]
    CallPattern.model_validate({"params": dict.fromkeys(names, "x" * 100)})
    CallPattern.model_validate({"params": dict.fromkeys(names, f"{'x' * 50}*")})
    with pytest.raises(ValueError, match="the globs of one pattern have at most 1024 characters together"):
        CallPattern.model_validate({"params": dict.fromkeys(names, f"{'x' * 51}*")})


def test_nothing_is_compared_with_a_long_name_that_there_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of four megabytes held all others for two seconds."""
    compared: list[str] = []

    def compare(name: str, *_: object, **__: object) -> list[str]:
        compared.append(name)
        return []

    monkeypatch.setattr(difflib, "get_close_matches", compare)
    for pattern in (CallPattern(operation="x" * 257), CallPattern(params={"x" * 257: 1})):
        with pytest.raises(ValueError, match=r"there is no (operation|parameter) 'x{80}'\.\.\. of 257 characters$"):
            pattern.resolve(OPERATIONS)
    assert compared == []
    with pytest.raises(ValueError, match="there is no operation 'GetJub'"):
        CallPattern(operation="GetJub").resolve(OPERATIONS)
    assert compared == ["GetJub"]


def test_a_text_beyond_the_limit_only_fits_a_star_or_itself() -> None:
    text = "a" * (LONGEST_TEXT + 1)
    assert matches_glob(text, "*")
    assert matches_glob(text, text)
    assert not matches_glob(text, "a*")
    assert matches_glob(text[1:], "a*")


def test_few_compiled_globs_are_kept() -> None:
    for number in range(MOST_COMPILED + 10):
        matches_glob("x", f"{number}*")
    assert _compiled.cache_info().currsize == MOST_COMPILED > MOST_RULES
