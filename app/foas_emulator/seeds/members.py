"""Translate errors of pydantic: to their place in a document, and a message in the terms of its author."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag

from foas_emulator.seeds.parts import Problem
from foas_emulator.showing import nearest

_FEW = 8


def problem(root: Any, details: Mapping[str, Any]) -> Problem:
    """Return the place and the message of an error that pydantic reports for a document of the type `root`.

    The tags of unions, which pydantic counts as places, are left out. The message for an unknown member has the name
    of the nearest one that there is, or of all.
    """
    place: list[str | int] = []
    types: list[Any] = [root]
    known: list[str] = []
    tag = beside = ""
    for step in details["loc"]:
        tagged = [(kind, is_member) for name, kind, is_member in _tagged(types) if name == step]
        if tagged:
            types, tag = [kind for kind, _ in tagged], f" beside {step!r}" if tagged[0][1] else ""
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
        message = f"there is no such member{beside}{nearest(str(place[-1]), known) or _all_of(known)}"
    elif details["type"] in ("model_type", "model_attributes_type"):  # whose messages have names of classes
        message = no_mapping(*_models(types))
    return tuple(place), message


def no_mapping(*models: type[BaseModel]) -> str:
    """Return the message for what is no mapping, where the first of these models is expected."""
    fields = models[0].model_fields if models else {}
    needed = [field.alias or name for name, field in fields.items() if field.is_required()]
    return " with ".join(["it must be a mapping of members", *needed[:1]])


def _all_of(known: Sequence[str]) -> str:
    """Return a remark with all the members that there are, if they are few."""
    return f" (there are {', '.join(known)})" if 0 < len(known) <= _FEW else "; check its spelling"


def _models(types: Iterable[Any]) -> Iterator[type[BaseModel]]:
    """Yield the models in types: themselves, the members of unions, and the items of lists."""
    for each in types:
        if isinstance(each, type) and issubclass(each, BaseModel):
            yield each
        else:
            yield from _models(get_args(each))


def _tagged(types: Iterable[Any]) -> Iterator[tuple[str, Any, bool]]:
    """Yield the members of unions, however deep, each under its tag; without one, under the name of its class.

    The last item is whether it has a tag, which is the name of the member of a document that tells them apart.
    """
    for each in types:
        for kind in _members(each):
            yield from ((tag.tag, get_args(kind)[0], True) for tag in get_args(kind)[1:] if isinstance(tag, Tag))
            if isinstance(kind, type):
                yield kind.__name__, kind, False
        yield from _tagged(get_args(each))


def _members(kind: Any) -> Sequence[Any]:
    """Return the members of a union, of which pydantic counts one as a place unless it is the only one beside None."""
    members = get_args(kind) if get_origin(kind) in (Union, UnionType) else ()
    some = [member for member in members if member is not NoneType]
    return some if len(some) > 1 else []
