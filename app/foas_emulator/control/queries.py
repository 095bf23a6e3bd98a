"""Refuse query parameters that a path does not have: with a misspelt `dry_run`, the change would be made."""

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from foas_emulator.control.errors import ControlError
from foas_emulator.showing import nearest


async def refuse_unknown_query(request: Request) -> None:
    """Raise `ControlError` for the first query parameter that the route of a request does not declare."""
    given = request.query_params
    if not given:
        return
    route: APIRoute = request.scope["route"]
    known = list(_declared(route.dependant))
    for name in given:
        if name not in known:
            there_are = f"It has {', '.join(known)}." if known else "It has none."
            raise ControlError(400, f"There is no query parameter {name!r} here{nearest(name, known)}.", there_are)


def _declared(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _declared(inner)
