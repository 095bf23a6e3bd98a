"""The parts of large documents are freed one at a time, and never on the event loop."""

import gc
from collections.abc import Iterator
from threading import Thread
from time import sleep
from typing import Any

import pytest

from foas_emulator.seeds import composing, freeing, loading
from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.limits import DocumentError
from foas_emulator.seeds.loading import load_json, load_yaml
from foas_emulator.seeds.reading import parse_seed

Freed = list[Any]


@pytest.fixture
def freed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Freed]:
    """What is freed, in the order in which it comes to the thread; documents of few parts are large, too."""
    found: Freed = []
    monkeypatch.setattr(freeing, "MANY", 5)
    monkeypatch.setattr(loading, "LARGE", 5)
    monkeypatch.setattr(freeing._thread, "free", found.extend)
    gc.disable()  # what waits for the collector would be freed at some other time
    yield found
    gc.enable()


LISTS = "[[[1], [2]], [[3], [4]]]"
OBJECTS = '{"a": {"b": {"c": {}}, "d": {}}, "e": {"f": {}}}'


@pytest.mark.parametrize("load", [load_json, load_yaml])
@pytest.mark.parametrize("text", [LISTS, OBJECTS])
def test_parts_are_kept_until_their_document_ends_the_inner_ones_first(load: Any, text: str, freed: Freed) -> None:
    document = load(text)
    assert not freed
    value = document.value
    del document
    parts = next(each for each in freed if isinstance(each, list))
    assert parts[-1] is value
    places = {id(part): place for place, part in enumerate(parts)}
    for part in parts:
        inner = part.values() if isinstance(part, dict) else part
        assert all(places[id(each)] < places[id(part)] for each in inner if isinstance(each, list | dict))


@pytest.mark.parametrize("load", [load_json, load_yaml])
@pytest.mark.parametrize("text", [f"[{LISTS}", f"[{LISTS}, {'9' * 500}]", f"[{LISTS}, " + "[" * 65 + "]" * 65 + "]"])
def test_the_parts_of_a_document_that_is_refused_are_freed_with_the_error(load: Any, text: str, freed: Freed) -> None:
    try:
        load(text)
    except DocumentError:
        assert not any(isinstance(each, list) for each in freed) or load is load_yaml
    assert sum(len(each) for each in freed if isinstance(each, list)) >= 7


def test_the_models_of_a_seed_are_freed_one_by_one(freed: Freed, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"projects": [{"Name": "%s"}, {"Name": "b"}, {"Name": "c"}, {"Name": "d"}, {"Name": "e"}, {"Name": "f"}]}'
    seed = parse_seed(text % "a", "seed")
    freed.clear()
    del seed
    models = next(each for each in freed if type(each[0]).__name__ == "SeedProject")
    assert [type(each).__name__ for each in models] == ["SeedProject"] * 6
    freed.clear()
    emptied: list[int] = []
    monkeypatch.setattr("foas_emulator.seeds.validation.free", lambda models: emptied.append(len(models)))
    with pytest.raises(SeedError):
        parse_seed(text % "f", "seed")
    assert emptied == [7]


def test_nothing_that_others_refer_to_changes() -> None:
    outer: Any = [[1], {"a": [2]}]
    parts = [outer[0], outer[1]["a"], outer[1], outer]
    freeing.free(parts)
    assert not parts
    assert outer == [[1], {"a": [2]}]
    lines = {1: "a", 2: "b"}
    freeing.free(lines)
    assert not lines


def test_a_list_of_too_many_items_and_yaml_of_too_many_parts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (loading, composing):
        monkeypatch.setattr(module, "MAX_ITEMS", 3)
    monkeypatch.setattr(loading, "LARGE", 5)
    for load in (load_json, load_yaml):
        assert load('{"a": [1, 2, 3]}').value == {"a": [1, 2, 3]}
        with pytest.raises(DocumentError, match=r"line 2: .*a list has more than 1000000 items"):
            load('{"a":\n[1, 2, 3, 4]}')
    with pytest.raises(DocumentError, match="more than 1000000 lists and mappings"):
        load_yaml("[[1], [2], [3]]")


def test_names_of_members_are_kept_once_up_to_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MANY", 2)
    names = loading._Names()
    assert [names.setdefault(name, name) for name in "abc"] == ["a", "b", "c"]
    assert list(names) == ["a", "b"]


def test_parts_for_which_the_system_allows_no_thread_are_freed_once_it_allows_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    thread, first, second = freeing._FreeingThread(), [1, 2], {"a": 1}
    monkeypatch.setattr(freeing, "_thread", thread)
    monkeypatch.setattr(freeing, "MANY", 0)
    owner, another = Thread(), Thread()
    with monkeypatch.context() as starved:
        starved.setattr(Thread, "start", refuse)
        freeing.free_with(owner, first)
        del owner
    assert first
    freeing.free_with(another, second)
    del another
    for _ in range(1000):
        if not first and not second:
            break
        sleep(0.01)
    assert (first, second) == ([], {})


def test_an_owner_that_ends_starts_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Thread] = []

    def start(thread: Thread) -> None:
        started.append(thread)

    monkeypatch.setattr(freeing, "_thread", freeing._FreeingThread())
    monkeypatch.setattr(freeing, "MANY", 0)
    monkeypatch.setattr(Thread, "start", start)
    owner = Thread()
    freeing.free_with(owner, [1])
    assert len(started) == 1
    del owner  # perhaps in a collection of garbage, in the middle of another thread's start
    assert len(started) == 1
