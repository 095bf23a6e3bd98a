"""Both languages say the same things."""

import re
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from foas_emulator.console.language import negotiate, read_catalogue, translator

ROOT = Path(str(files("foas_emulator.console")))
CATALOGUE = ROOT / "locale" / "zh_CN.po"
_PLACE = re.compile(r"%\(\w+\)s")


def texts() -> set[str]:
    """Every text of templates and modules that is shown."""
    found = extract_from_dir(
        ROOT,
        method_map=[("**.py", "python"), ("**/templates/**.html", "jinja2")],
        keywords={"_": None, "mark": None},
    )
    return {text for _, _, text, _, _ in found if isinstance(text, str)}


def test_every_text_is_translated_and_no_translation_is_left_over() -> None:
    assert read_catalogue(CATALOGUE.read_text("utf-8")).keys() == texts()


def test_translations_have_the_same_places() -> None:
    for original, translated in read_catalogue(CATALOGUE.read_text("utf-8")).items():
        assert sorted(_PLACE.findall(original)) == sorted(_PLACE.findall(translated)), original


def test_the_small_reader_reads_what_babel_reads() -> None:
    with CATALOGUE.open("rb") as file:
        messages = {str(each.id): str(each.string) for each in read_po(file) if each.id}
    assert read_catalogue(CATALOGUE.read_text("utf-8")) == messages


def templates() -> list[Path]:
    found = [*(ROOT / "templates").glob("*.html")]
    assert found
    return found


def test_no_text_stands_in_a_template_untranslated() -> None:
    left = re.compile(r">\s*([A-Z][a-z]+ [a-z][^<{]*)<")
    for template in templates():
        assert not left.findall(template.read_text("utf-8")), template.name


def test_no_punctuation_stands_in_a_template_between_texts() -> None:
    """Chinese has its own: `_(", ")` and the like."""
    between = re.compile(r"""join\(['"]| \}\}[.,:][ <]|%\}[.,] """)
    values = '{{ value|join(", ") or "–" }}'
    for template in templates():
        assert not between.findall(template.read_text("utf-8").replace(values, "")), template.name


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9,zh;q=0.1", "en"),
        ("fr,zh;q=0.5,en;q=0.4", "zh"),
        ("zh;q=0, en", "en"),
        ("zh;q=x", "en"),
        ("de", "en"),
    ],
)
def test_the_language_is_what_the_browser_likes_best(accept: str, language: str) -> None:
    assert negotiate(accept) == language


def test_a_text_without_a_translation_stays_as_it_is() -> None:
    assert translator("zh")("RUNNING") == "RUNNING"
    assert translator("en")("from %(first)s on", first=3) == "from 3 on"
