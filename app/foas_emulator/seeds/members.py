"""Say where in a document an error of pydantic is, and what is wrong there, as people write it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, Tag

from foas_emulator.seeds.parts import Problem
from foas_emulator.seeds.references import nearest


def problem(root: Any, details: Mapping[str, Any]) -> Problem:
    """Return the place and the message of an error that pydantic reports for a document of the type `root`.

    The tags of unions, which pydantic counts as places, are left out. The message for an unknown member has the name
    of the nearest one that there is.
    """
    place: list[str | int] = []
    types: list[Any] = [root]
    known: list[str] = []
    tag = beside = ""
    for step in details["loc"]:
        tagged = [kind for name, kind in _tagged(types) if name == step]
        if tagged:
            types, tag = tagged, "" if isinstance(tagged[0], type) else f" beside {step!r}"
            continue
        place.append(step)
        beside, tag = tag, ""
        fields = [
            (field.alias or name, field.annotation)
            for model in _models(types)
            for name, field in model.model_fields.items()
        ]
        known = [name for name, _ in fields]
        types = [annotation for name, annotation in fields if name == step] or types
    message = str(details["msg"]).removeprefix("Value error, ")
    if details["type"] == "extra_forbidden":
        message = f"there is no such member{beside}{nearest(str(place[-1]), known) or '; check its spelling'}"
    return tuple(place), message


def _models(types: Iterable[Any]) -> Iterator[type[BaseModel]]:
    """Yield the models in types: themselves, the members of unions, and the items of lists."""
    for each in types:
        if isinstance(each, type) and issubclass(each, BaseModel):
            yield each
        else:
            yield from _models(get_args(each))


def _tagged(types: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the members of unions, however deep, each under its tag; without one, under the name of its class."""
    for each in types:
        for kind in get_args(each):
            yield from ((tag.tag, kind) for tag in get_args(kind)[1:] if isinstance(tag, Tag))
            if isinstance(kind, type):
                yield kind.__name__, kind
        yield from _tagged(get_args(each))
