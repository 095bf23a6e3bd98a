"""Validate a seed document: its shape, part by part, and the relations between its parts."""

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from itertools import chain, islice
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from foas_emulator.faults.effects import find_problem
from foas_emulator.gateway.errors import catalogue
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.patterns import require_parameters
from foas_emulator.seeds.contradictions import contradictions
from foas_emulator.seeds.document import SeedDocument, is_note
from foas_emulator.seeds.freeing import free, free_with
from foas_emulator.seeds.limits import MAX_FAULTS, Place, quoted
from foas_emulator.seeds.members import no_mapping, problem
from foas_emulator.seeds.parts import Problem
from foas_emulator.seeds.references import references
from foas_emulator.seeds.repetitions import repetitions
from foas_emulator.showing import Suggestions
from foas_emulator.world.settings import NAMES, read_setting


def validate(document: Any, *, clusters: Collection[str] | None = None) -> tuple[SeedDocument | None, list[Problem]]:
    """Return the seed in a document, None if there is any problem, and all problems, up to a thousand.

    `clusters` are the ids in the world that it is for; without them, `apply` checks cluster ids.
    """
    found: list[Problem] = []
    models: list[BaseModel] = []
    seed = _check(SeedDocument, {} if document is None else document, (), found, models)
    if isinstance(document, Mapping):
        whole = chain(repetitions(document), contradictions(document), references(document, clusters))
        found += islice(whole, MAX_FAULTS)
    if found or not isinstance(seed, SeedDocument):
        seed = None  # it would hold all parts until they are freed at once
        free(models)
        return None, found[:MAX_FAULTS]
    free_with(seed, models[:-1])  # the last one is the seed
    return seed, []


def _check(
    model: type[BaseModel], document: Any, place: Place, found: list[Problem], models: list[BaseModel]
) -> BaseModel | None:
    """Validate a part of a document, after each part nested in it, so that no single check takes long.

    Add its model, and before it those of the parts, to `models`.
    """
    if len(found) >= MAX_FAULTS:
        return None
    if not isinstance(document, Mapping):
        model.model_rebuild()  # which names its members
        found.append((place, no_mapping(model)))
        return None
    given = {name: value for name, value in document.items() if not is_note(name)}
    if model is SeedDocument:
        given.pop("$schema", None)  # editors read it
    for name, part in _parts_of(model).items():
        if isinstance(given.get(name), list):
            checked = (_check(part, item, (*place, name, at), found, models) for at, item in enumerate(given[name]))
            given[name] = [each for each in checked if each is not None]
    if model is SeedDocument and isinstance(given.get("settings"), Mapping):
        given["settings"] = _settings(given["settings"], (*place, "settings"), found)
    try:
        checked_model = model.model_validate(given)
    except ValidationError as error:
        for details in error.errors(include_url=False, include_context=False):
            inner, message = problem(model, details)
            found.append(((*place, *inner), message))
        return None
    models.append(checked_model)
    return checked_model


@cache
def _parts_of(model: type[BaseModel]) -> Mapping[str, type[BaseModel]]:
    """Return the members of a model that are lists of parts, with the models of these."""
    lists = {
        field.alias or name: get_args(field.annotation)[0]
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) is list
    }
    return {name: part for name, part in lists.items() if isinstance(part, type) and issubclass(part, BaseModel)}


def _settings(settings: Mapping[Any, Any], place: Place, found: list[Problem]) -> dict[str, Any]:
    # The null of batch_duration says until its state is set; any other says the same as leaving the setting out.
    left_out = {name for name in NAMES if name != "batch_duration" and settings.get(name, ...) is None}
    given = {name: value for name, value in settings.items() if name not in left_out and not is_note(name)}
    found += (((*place, *inner), message) for inner, message in setting_problems(given))
    return given


def setting_problems(settings: Mapping[Any, Any]) -> Iterator[Problem]:
    """Yield the problems of a world's settings, given as in documents."""
    for name, value in settings.items():
        try:
            read_setting(name, value)
        except ValueError as error:
            yield (name,), str(error)
        else:
            if name == "error_overrides":
                yield from (((name, code), message) for code, message in override_problems(value))


def override_problems(overrides: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each overridden code that no error has: neither the catalogue's, nor one made of it for a parameter."""
    suggestions = Suggestions()
    for code in overrides:
        found = find_problem(code)
        if found is None:
            yield code, f"the catalogue has no error {quoted(code)}{suggestions.nearest(code, catalogue())}"
        elif code not in catalogue():
            try:
                require_parameters(found[1].values(), OPERATIONS)
            except ValueError as error:
                yield code, f"the catalogue has no error {quoted(code)}: {error}"
